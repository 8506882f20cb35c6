"""The report of a run that has ended: report.json for programs, report.md for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runbooks.engine.lines import make_directory
from runbooks.engine.records import Event, JournalError, Kind, RunRecord, read_run
from shopsphere.foundation.files import write_whole
from shopsphere.foundation.markdown import cell

OUTCOMES = {Kind.RUN_FINISHED: "finished", Kind.RUN_ABANDONED: "abandoned"}


@dataclass
class StepTimes:
    """What became of one step.

    Attributes:
        outcome: `acted`; `waited` where others brought it about; `already so`; `so after an interruption` when a kill
            hides which of these; `failed`; or `interrupted` when the journal ends in the middle of it.
        attempts: how often the engine turned to it: once, and again at every resumption.
        seconds: of all attempts that ended, by the monotonic clock; what a kill cut short is not in it.
        began: wall time of the first attempt.
        ended: wall time of the last end of an attempt.
        failures: why attempts failed.
    """

    step: str
    title: str
    began: datetime
    outcome: str = "interrupted"
    attempts: int = 0
    seconds: float = 0.0
    ended: datetime | None = None
    failures: tuple[str, ...] = ()
    _acted: bool = False
    _running: bool = False
    _interrupted: bool = False

    def add(self, event: Event) -> None:
        """Take one more event of this step into account."""
        if event.kind is Kind.STEP_STARTED:
            self.attempts += 1
            self._interrupted |= self._running
            self._running, self.outcome = True, "interrupted"
        elif event.kind is Kind.STEP_ACTED:
            self._acted = True
        elif event.kind is Kind.STEP_ACTING:
            pass  # what came of it follows
        else:
            self._running = False
            self.ended = event.at
            self.seconds = round(self.seconds + event.fields["seconds"], 3)
            if event.kind is Kind.STEP_FAILED:
                self.outcome = "failed"
                self.failures += (event.fields["found"],)
            else:
                self.outcome = self._how_it_came(already=event.fields["already"])

    def _how_it_came(self, *, already: bool) -> str:
        if self._acted:
            return "acted"
        if not already:
            return "waited"
        return "so after an interruption" if self._interrupted else "already so"

    def as_json(self) -> dict[str, Any]:
        """Return the report's entry."""
        return {
            "step": self.step,
            "title": self.title,
            "outcome": self.outcome,
            "attempts": self.attempts,
            "seconds": self.seconds,
            "began": self.began.isoformat(),
            "ended": self.ended.isoformat() if self.ended else None,
            "failures": list(self.failures),
        }


def write_report(journal: Path, directory: Path, measurements: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write `report.json` and `report.md` into a folder and return the report.

    Args:
        journal: of a run that finished or was abandoned.
        directory: created when it is not there; an older report in it is replaced.
        measurements: JSON values that the journal does not have, with their unit in the name, as in `rto_seconds`.

    Raises:
        JournalError: the run has not ended, or the journal is damaged.
    """
    record = read_run(journal)
    if record is None or record.end is None:
        raise JournalError.build(
            f"journal {journal}: no report",
            expected="a run that has ended",
            found="an unfinished run",
            action="resume the run, or abandon it",
        )
    report = _report(record, measurements or {})
    make_directory(directory)
    write_whole(directory / "report.json", json.dumps(report, indent=2, allow_nan=False) + "\n")
    write_whole(directory / "report.md", _markdown(report))
    return report


def step_times(record: RunRecord) -> tuple[StepTimes, ...]:
    """Return what became of each step that was begun, in the order of their first attempts."""
    steps: dict[str, StepTimes] = {}
    for event in record.events:
        if not event.kind.startswith("step-"):
            continue
        name = event.fields["step"]
        if name not in steps:
            steps[name] = StepTimes(name, event.fields.get("title", name), event.at)
        steps[name].add(event)
    return tuple(steps.values())


def _report(record: RunRecord, measurements: Mapping[str, Any]) -> dict[str, Any]:
    first, last = record.events[0], record.events[-1]
    return {
        "run": record.run,
        **asdict(record.facts),
        "outcome": OUTCOMES[last.kind],
        "abandoned_because": last.fields.get("reason"),
        "resumed": sum(1 for _ in record.of(Kind.RUN_RESUMED)),
        "began": first.at.isoformat(),
        "ended": last.at.isoformat(),
        "total_seconds": round((last.at - first.at).total_seconds(), 3),
        "steps": [each.as_json() for each in step_times(record)],
        "measurements": dict(measurements),
    }


def _markdown(report: dict[str, Any]) -> str:
    heads = ("pair", "runbook", "variant", "actor", "reason", "outcome", "abandoned_because", "began", "ended")
    facts = [(name.replace("_", " "), report[name]) for name in heads if report[name] is not None]
    facts.append(("total, with pauses", f"{report['total_seconds']:.1f} s"))
    if report["resumed"]:
        facts.append(("resumed", f"{report['resumed']} times"))
    facts += report["measurements"].items()
    lines = [f"# Run {report['run']}", "", "| fact | value |", "|---|---|"]
    lines += [f"| {cell(name)} | {cell(value)} |" for name, value in facts]
    lines += ["", "| step | outcome | attempts | seconds |", "|---|---|---:|---:|"]
    for each in report["steps"]:
        label = cell(f"{each['step']}: {each['title']}")
        lines.append(f"| {label} | {each['outcome']} | {each['attempts']} | {each['seconds']:.1f} |")
    failures = [f"- {each['step']}: {cell(found)}" for each in report["steps"] for found in each["failures"]]
    if failures:
        lines += ["", "Failures:", "", *failures]
    return "\n".join(lines) + "\n"
