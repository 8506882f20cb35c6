"""A stranger tries every door of a pair: `python bench/attacks --pair rdc-a`.

Needs the lab with the pair deployed and steady at its primary site. The stranger is a customer's host, a pod of the
shop and root at a site, all of another jurisdiction (`--other`; without that region there is no pod, and its attempts
are listed as not tried). Where the first line lets somebody in, the second one is tried from there: the operators'
machine, the pair's other site, a pod of the shop at the pair itself.

Each attempt is refused only if each answer is of a kind that counts for it, if whoever belongs at the same door is
answered right after it, and, where a port was closed, if a log has that packet. Attempts of strangers have to be named
in a log that they cannot change. After each door, and at the end, these are compared with before: the witness's record,
voters and users, the zone with its serial, the CDN's distributions, rows of both databases, what lies in their
namespaces, what is in the buckets. `drift` looks at pair and edge at the beginning and the end, and the agents' doors
are watched all the time.

One line per attempt goes to bench/results/attacks.jsonl. Ends with code 1 when something was let in, is not proven to
be refused, was not seen, or was changed.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from all_doors import DOORS, attempts_of
from attacked import Scene, found_scene
from attempt import Attempt
from doors_watched import DoorsWatched
from places import Places
from refusing import Outcome, Verdict, exit_code, judge
from traces import logs, needles, new_text, seen_in, sizes
from unchanged import changes, drifted, state

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run
from shopsphere.topology import load_topology

RESULTS = Path(__file__).resolve().parent.parent / "results" / "attacks.jsonl"
LOGGED_SECONDS = 4.0
"""Longest wait for the line about an attempt; audit logs are written in batches."""


def told(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tried(attempt: Attempt, places: Places) -> tuple[Outcome, list[str]]:
    """Ask, ask who belongs there, and look who wrote it down."""
    address = places.address(attempt.place)
    watched = sizes(logs(places.host(attempt.place), is_pod=places.is_pod(attempt.place)))
    answers = places.ask(attempt.place, attempt.questions)
    control = attempt.control
    controls = places.ask(control.place, control.questions) if control else None
    wanted, seen = needles(attempt, answers, "" if _is_ipv6(attempt) else address), list[str]()
    end = time.monotonic() + LOGGED_SECONDS
    while not seen and wanted and time.monotonic() < end:
        time.sleep(0.5)
        seen = seen_in(new_text(watched), wanted)
    return judge(attempt, answers, controls, seen), seen


def _is_ipv6(attempt: Attempt) -> bool:
    return any("scan" in each and ":" in each["scan"][0] for each in attempt.questions)


def at_door(attempts: list[Attempt], places: Places, results: TextIO, told_of_run: dict[str, Any]) -> Iterator[Verdict]:
    """Try the attempts at one door, tell and keep what became of each."""
    for number, attempt in enumerate(attempts, 1):
        outcome, seen = tried(attempt, places)
        line = {
            **told_of_run, "story": attempt.story, "what": attempt.what, "from": f"{attempt.place} "
            f"({places.host(attempt.place) or places.address(attempt.place)})", "questions": len(attempt.questions),
            "verdict": outcome.verdict.value, "refused": outcome.verdict in {Verdict.REFUSED, Verdict.UNSEEN},
            "answer": outcome.why[:300], "control": attempt.control is not None, "seen_in": seen,
        }  # fmt: skip
        results.write(json.dumps(line) + "\n")
        results.flush()
        told(f"  {number:2}/{len(attempts)} {outcome.verdict:9} {attempt.story:5} {attempt.what} [{attempt.place}]: "
             f"{outcome.why[:110]}  {', '.join(seen[:3])}")  # fmt: skip
        yield outcome.verdict


def chosen(scene: Scene, places: Places, options: argparse.Namespace) -> Iterator[tuple[str, list[Attempt], int]]:
    """Yield each door with what is tried there, and how much of it has no place to be tried from."""
    for door in options.door or DOORS:
        every = [each for each in attempts_of(door, scene, every_port=options.every_port)
                 if options.only in f"{each.story} {each.what} {each.place}"]  # fmt: skip
        can = [each for each in every if places.has(each.place)]
        if every:
            yield door, can, len(every) - len(can)


def main() -> int:
    """Try everything."""
    options = _options()
    topology = load_topology(environment="lab")
    pair, other = topology.pair(options.pair), topology.pair(options.other)
    scene = found_scene(pair, other, topology, secrets.token_hex(3))
    places = Places(pair, other, topology)
    commit = run(["git", "-C", REPOSITORY, "rev-parse", "--short", "HEAD"]).stdout.strip()
    began = datetime.now(UTC).isoformat(timespec="seconds")
    told(f"run {scene.run}: {pair.name} attacked from {other.name}, at {began}, {commit}")
    drift = {} if options.no_drift else drifted(pair)
    before = last = state(pair, topology, places)
    watched, counts, changed = DoorsWatched(pair, topology), Counter[Verdict](), list[str]()
    rows: list[str] = []
    not_tried = 0
    with options.results.open("a") as results:
        for door, attempts, left_out in chosen(scene, places, options):
            why = f", {left_out} not tried: {other.name} is not up" if left_out else ""
            told(f"{door}: {len(attempts)} attempts{why}")
            not_tried += left_out
            about = {"run": began, "commit": commit, "pair": pair.name, "door": door}
            found = Counter(at_door(attempts, places, results, about))
            now = state(pair, topology, places)
            differs = [f"after {door}: {each}" for each in changes(last, now)]
            for each in differs:
                told(f"  CHANGED   {each}")
            counts, changed, last = counts + found, [*changed, *differs], now
            rows.append(f"{door:12} {len(attempts):4} {_shown(found):60} {len(differs)} changed")
    watched.end()
    changed += changes(before, last) + (changes(drift, drifted(pair)) if drift else []) + watched.problems
    told("\n" + "\n".join(rows))
    for each in dict.fromkeys(changed):
        told(f"CHANGED  {each}")
    looks = f"{len(watched.problems)} of {watched.looks} looks at the agents' doors not as they should be"
    differing = f"{len(dict.fromkeys(changed))} things changed"
    told(f"{sum(counts.values())} attempts: {_shown(counts)}; {not_tried} not tried; {differing}; {looks}")
    return exit_code(counts.elements(), changed)


def _shown(counts: Counter[Verdict]) -> str:
    return ", ".join(f"{counts[each]} {each.value}" for each in Verdict if counts[each])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pair", default="rdc-a")
    parser.add_argument("--other", default="rdc-b", help="the pair whose jurisdiction the attacker is in")
    parser.add_argument("--only", default="", help="only attempts whose story, line or place has this text")
    parser.add_argument("--door", action="append", choices=[*DOORS], help="only these doors")
    parser.add_argument("--every-port", action="store_true", help="scan all 65,535 ports of each host, not some 1,100")
    parser.add_argument("--no-drift", action="store_true", help="leave out drift at the beginning and the end (2 min)")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
