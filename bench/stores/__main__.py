"""The store of backups lost, full and slow, and restores, under load: `python bench/stores --pair rdc-a`.

Needs root and the lab with the pair deployed, steady and its backups complete (P12 of `ready` passes). Customers order
all the time; each step appends one line to bench/results/stores.jsonl (or --results), and `--report` prints a table.

  lost      the gateway of the store is killed and stays away; then the lines of its host are cut
  full      the store has no room (a small file system covers its folder), so that it refuses what is sent
  slow      each frame takes longer, and the store's line takes only so many kilobits a second
  pieces    a WAL file or a base backup is missing, or one byte of it is another one
  mistakes  DROP TABLE in commerce and a wrong UPDATE in the ledger, restored to the second before
  large     the same with --gigabytes of rows, and in too little room

Violations: orders that wait or fail more than before the fault, a lost order or payment, more WAL waiting at a site
than designed, a fault that neither collectors nor `ready` tell of, a piece that is lost, a time inside the fault that
cannot be restored whole, a restore that begins before it says what is missing. Whatever a step has broken is undone at
its end, and what a killed run has left by the next one, or with `--undo`. Ends with code 1 when something was violated
or not judged, with 2 when it could not begin or something could not be undone.
"""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "safety"))

from collectors import Collectors
from command import CommandFailedError
from customers import CLIENTS, fill_stock
from driver import carry_out, write
from large_restore import large_under_load
from mistakes import mistakes_under_load
from pair import PairUnderTest
from pieces_taken import pieces_under_load
from restores import left_behind, remove
from scene import Fault, Scene
from staged import Stage, drop_own_tables
from store_faults import faults, under_load
from store_host import StoreHost
from stores_table import show
from telling import say

from lab.network import control
from shopsphere.foundation.errors import ShopSphereError

RESULTS = Path(__file__).resolve().parent.parent / "results" / "stores.jsonl"
LASTS = {"lost": 120.0, "full": 420.0, "slow": 420.0}
"""How long (s) a fault lasts: `ready` tells of WAL that is five minutes old, and its age is said each minute."""
STEPS = (*LASTS, "pieces", "mistakes", "large")
CUSTOMERS_SECONDS = 7200.0
"""Longer than any step: customers are told to end when it is over."""


class NotUndoneError(Exception):
    """Something that a run has broken could not be undone."""


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", default="rdc-a", choices=sorted(CLIENTS))
    parser.add_argument("--only", default=",".join(STEPS), metavar="STEP,...", help=f"of {','.join(STEPS)}")
    parser.add_argument("--seconds", type=float, help="of each fault; default: 120 for lost, 420 for full and slow")
    parser.add_argument(
        "--calm", type=float, default=60, metavar="SECONDS", help="customers are watched before a fault"
    )
    parser.add_argument("--gigabytes", type=float, default=4, help="of the large restore (GiB), at most 64")
    parser.add_argument("--log", type=int, default=1024, metavar="KIB", help="of log a second beside that of orders")
    parser.add_argument("--room", type=int, default=4096, metavar="MIB", help="of the store before it is filled")
    parser.add_argument("--ms", type=float, default=1000, help="that a frame takes longer while the store is slow")
    parser.add_argument("--kilobits", type=int, default=2000, help="a second that a slow store takes, each way")
    parser.add_argument("--pace", type=float, default=1.0, metavar="SECONDS", help="pause of customers after an order")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--undo", action="store_true", help="only undo what a killed run has left")
    parser.add_argument("--report", action="store_true", help="only print what the results say")
    found = parser.parse_args(words)
    found.only = found.only.split(",")
    if unknown := [each for each in found.only if each not in STEPS]:
        parser.error(f"--only: no step {unknown[0]!r}; there are {', '.join(STEPS)}")
    if not 0 < found.gigabytes <= 64:
        parser.error("--gigabytes must be in (0, 64]")
    if found.seconds is not None and not 20 <= found.seconds <= 3600:
        parser.error("--seconds must be in [20, 3600]")
    if not (20 <= found.calm <= 600 and 0 <= found.log <= 16384 and 256 <= found.room <= 65536):
        parser.error("--calm must be in [20, 600], --log in [0, 16384] and --room in [256, 65536]")
    if not (0 <= found.ms <= 5000 and 100 <= found.kilobits <= 1_000_000):
        parser.error("--ms must be in [0, 5000] and --kilobits in [100, 1000000]")
    return found


