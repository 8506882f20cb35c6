"""Random faults under load, and what must hold after each: `python bench/safety --pair rdc-a --runs 10 --seed 1`.

Needs the lab with the pair deployed. Every run appends one line to the results (bench/results/safety.jsonl, or
--results); run N of a seed is always the same run. `--fault NAME` picks one, `--list` shows all, `--every-place` kills
a planned move at each place of its runbook, `--report` prints what the results say. After a run the pair goes back to
its primary site, a planned move that is judged like a fault; with `--stay` the next fault meets whichever site is
active, which makes twice as many faults of an hour. Ends with code 1 when a checker found something.
"""

import argparse
import signal
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from random import Random

import checks
from customers import CLIENTS, fill_stock
from driver import carry_out, failback, write
from faults import CATALOGUE, OF_NODES, PROOFS
from faults_of_changes import PLACES, killed_at
from fences import forget_patience
from pair import PairUnderTest
from report import show
from scene import Fault

from shopsphere.foundation.clock import wait_until

RESULTS = Path(__file__).resolve().parent.parent / "results" / "safety.jsonl"
FAULTS = {**CATALOGUE, **OF_NODES, **PROOFS}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", default="rdc-a", choices=sorted(CLIENTS))
    parser.add_argument("--runs", type=int, default=1, help="at most 200")
    parser.add_argument("--first", type=int, default=1, help="number of the first run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault", action="append", choices=sorted(FAULTS), help="may be repeated; default: any")
    parser.add_argument("--region", choices=sorted(CLIENTS), help="another region, whose customers must notice nothing")
    parser.add_argument("--pace", type=float, default=0, metavar="SECONDS", help="pause of customers after each order")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--stay", action="store_true", help="do not go back to the primary site between runs")
    parser.add_argument("--every-place", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--report", action="store_true")
    found = parser.parse_args()
    if not 0 < found.runs <= 200:
        parser.error("--runs must be in [1, 200]")
    return found


def plan(wanted: argparse.Namespace) -> Iterator[tuple[int, str, Fault, bool]]:
    """(number, name, fault, whether to go back afterwards) of every run."""
    if wanted.every_place:
        for number, place in enumerate(PLACES, 1):
            if number >= wanted.first:
                yield number, "killed-at", killed_at(place), False
        return
    names = sorted(wanted.fault or CATALOGUE)
    for number in range(wanted.first, wanted.first + wanted.runs):
        name = Random(f"{wanted.seed}:{number}:fault").choice(names)
        yield number, name, FAULTS[name], not wanted.stay


def bring_home(under_test: PairUnderTest) -> None:
    """Make the pair whole at its primary site, under names of its epoch.

    Names may be of an epoch before: where two operators broke the glass at once, neither came to the step of the names.
    """
    under_test.repair()
    record = under_test.record()
    ways = [under_test.primary] if record.active != under_test.primary else []
    if not ways and checks.names(under_test.names(), record.epoch, record.active):
        ways = [under_test.other(under_test.primary), under_test.primary]
    for site in ways:
        under_test.failover("planned", site)
        under_test.repair()


def _begin_anew(under_test: PairUnderTest) -> None:
    """Have nothing of the runs before last on, at a site of several nodes."""
    active = under_test.record().active
    if under_test.topology.site(active).further_nodes:
        forget_patience(active)
        wait_until(under_test.is_steady, what="a steady pair", seconds=300, interval=1)


def main() -> int:
    wanted = arguments()
    if wanted.list:
        for name, fault in sorted(FAULTS.items()):
            print(f"{name:36} {(fault.__doc__ or '').strip()}")
        return 0
    if wanted.report:
        return show(wanted.results)
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us in the background
        signal.signal(number, signal.default_int_handler)
    under_test = PairUnderTest(wanted.pair)
    try:
        return int(run(under_test, wanted))
    except KeyboardInterrupt:
        print("stopped: what this run broke is taken back", file=sys.stderr)
        under_test.undo()
        return 130


def run(under_test: PairUnderTest, wanted: argparse.Namespace) -> bool:
    """Carry out what is wanted; returns whether a checker found something."""
    found = False
    bring_home(under_test)
    fill_stock(under_test.record().active)
    if wanted.region:
        fill_stock(PairUnderTest(wanted.region).record().active)
    for number, name, fault, back in plan(wanted):
        try:
            _begin_anew(under_test)
            results = [carry_out(under_test, name, fault, wanted.seed, number, region=wanted.region, pace=wanted.pace)]
            write(wanted.results, results[0])
            if back and under_test.record().active != under_test.primary:
                results.append(failback(under_test, wanted.seed, number, pace=wanted.pace))
                write(wanted.results, results[1])
            found |= any(each["violations"] for each in results)
        except Exception as error:  # noqa: BLE001 a run that could not be judged is a result, and no good one
            traceback.print_exc()
            write(wanted.results, {"fault": name, "seed": wanted.seed, "run": number, "error": f"{error}"[-800:]})
            found = True
            bring_home(under_test)
    return found


if __name__ == "__main__":
    sys.exit(main())
