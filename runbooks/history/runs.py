"""Runs of runbooks, from their journals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runbooks.engine.records import PATTERN, JournalError, RunRecord, read_run
from runbooks.engine.report import OUTCOMES
from runbooks.history.entry import HistoryEntry


def runs(directory: Path) -> Iterator[HistoryEntry | str]:
    """Yield an entry for each journal of a folder; of a damaged one, what is wrong with it."""
    for path in sorted(directory.glob(PATTERN)):
        try:
            record = read_run(path)
        except JournalError as error:
            yield str(error).partition("\n")[0]
            continue
        if record:
            yield _entry(record, directory / "reports" / record.run)


def _entry(record: RunRecord, report: Path) -> HistoryEntry:
    facts, first, end = record.facts, record.events[0], record.end
    return HistoryEntry(
        began=first.at,
        what=" ".join(filter(None, (facts.runbook.replace("_", "-"), facts.variant))),
        on=facts.pair,
        who=facts.actor,
        why=facts.reason,
        result=OUTCOMES[end.kind] if end else "unfinished",
        seconds=round((end.at - first.at).total_seconds(), 1) if end else None,
        report=str(report) if report.exists() else str(record.path),
    )
