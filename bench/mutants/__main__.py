"""Mutation testing of policies/ and of the residency map: `python bench/mutants --workers 2`.

Each mutant runs only the tests of its module (tests_of.py), in a fork, until the first fails. A line per mutant is
added to bench/results/mutants.jsonl; what is recorded there of an unchanged file is not run again.
Exit 1 with --report: a mutant was not run, a survivor has no reason, less than 90 % are killed, or the residency core
has a survivor that is not equivalent.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import figures
import map_flips
from figures import Record
from mutators import mutants, unchanged
from tests_of import MAP_STAGES, Stage, Stages, missing, modules, stages
from trial import Trial, replaced, warm

LONGEST_SECONDS = 900.0
"""Of the tests on what is not changed."""
TIMES_AS_LONG = 6
LEAST_BOUND_SECONDS = 30.0


@dataclass(frozen=True)
class Work:
    """A mutant that is to be judged: its record without a verdict, how to put it in place, its tests."""

    record: Record
    change: Callable[[], None]
    stages: Stages


@dataclass
class Running:
    """Work at one of its stages."""

    work: Work
    bounds: dict[Stage, float]
    at: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        stage = self.work.stages[self.at]
        self.trial = Trial(self.work.change, stage, self.bounds[stage])

    def record(self) -> Record | None:
        """The verdict; None while tests are running."""
        outcome = self.trial.outcome()
        if outcome is None:
            return None
        self.seconds += outcome.seconds
        if not outcome.killed and self.at + 1 < len(self.work.stages):
            self.at += 1
            self._start()
            return None
        by = outcome.by or (f"exit code {outcome.code}" if outcome.killed else "")
        return replace(self.work.record, killed=outcome.killed, by=by, seconds=round(self.seconds, 2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", action="append", default=[], help="begin of a path: policies/residency, topology.yaml"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=600.0, help="start no mutant after that")
    parser.add_argument("--survivors", action="store_true", help="run those again that survived, after tests changed")
    parser.add_argument("--quick", action="store_true", help="the first stage of tests alone; then --survivors")
    parser.add_argument("--list", action="store_true", help="count the mutants and run none")
    parser.add_argument("--report", action="store_true", help="judge what is recorded and run none")
    return parser.parse_args()


def everything(only: Sequence[str], *, quick: bool = False) -> Iterator[Work]:
    """Yield all work, file by file, with the first stage of its tests or with all."""
    for file in modules(only):
        for mutant in mutants(file):
            record = Record(mutant.id, file, mutant.line, mutant.source, killed=False, by="", seconds=0.0)
            yield Work(record, replaced(mutant), _chosen(stages(file), quick=quick))
    if map_flips.FILE.startswith(tuple(only) or ""):
        for flip in map_flips.flips():
            record = Record(flip.id, map_flips.FILE, 0, map_flips.source(), killed=False, by="", seconds=0.0)
            yield Work(record, flip.change(), _chosen(MAP_STAGES, quick=quick))


def _chosen(found: Stages, *, quick: bool) -> Stages:
    return found[:1] if quick else found


def bounds(work: Sequence[Work]) -> dict[Stage, float]:
    """Seconds that each stage may take: a multiple of what it takes on what is not changed.

    Raises:
        SystemExit: tests fail without any mutant; nothing could be said then.
    """
    found: dict[Stage, float] = {}
    nothing = replaced(unchanged("policies/verdict.py"))
    for stage in {stage: None for each in work for stage in each.stages}:
        trial = Trial(nothing, stage, LONGEST_SECONDS)
        outcome = trial.wait()
        if outcome.killed:
            raise SystemExit(f"{outcome.by or outcome.code} fails on what is not changed:\n{trial.output}")
        found[stage] = max(LEAST_BOUND_SECONDS, TIMES_AS_LONG * outcome.seconds)
        print(f"{outcome.seconds:7.1f} s unchanged: {'plain ' * stage.is_plain}{' '.join(stage.files)}", flush=True)
    return found


def run(work: list[Work], workers: int, minutes: float) -> None:
    """Run all, `workers` at a time, and record each as soon as it is known."""
    allowed, end = bounds(work), time.monotonic() + 60 * minutes
    waiting, running, count = iter(work), list[Running](), 0
    while count < len(work):  # ends: each trial has its bound
        while len(running) < workers and time.monotonic() < end and (following := next(waiting, None)) is not None:
            running.append(Running(following, allowed))
        if not running:
            print(f"the time is over: {len(work) - count} mutants are left")
            return
        for each in tuple(running):
            if (record := each.record()) is not None:
                running.remove(each)
                figures.append(record)
                count += 1
                verdict = "killed  " if record.killed else "SURVIVED"
                print(f"{count:5}/{len(work)} {verdict} {record.seconds:6.1f} s  {record.id}  {record.by}", flush=True)
        time.sleep(0.02)


def main() -> int:
    options = arguments()
    if absent := missing():
        raise SystemExit(f"tests_of.py names tests that are not there: {', '.join(map(str, absent))}")
    known, work = figures.recorded(), list(everything(options.only, quick=options.quick))
    if options.report:
        wrong = figures.problems(((w.record.id, w.record.file, w.record.source) for w in work), known)
        print("\n".join(wrong))
        return 1 if wrong else 0
    seen = {key for key, record in known.items() if record.killed or not options.survivors}
    left = [each for each in work if f"{each.record.id} {each.record.source}" not in seen]
    if options.survivors:
        left = [each for each in left if f"{each.record.id} {each.record.source}" in known]
    print(f"{len(work)} mutants, {len(left)} to be run")
    if left and not options.list:
        warm()
        run(left, options.workers, options.minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