def steps(stage: Stage, wanted: argparse.Namespace) -> Iterator[tuple[str, Fault]]:
    """What is wanted, in the order of STEPS."""
    names = {name: wanted.seconds or LASTS[name] for name in LASTS if name in wanted.only}
    made = faults(stage, names, room_mib=wanted.room, ms=wanted.ms, kilobits=wanted.kilobits)
    for name, fault in made.items():
        yield f"store-{name}", under_load(stage, fault)
    restoring: dict[str, Callable[[Scene], None]] = {
        "pieces": partial(pieces_under_load, stage),
        "mistakes": partial(mistakes_under_load, stage),
        "large": partial(large_under_load, stage, gigabytes=wanted.gigabytes),
    }
    for name, step in restoring.items():
        if name in wanted.only:
            yield f"restore-{name}", step


def undo(pair: PairUnderTest, host: StoreHost) -> None:
    """Undo whatever is left, also of a run that was killed.

    Raises:
        NotUndoneError: something could not be, with what.
    """
    problems = host.undo(say)
    for home in left_behind():
        try:
            remove(home)
            say(f"  {home} is gone")
        except (OSError, ShopSphereError) as error:
            problems.append(f"not undone: {home}: {error}")
    drop_own_tables(pair, problems)
    if problems:
        raise NotUndoneError("\n".join([*problems, "do: mend it and call `python bench/stores --undo`"]))


def main() -> int:
    wanted = arguments()
    if wanted.report:
        return show(wanted.results)
    if os.geteuid() != 0:
        print("bench/stores enters the hosts of the lab\n  do: run it as root", file=sys.stderr)
        return 2
    for interruption in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interruption, signal.default_int_handler)
    try:
        control.ask("status")  # without a lab there is nothing to undo, and nobody to ask
        pair = PairUnderTest(wanted.pair)
        return at_lab(pair, StoreHost(pair.pair, pair.hosts), wanted)
    except (ShopSphereError, NotUndoneError, CommandFailedError) as error:
        print(f"bench/stores cannot begin, or go on:\n{error}", file=sys.stderr)
        return 2


def at_lab(pair: PairUnderTest, host: StoreHost, wanted: argparse.Namespace) -> int:
    """Undo what is left, and carry out what is wanted; returns the code to end with."""
    try:
        say("undoing what a run before may have left")
        undo(pair, host)
        if wanted.undo:
            return 0
        host.require()
        stage = Stage(pair, host, Collectors(pair.pair.sites), wanted.calm, wanted.log)
        stage.collectors.require()
        stage.require_backups()
        return int(run(stage, wanted))
    except KeyboardInterrupt:
        say("stopped: undoing what this run broke")
        pair.undo()
        undo(pair, host)
        return 130


def run(stage: Stage, wanted: argparse.Namespace) -> bool:
    """Carry out what is wanted; returns whether anything was violated or could not be judged."""
    bad = False
    todo = list(steps(stage, wanted))
    stage.pair.repair()
    fill_stock(stage.pair.record().active)
    for number, (name, fault) in enumerate(todo, 1):
        say(f"step {number} of {len(todo)}: {name}")
        facts: dict[str, Any] = {"fault": name, "seed": wanted.seed, "run": number, "pair": wanted.pair}
        try:
            result = carry_out(
                stage.pair, name, fault, wanted.seed, number, pace=wanted.pace, seconds=CUSTOMERS_SECONDS,
                measured=stage.measured,
            )  # fmt: skip
        except Exception as error:  # noqa: BLE001 a step that could not be judged is a result, and no good one
            traceback.print_exc()
            result = {**facts, "error": f"{error}"[-800:]}
        write(wanted.results, result)
        bad |= bool(result.get("violations") or "error" in result)
        undo(stage.pair, stage.host)
    show(wanted.results)
    return bad


if __name__ == "__main__":
    sys.exit(main())
