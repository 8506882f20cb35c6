"""Drifts by somebody else, one by one, against `drift` and against Pulumi: `python bench/drift inject rdc-a`.

Needs the lab with the region deployed and the edge. `inject` makes over a hundred changes of many kinds as another
identity: with kubectl, psql in the pods, the APIs of DNS servers and CDN, varnishadm and nft. After each batch of
different objects it looks what `shopsphere drift` says, then what `pulumi refresh --preview-only` and `pulumi preview
--refresh` say (both with --expect-no-changes), takes the batch back by the findings' own commands, or by what was
saved, and waits until drift is clean. What admission refuses is listed apart. Before anything is sent, what takes it
back is in a journal; a run that finds one takes back first. `quiet` looks twelve times while things change that may.

Each result is a line in bench/results, written when it is known: `--resume` goes on with a run that was stopped.
`--report` writes docs/drift-compared.md from the last runs. Ends with 1 where one was missed, stayed or made noise.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

import compared_table
import pulumi_words
import quiet_runs
from acts import ActFailedError, LabHands
from batches import StillThereError, World, carry_out
from findings import identity, look
from ground_of_lab import ground_of
from grouping import batches
from injected_databases import databases
from injected_edge import edge
from injected_hosts import hosts
from injected_objects import objects
from injected_workloads import workloads
from injections import Ground, Injection
from result_lines import COMPARED, QUIET, Lines
from undo_journal import JournalError, UndoJournal, recover

from lab.paths import control_directory
from shopsphere.estate.stack import EDGE, Environment, edge_stack, site_stack
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Topology, load_topology
from shopsphere.witness.access import see_once

JOURNAL = "drift-bench-journal.json"
FAMILIES = ("cluster", "database", "edge", "cache", "hosts")


@dataclass(frozen=True)
class Run:
    """What was asked for."""

    topology: Topology
    region: str
    lines: Lines
    wanted: argparse.Namespace


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("inject", "quiet"))
    parser.add_argument("region", nargs="?", help="a pair of the topology, in the lab")
    parser.add_argument("--report", action="store_true", help="write docs/drift-compared.md from the results")
    parser.add_argument("--without", action="append", default=[], choices=FAMILIES, help="may be repeated")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="injections whose name has it")
    parser.add_argument("--per-kind", type=int, default=0, metavar="N", help="so many of each kind; 0: all")
    parser.add_argument("--together", type=int, default=6, metavar="N", help="injections at the same time, 1 to 20")
    parser.add_argument("--no-pulumi", action="store_true", help="ask drift alone")
    parser.add_argument("--resume", action="store_true", help="go on with the last run")
    parser.add_argument("--results", type=Path, help="file of the results, in place of the one in bench/results")
    found = parser.parse_args(words)
    if not found.report and not (found.what and found.region):
        parser.error("say inject REGION, quiet REGION or --report")
    if not 1 <= found.together <= 20:
        parser.error("--together must be in [1, 20]")
    return found


def injections(ground: Ground, wanted: argparse.Namespace) -> list[Injection]:
    """Return those that were asked for."""
    every = [*workloads(ground), *objects(ground), *databases(ground), *edge(ground), *hosts(ground)]
    found = [each for each in every if each.family not in wanted.without]
    found = [each for each in found if not wanted.only or any(text in each.key for text in wanted.only)]
    counts: Counter[str] = Counter()
    kept = []
    for each in found:
        counts[each.kind] += 1
        if not wanted.per_kind or counts[each.kind] <= wanted.per_kind:
            kept.append(each)
    return kept


def inject(run: Run) -> int:
    """Make all injections that have no result yet; returns 1 where one was missed or only partly found."""
    began, hands = time.monotonic(), LabHands(run.topology)

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {text}", flush=True)

    journal = UndoJournal.left(control_directory() / JOURNAL)
    recover(journal, hands, lambda place: look(place).is_clean(), say)
    ground = ground_of(run.topology, run.region, hands, active_site)
    done = run.lines.done_keys()
    left = [each for each in injections(ground, run.wanted) if each.key not in done]
    before = [look(target) for target in sorted({each.place for each in left})]
    if problems := [each.problem or each.unseen for each in before if each.problem or each.unseen]:
        say(f"drift does not see all, so nothing is injected: {problems[0]}")
        return 1
    known = frozenset(identity(finding) for each in before for finding in each.findings)
    for each in sorted(known):
        say(f"known before: {' '.join(each)}")

    def ask(place: str, command: str) -> pulumi_words.Said:
        lab = Environment.LAB
        return pulumi_words.ask(edge_stack(lab) if place == EDGE else site_stack(run.topology, place, lab), command)

    world = World(hands, look, None if run.wanted.no_pulumi else ask, journal, known, run.lines.write, say)
    groups = batches(left, run.wanted.together, run.lines.overwriting())
    try:
        for number, batch in enumerate(groups, 1):
            say(f"batch {number} of {len(groups)}: {len(batch)} in {batch[0].place}, {batch[0].family}")
            carry_out(world, batch)
    except BaseException:
        say("stopped: what this run has injected is taken back")
        for interruption in (signal.SIGINT, signal.SIGTERM):
            signal.signal(interruption, signal.SIG_IGN)
        recover(journal, hands, lambda place: look(place).is_clean(known), say)
        raise
    counts = Counter(each["outcome"] for each in run.lines.of_run())
    say(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    return int(bool(counts["missed"] or counts["partly found"]))


def active_site(pair: str) -> str:
    """Return which site of a pair takes orders, as its witness says."""
    record = see_once(pair, Environment.LAB).record
    if record is None:
        raise ActFailedError(f"the witness has no record of {pair}; is it deployed?")
    return record.active


def main() -> int:
    wanted = arguments()
    if wanted.report:
        return compared_table.write(COMPARED, QUIET)
    for interruption in (signal.SIGINT, signal.SIGTERM):  # also where a shell started us in the background
        signal.signal(interruption, signal.default_int_handler)
    topology = load_topology(environment=Environment.LAB)
    topology.pair(wanted.region)
    file = wanted.results or (COMPARED if wanted.what == "inject" else QUIET)
    lines = Lines.open(file, wanted.region, resume=wanted.resume)
    try:
        if wanted.what == "quiet":
            with closing(quiet_runs.Quiet(topology, wanted.region, active_site(wanted.region), lines)) as quiet:
                return quiet.run()
        return inject(Run(topology, wanted.region, lines, wanted))
    except KeyboardInterrupt:
        return 130
    except (ActFailedError, JournalError, StillThereError, ShopSphereError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
