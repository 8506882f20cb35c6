"""A crowd that clicks, and a checker of what was counted of it; `--help` of each verb says more.

    python bench/clickstream load --pair rdc-a --visitors 2000 --rate 500 --seconds 60 --seed 1
    python bench/clickstream check LEDGER --pair rdc-a
    python bench/clickstream kill --part collector --every 10 --pair rdc-a

`check` and `kill` end with code 1 when an acknowledged event is not counted, or one is counted twice.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

BENCH = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(BENCH.parent), *(str(BENCH / each) for each in ("safety", "stores"))]

from customers import CLIENTS  # noqa: E402 the path comes first
from driver import commit, machine  # noqa: E402
from stream_check import Verdict, check, table  # noqa: E402
from stream_kills import PARTS, Killing  # noqa: E402
from stream_lab import LabPlace  # noqa: E402
from stream_latency import Watching, latencies  # noqa: E402
from stream_ledger import Ledger  # noqa: E402
from stream_load import Begun, Beside, Wanted, load, note  # noqa: E402
from stream_place import NamedPlace, Place  # noqa: E402
from stream_usage import Usage  # noqa: E402

RESULTS = BENCH / "results" / "clickstream.jsonl"
MOST = {"visitors": 20_000, "rate": 5_000.0, "seconds": 7_200.0}
MOST_EVENTS = 2_000_000
"""Of one load: the checker holds a line for each look of a session. More are several loads."""


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    of = {name: verbs.add_parser(name) for name in ("load", "check", "kill")}
    for each in of.values():
        each.add_argument("--pair", default="rdc-a", choices=sorted(CLIENTS))
        each.add_argument("--url", help="another shop than the lab's; needs --dsn")
        each.add_argument("--dsn", help="of the database in which its clicks are counted")
    for each in (of["load"], of["kill"]):
        each.add_argument("--visitors", type=int, default=2_000, help="in the shop at any time")
        each.add_argument("--rate", type=float, default=500, help="events a second of all of them")
        each.add_argument("--seconds", type=float, default=60)
        each.add_argument("--seed", type=int, default=1)
        each.add_argument("--connections", type=int, default=100, help="requests that may be under way")
        each.add_argument("--latency", action="store_true", help="measure the way from a click to its row")
        each.add_argument("--ledger", type=Path, help="where it is written; default: a new file for temporary things")
    for each in (of["check"], of["kill"]):
        each.add_argument("--wait", type=float, default=120, help="for the worker to catch up (s)")
        each.add_argument("--results", type=Path, default=RESULTS)
    of["check"].add_argument("ledger", type=Path)
    of["check"].add_argument("--record", action="store_true", help="append a line to the results")
    of["kill"].add_argument("--part", action="append", required=True, choices=sorted(PARTS), help="may be repeated")
    of["kill"].add_argument("--every", type=float, default=10, help="seconds between two kills, 5 at least")
    found = parser.parse_args(words)
    if found.verb != "check" and not all(0 < getattr(found, name) <= most for name, most in MOST.items()):
        parser.error(", ".join(f"--{name} must be in (0, {most:g}]" for name, most in MOST.items()))
    if found.verb != "check" and found.rate * found.seconds > MOST_EVENTS:
        parser.error(f"--rate times --seconds must be {MOST_EVENTS} at most")
    if found.verb == "kill" and (found.every < 5 or found.url):
        parser.error("--every must be 5 at least, and only pods of the lab are killed")
    if bool(found.url) != bool(found.dsn):
        parser.error("--url and --dsn belong together")
    return found


def place_of(options: argparse.Namespace) -> Place:
    return NamedPlace(options.url, options.dsn) if options.url else LabPlace(options.pair)


def path_of(options: argparse.Namespace) -> Path:
    if options.ledger:
        return Path(options.ledger)
    return Path(tempfile.mkstemp(prefix="clickstream-", suffix=".jsonl")[1])


def played(place: Place, options: argparse.Namespace, beside: Sequence[Beside] = ()) -> Ledger:
    """Play what is wanted, with a usage of processors and ways to rows beside it; return the ledger."""
    wanted = Wanted(
        options.visitors, options.rate, options.seconds, options.seed, options.latency,
        (f"--connections={options.connections}",),
    )  # fmt: skip
    watching: list[Watching] = []
    usages: list[Usage] = []

    def watch(begun: Begun) -> Watching:
        watching.append(Watching(place, begun))
        return watching[0]

    def use(_begun: Begun) -> Usage:
        assert isinstance(place, LabPlace)
        usages.append(Usage(place.hosts, {name: part.pattern for name, part in PARTS.items()}))
        return usages[0]

    more: list[Beside] = [watch] if options.latency else []
    more += [use] if isinstance(place, LabPlace) else []
    path = path_of(options)
    print(f"ledger: {path}", flush=True)
    ledger = load(place, wanted, path, [*beside, *more])
    for each in usages:
        note(path, cpu_seconds=each.seconds())
    if watching:
        note(path, latency=latencies(ledger.entries(), watching[0].seen))
    for key, value in {**ledger.end, **ledger.notes()}.items():
        print(f"  {key}: {value}")
    return ledger


def killed(place: LabPlace, options: argparse.Namespace) -> tuple[Ledger, Killing]:
    """Play what is wanted while parts are killed."""
    found: list[Killing] = []

    def kills(begun: Begun) -> Killing:
        size, chance = begun.path.stat().st_size, Random(f"{options.seed}:kills")
        killing = Killing(
            place.site, options.part, options.every, chance, lambda: begun.path.stat().st_size > size, options.seconds
        )
        found.append(killing)
        return killing

    return played(place, options, [kills]), found[0]


def result(ledger: Ledger, verdict: Verdict, **more: object) -> dict[str, Any]:
    """Return a line of the results."""
    begin = {key: value for key, value in ledger.begin.items() if key not in {"begin", "format", "counts"}}
    end = {key: value for key, value in ledger.end.items() if key != "end"}
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(), "commit": commit(), **begin,
        **end, **ledger.notes(), **more, **verdict.facts, "lost": verdict.lost, "doubled": verdict.doubled,
        "looks_lost": verdict.looks_lost, "looks_wrong": verdict.looks_wrong, "strangers": verdict.strangers,
        "fallen_out": verdict.fallen_out, "problems": verdict.problems,
    }  # fmt: skip


def append(path: Path, line: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as sink:
        sink.write(f"{json.dumps(line)}\n")


def checked(place: Place, ledger: Ledger, seconds: float) -> Verdict:
    with place.asking() as ask:
        verdict = check(ledger, ask, seconds=seconds)
    print(table(verdict))
    return verdict


def main(words: Sequence[str] | None = None) -> int:
    options = arguments(words)
    place = place_of(options)
    if options.verb == "load":
        played(place, options)
        return 0
    more: dict[str, object] = {}
    if options.verb == "kill":
        assert isinstance(place, LabPlace)
        ledger, killing = killed(place, options)
        more = {"parts": options.part, "every": options.every, "kills": killing.killed, "kills_failed": killing.failed}
    else:
        ledger = Ledger.read(options.ledger)
    verdict = checked(place, ledger, options.wait)
    if options.verb == "kill" and not more["kills"]:
        verdict.problems.append("nothing was killed, so that nothing can be said of kills")
        print(verdict.problems[-1])
    if options.verb == "kill" or options.record:
        append(options.results, result(ledger, verdict, **more))
    return int(not verdict.is_good)


if __name__ == "__main__":
    sys.exit(main())
