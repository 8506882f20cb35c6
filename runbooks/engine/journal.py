"""The journal of one run: what makes it possible to go on after a kill."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runbooks.engine.lines import LOCK_SECONDS, LineFile, lock, make_directory
from runbooks.engine.records import (
    GOES_ON,
    PATTERN,
    Event,
    JournalError,
    Kind,
    RunFacts,
    RunRecord,
    read_runs,
    run_from_lines,
)
from runbooks.engine.steps import Step


class Journal:
    """An unfinished run's journal, open for writing and locked, so that nobody else can drive the run.

    Made by `start` or `resume`; a context manager that closes the file. Closing does not end the run.

    Attributes:
        facts: what the run is about.
        run: its identity.
        path: its file.
    """

    def __init__(self, file: LineFile, record: RunRecord) -> None:
        self._file = file
        self.facts = record.facts
        self.run = record.run
        self.path = record.path
        self._done = set(record.done)
        self._values = record.values
        self._touched = record.touched
        self._ended = record.end is not None

    @classmethod
    def unfinished(cls, directory: Path, *, pair: str | None = None) -> RunRecord | None:
        """Return the newest run without an end, of one pair when it is named.

        Raises:
            JournalError: a journal in the folder is damaged.
        """
        runs = (run for run in read_runs(directory) if run.end is None and pair in (None, run.facts.pair))
        return next(runs, None)

    @classmethod
    def start(cls, directory: Path, facts: RunFacts, *, goes_on: RunRecord | None = None) -> Self:
        """Begin a run: a new file whose first line is on the disk when this returns.

        Args:
            directory: of all journals.
            facts: what the run is about.
            goes_on: an ended run in the middle of whose change this one begins: it is as little over as that one was.

        Raises:
            BusyError: other processes were starting runs for `LOCK_SECONDS`.
            JournalError: the pair has an unfinished run, or a journal in the folder is damaged.
            WriteFailedError: the folder or the first line could not be written.
        """
        make_directory(directory)
        with _alone(directory):
            left = cls.unfinished(directory, pair=facts.pair)
            if left:
                raise JournalError(
                    f"pair {facts.pair} has an unfinished run\n  expected: no run before this one, or its end\n"
                    f"  found:    {left.run}, started by {left.facts.actor}: {left.facts.reason}\n"
                    "  do:       resume it with the command that started it, or abandon it"
                )
            now = datetime.now(UTC)
            path = directory / f"{_next_number(directory):06d}-{facts.runbook}-{now:%Y%m%dT%H%M%SZ}.jsonl"
            more = {GOES_ON: goes_on.run} if goes_on else {}
            journal = cls(LineFile(path, create=True), RunRecord(path, facts, (Event(Kind.RUN_STARTED, now, more),)))
            try:
                journal._append(Kind.RUN_STARTED, run=journal.run, **asdict(facts), **more)
            except BaseException:
                journal.close()
                raise
        return journal

    @classmethod
    def resume(cls, path: Path, *, actor: str) -> Self:
        """Open the journal of an unfinished run, as `unfinished` found it, and record who goes on.

        Raises:
            BusyError: another process is at the run.
            JournalError: the run has ended, or its journal is damaged.
            WriteFailedError: the line could not be written.
        """
        file = LineFile(path, create=False)
        try:
            journal = cls(file, _require_unfinished(path, run_from_lines(path, file.lines)))
            journal._append(Kind.RUN_RESUMED, actor=actor)
        except BaseException:
            file.close()
            raise
        return journal

    def remember(self, key: str, value: Any) -> None:
        """Keep a JSON value over a kill; no secrets, the journal is plain text.

        Raises:
            TypeError: the value has no JSON form.
            WriteFailedError: it could not be written.
        """
        kept = json.loads(json.dumps(value))  # what a resumed run will see: tuples are lists, keys are text
        self._append(Kind.REMEMBERED, key=key, value=kept)
        self._values[key] = kept

    def recall(self, key: str, default: Any = None) -> Any:
        """Return what was remembered last under a key, by this process or one before it."""
        return self._values.get(key, default)

    def is_done(self, step: Step) -> bool:
        """Tell whether the step's outcome was seen at least once in this run."""
        return step.name in self._done

    @property
    def ended(self) -> bool:
        """True after `finish` or `abandon`."""
        return self._ended

    def step_started(self, step: Step) -> None:
        """Record that the engine turns to a step."""
        self._append(Kind.STEP_STARTED, step=step.name, title=step.title, seconds=0.0)

    @property
    def touched(self) -> bool:
        """Whether something may have been changed; see `RunRecord.touched`."""
        return self._touched

    def step_acting(self, step: Step, seconds: float) -> None:
        """Record that `act` is about to be called, `seconds` after the step's start."""
        self._append(Kind.STEP_ACTING, step=step.name, seconds=round(seconds, 3))
        self._touched = True

    def step_acted(self, step: Step, seconds: float) -> None:
        """Record that `act` returned, `seconds` after the step's start."""
        self._append(Kind.STEP_ACTED, step=step.name, seconds=round(seconds, 3))

    def step_verified(self, step: Step, seconds: float, *, already: bool) -> None:
        """Record that the outcome is there, `seconds` after the step's start; `already` without acting."""
        self._append(Kind.STEP_VERIFIED, step=step.name, seconds=round(seconds, 3), already=already)
        self._done.add(step.name)

    def step_failed(self, step: Step, seconds: float, found: str) -> None:
        """Record why the run stops here, `seconds` after the step's start."""
        self._append(Kind.STEP_FAILED, step=step.name, seconds=round(seconds, 3), found=found)

    def finish(self) -> None:
        """End the run: all its steps are done."""
        self._append(Kind.RUN_FINISHED)
        self._ended = True

    def abandon(self, *, actor: str, reason: str) -> None:
        """End the run before its last step, so that another can be started; undoes nothing."""
        self._append(Kind.RUN_ABANDONED, actor=actor, reason=reason)
        self._ended = True

    def close(self) -> None:
        """Close the file and free its lock."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _append(self, kind: Kind, **fields: Any) -> None:
        if self._ended:
            raise JournalError(f"journal {self.path}: the run has ended\n  do:       start a new run")
        self._file.append({"event": kind, "at": datetime.now(UTC).isoformat(), **fields})


def _require_unfinished(path: Path, record: RunRecord | None) -> RunRecord:
    if record is None or record.end:
        raise JournalError.build(
            f"journal {path}: nothing to resume",
            expected="an unfinished run",
            found=f"a {record.end.kind} line" if record and record.end else "a run that never started",
            action="start a new run",
        )
    return record


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Let one process at a time decide that a pair has no unfinished run; it takes milliseconds."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        lock(descriptor, directory, seconds=LOCK_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _next_number(directory: Path) -> int:
    """Count runs instead of trusting the wall clock, which may go back."""
    numbers = (int(path.name.split("-")[0]) for path in directory.glob(PATTERN))
    return max(numbers, default=0) + 1
