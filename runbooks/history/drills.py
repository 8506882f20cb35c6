"""Drills, from their records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from runbooks.history.entry import HistoryEntry
from runbooks.readiness.drill_record import DrillRecord


def drills(directory: Path) -> Iterator[HistoryEntry | str]:
    """Yield an entry for each record of a folder of runs; of a damaged one, what is wrong with it."""
    for file in sorted((directory / "drills").glob("*.json")):
        try:
            record = DrillRecord.model_validate_json(file.read_bytes())
        except ValidationError:
            yield f"{file}: the record of a drill is damaged"
            continue
        yield _entry(record, file)


def _entry(record: DrillRecord, file: Path) -> HistoryEntry:
    return HistoryEntry(
        began=record.began,
        what="drill",
        on=record.pair,
        who=record.actor,
        why=record.reason,
        result=record.result.value if record.ended and record.result else "unfinished",
        seconds=round((record.ended - record.began).total_seconds(), 1) if record.ended else None,
        report=str(file),
    )
