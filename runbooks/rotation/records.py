"""What earlier rotations left: journals of their own, so that an unfinished one keeps nobody from moving the pair."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from runbooks.engine.records import PATTERN, Kind, RunRecord, read_run
from shopsphere.estate.renewal import KINDS

ROTATIONS = "rotations"
"""Folder beside the journals of runs that move a pair."""
LAST_STEP = "12-check-shop"
ALL = "all"
"""Variant of a run that renews every kind."""


def step_name(kind: str, step: str) -> str:
    """Return how a run calls a step of one kind, as in `session-keys-04-tell-active-site`."""
    return f"{kind}-{step}"


def rotations(directory: Path, pair: str) -> Iterator[RunRecord]:
    """Yield the rotations of a pair that are on record, the newest first.

    Args:
        directory: of the records of an environment.
        pair: its name.

    Raises:
        JournalError: a journal is damaged.
    """
    for path in sorted((directory / ROTATIONS).glob(PATTERN), reverse=True):
        record = read_run(path)
        if record and record.facts.pair == pair:
            yield record


def renewed_at(runs: Iterable[RunRecord]) -> dict[str, datetime]:
    """Return when each kind was renewed last (UTC), by its name; kinds that never were are not in it.

    Args:
        runs: the newest first.
    """
    found: dict[str, datetime] = {}
    for run in runs:
        seen = {each.fields["step"]: each.at for each in run.of(Kind.STEP_VERIFIED)}
        for name in KINDS:
            at = seen.get(step_name(name, LAST_STEP))
            if at:
                found.setdefault(name, at)
    return found
