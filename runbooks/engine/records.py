"""A run as its journal tells it: read-only, and possible while the run goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from runbooks.engine.lines import complete_lines, parse
from shopsphere.foundation.errors import ShopSphereError

PATTERN = "[0-9]*-*.jsonl"


class JournalError(ShopSphereError):
    """A journal is damaged, or used in a way that its content forbids."""


class Kind(StrEnum):
    """What a line of a journal records."""

    RUN_STARTED = "run-started"
    RUN_RESUMED = "run-resumed"
    STEP_STARTED = "step-started"
    STEP_ACTING = "step-acting"
    STEP_ACTED = "step-acted"
    STEP_VERIFIED = "step-verified"
    STEP_FAILED = "step-failed"
    REMEMBERED = "remembered"
    RUN_FINISHED = "run-finished"
    RUN_ABANDONED = "run-abandoned"


GOES_ON = "goes_on"
"""Field of a run's first line: the run whose change it goes on with."""
ENDS = frozenset({Kind.RUN_FINISHED, Kind.RUN_ABANDONED})


@dataclass(frozen=True)
class RunFacts:
    """What a run is about, fixed at its start.

    Attributes:
        runbook: name of the runbook.
        variant: one of its variants; None when it has none.
        pair: what it is done to.
        actor: who started it.
        reason: why, in the actor's words.
    """

    runbook: str
    variant: str | None
    pair: str
    actor: str
    reason: str


@dataclass(frozen=True)
class Event:
    """One line of a journal.

    Attributes:
        at: wall time.
        fields: what else the line says, as in `step` and `seconds`.
    """

    kind: Kind
    at: datetime
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class RunRecord:
    """A run: what it is about and what happened until now."""

    path: Path
    facts: RunFacts
    events: tuple[Event, ...]

    @property
    def run(self) -> str:
        """The run's identity, which is also its file's name."""
        return self.path.stem

    @property
    def end(self) -> Event | None:
        """How it ended; None while it is unfinished."""
        return self.events[-1] if self.events[-1].kind in ENDS else None

    @property
    def done(self) -> frozenset[str]:
        """Names of the steps whose outcome was seen at least once."""
        return frozenset(each.fields["step"] for each in self.of(Kind.STEP_VERIFIED))

    @property
    def touched(self) -> bool:
        """Whether something may have been changed: a step began to act, or the run goes on with one that had begun."""
        return any(self.of(Kind.STEP_ACTING)) or GOES_ON in self.events[0].fields

    @property
    def values(self) -> dict[str, Any]:
        """What steps remembered; the last value of each key."""
        return {each.fields["key"]: each.fields["value"] for each in self.of(Kind.REMEMBERED)}

    def of(self, kind: Kind) -> Iterator[Event]:
        """Return the events of one kind, in order."""
        return (each for each in self.events if each.kind is kind)


def read_run(path: Path) -> RunRecord | None:
    """Read a journal; None when its run was killed before its first line was written, so that nothing was done.

    Raises:
        JournalError: a line other than a torn last one is damaged.
    """
    return run_from_lines(path, complete_lines(path.read_bytes()))


def run_from_lines(path: Path, lines: Sequence[bytes]) -> RunRecord | None:
    """Build a run from the complete lines of its journal; see `read_run`."""
    if not lines:
        return None
    events = tuple(_event(path, number, line) for number, line in enumerate(lines, 1))
    for number, event in enumerate(events, 1):
        if (number == 1) is not (event.kind is Kind.RUN_STARTED):
            raise _damaged(path, number, f"a {event.kind} line")
        if event.kind in ENDS and number < len(events):
            raise _damaged(path, number, f"a {event.kind} line before the last")
    try:
        facts = RunFacts(**{name: events[0].fields[name] for name in RunFacts.__dataclass_fields__})
    except KeyError as error:
        raise _damaged(path, 1, f"no {error}") from error
    return RunRecord(path, facts, events)


def read_runs(directory: Path) -> Iterator[RunRecord]:
    """Return the runs of a folder, the newest first; none when it does not exist.

    Raises:
        JournalError: a journal is damaged.
    """
    for path in sorted(directory.glob(PATTERN), reverse=True):
        record = read_run(path)
        if record:
            yield record


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        fields = parse(line)
        event = Event(Kind(fields.pop("event")), datetime.fromisoformat(fields.pop("at")), fields)
        if event.kind.startswith("step-"):
            fields["step"], fields["seconds"]
        elif event.kind is Kind.REMEMBERED:
            fields["key"], fields["value"]
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, number, f"{line[:80]!r}") from error
    return event


def _damaged(path: Path, number: int, found: str) -> JournalError:
    return JournalError(
        f"journal {path}: line {number} is damaged\n"
        "  expected: the lines of one run, the first of its start and none after its end\n"
        f"  found:    {found}\n"
        "  do:       find out who changed it; move it away to go on without it"
    )
