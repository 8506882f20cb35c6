"""The runs of a drill: found in the journals, timed by their reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runbooks.engine import RunRecord, write_report
from runbooks.engine.records import Kind, read_runs
from runbooks.operate import FAILOVER
from runbooks.readiness.drill_record import DrillRecord, Move


def runs_since(directory: Path, drill: DrillRecord) -> list[RunRecord]:
    """Return the runs of the pair since the drill began, in their order.

    The order of the journals counts, and the first run of the drill's own: a clock that was set back does not hide it.

    Raises:
        JournalError: a journal is damaged.
    """
    runs = [run for run in read_runs(directory) if run.facts.pair == drill.pair][::-1]
    since = (number for number, run in enumerate(runs) if run.events[0].at >= drill.began or _belongs_to(drill, run))
    return runs[next(since, len(runs)) :]


def moves_in(directory: Path, drill: DrillRecord) -> tuple[Move, ...]:
    """Return the moves of the drill that ended, in their order.

    Raises:
        JournalError: a journal is damaged.
    """
    return tuple(
        _move(directory, run)
        for run in runs_since(directory, drill)
        if run.facts.runbook == FAILOVER and run.values.get("epoch") in _epochs(drill) and _is_finished(run)
    )


def _belongs_to(drill: DrillRecord, run: RunRecord) -> bool:
    return run.facts.reason == drill.run_reason and run.values.get("epoch") in _epochs(drill)


def _epochs(drill: DrillRecord) -> tuple[int, int]:
    return (drill.epoch, drill.epoch + 1)


def _is_finished(run: RunRecord) -> bool:
    return run.end is not None and run.end.kind is Kind.RUN_FINISHED


def _move(directory: Path, run: RunRecord) -> Move:
    file = directory / "reports" / run.run / "report.json"
    # A kill between a run's end and its report leaves none.
    report: dict[str, Any] = json.loads(file.read_text()) if file.exists() else write_report(run.path, file.parent)
    return Move(
        target=str(run.values["target"]),
        run=run.run,
        total_seconds=report["total_seconds"],
        steps={each["step"]: each["seconds"] for each in report["steps"]},
    )
