"""Two operators break the glass for opposite sites at once: `python bench/break_glass --pair rdc-a --runs 40 --seed 1`.

Needs the lab with the pair deployed. In each run the pair loses its witness in one of the ways below, and two processes
that know nothing of each other ("desks", as on two machines) give `break-glass` for opposite sites, 0 to 2 s apart.
Both agents' doors and both kernels' fences are looked at all the while, also after the witness is back. Violations:
both sites open at one moment; both commands successful; no site open when all is repaired; an epoch that went back.
Every run appends one line to bench/results/break-glass.jsonl; run N of a seed is always the same run. Ends with code 1
when something was violated or could not be judged.

`voters-off`: two of three voters have no power. `lines-cut`: nobody of the pair reaches a voter. `operators-cut`: only
the operators do not; nothing may change then. After each run the pair is made whole, which takes most of the time.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "safety"))

from customers import CLIENTS
from desks import Desk
from driver import write
from pair import PairUnderTest
from watching import Watch, open_together

from lab.hosts import WORKSTATION
from shopsphere.foundation.clock import WaitExpiredError, wait_until
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness import WitnessUnreachableError

RESULTS = Path(__file__).resolve().parent.parent / "results" / "break-glass.jsonl"


def voters_off(pair: PairUnderTest) -> None:
    for voter in list(pair.voters)[:2]:
        pair.power_off(voter)


def operators_cut(pair: PairUnderTest) -> None:
    for voter in pair.voters:
        pair.cut(WORKSTATION, voter)


def lines_cut(pair: PairUnderTest) -> None:
    operators_cut(pair)
    for site in pair.pair.sites:
        for voter in pair.voters:
            pair.cut(site, voter)


LOSSES: dict[str, Callable[[PairUnderTest], None]] = {
    "voters-off": voters_off,
    "lines-cut": lines_cut,
    "operators-cut": operators_cut,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", default="rdc-a", choices=sorted(CLIENTS))
    parser.add_argument("--runs", type=int, default=40, help="at most 200")
    parser.add_argument("--first", type=int, default=1, help="number of the first run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loss", action="append", choices=sorted(LOSSES), help="may be repeated; default: any")
    parser.add_argument("--results", type=Path, default=RESULTS)
    found = parser.parse_args()
    if not 0 < found.runs <= 200:
        parser.error("--runs must be in [1, 200]")
    return found


def main() -> int:
    wanted = arguments()
    for interruption in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us in the background
        signal.signal(interruption, signal.default_int_handler)
    pair, bad = PairUnderTest(wanted.pair), False
    try:
        for number in range(wanted.first, wanted.first + wanted.runs):
            chance = Random(f"{wanted.seed}:{number}:break-glass")
            loss = chance.choice(sorted(wanted.loss or LOSSES))
            facts = {"fault": f"break-glass-pair-{loss}", "seed": wanted.seed, "run": number, "pair": wanted.pair}
            try:
                result = {**facts, **carry_out(pair, chance, loss)}
            except Exception as error:  # noqa: BLE001 a run that could not be judged is a result, and no good one
                traceback.print_exc()
                result = {**facts, "error": f"{error}"[-800:]}
            write(wanted.results, result)
            print(json.dumps({key: result[key] for key in ("codes", "opened") if key in result}), flush=True)
            bad |= bool(result.get("violations") or "error" in result)
    except KeyboardInterrupt:
        print("stopped: what this run broke is taken back", file=sys.stderr)
        pair.undo()
        return 130
    return int(bad)


def carry_out(pair: PairUnderTest, chance: Random, loss: str) -> dict[str, Any]:
    """Let the witness be lost, two operators act, and the witness come back; returns what was seen."""
    pair.repair()
    before, violations = pair.record(), list[str]()
    targets = list(pair.pair.sites)
    chance.shuffle(targets)
    apart = chance.uniform(0, 2)
    with tempfile.TemporaryDirectory(prefix="desks-") as folder, Watch(pair) as watch:
        LOSSES[loss](pair)
        wait_until(lambda: is_unreachable(pair), what="the operators to lose the witness", seconds=30)
        if loss != "operators-cut":
            wait_until(lambda: not watch.open_now(), what="both sites to shut themselves off", seconds=60)
        desks = [Desk(Path(folder) / str(number), wanted=target) for number, target in enumerate(targets)]
        desks[0].begin(pair.pair.name)
        time.sleep(apart)
        desks[1].begin(pair.pair.name)
        codes = [desk.end(seconds=180) for desk in desks]
        time.sleep(10)  # a permit that comes late has to be seen
        opened = sorted(watch.open_now())
        pair.undo()
        try:
            wait_until(lambda: settled(pair, watch), what="one site to be open", seconds=180, interval=1)
        except WaitExpiredError as error:
            violations.append(str(error))
    after = pair.record()
    violations += [f"both sites open at {at:.2f} s" for at in open_together(watch.looks)[:5]]
    if codes == [0, 0]:
        violations.append("both operators were told that their site writes")
    if after.epoch < before.epoch or (loss == "operators-cut" and after.epoch != before.epoch):
        violations.append(f"epoch {before.epoch} before and {after.epoch} after")
    return {
        "loss": loss, "targets": targets, "apart_seconds": round(apart, 2), "codes": codes, "opened": opened,
        "said": [desk.last_words for desk in desks], "looks": len(watch.looks), "from": before.active,
        "to": after.active, "epochs": after.epoch - before.epoch, "violations": violations,
    }  # fmt: skip


def is_unreachable(pair: PairUnderTest) -> bool:
    """Whether no majority of voters answers from the operators' place: else a run shows nothing."""
    try:
        pair.record()
    except WitnessUnreachableError:
        return True
    return False


def settled(pair: PairUnderTest, watch: Watch) -> bool:
    """Whether the witness answers, and the site that it names is open, alone."""
    try:
        return watch.open_now() == {pair.record().active}
    except (ShopSphereError, AssertionError):
        return False


if __name__ == "__main__":
    sys.exit(main())
