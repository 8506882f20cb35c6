"""A pair's readiness as a list for people and as JSON for programs."""

from __future__ import annotations

import json

from runbooks.readiness.row import as_row
from runbooks.readiness.score import Readiness
from shopsphere.foundation.finding import Finding, Verdict

_MARKS = {Verdict.PASSED: "pass", Verdict.FAILED: "FAIL", Verdict.UNKNOWN: "UNKNOWN"}
_INDENT = " " * 15


def as_json(readiness: Readiness) -> str:
    """Return all of it as a JSON document."""
    findings = [as_row(each) for each in readiness.findings]
    document = {"pair": readiness.pair, "ready": readiness.is_ready, "active": readiness.active, "checks": findings}
    return json.dumps(document, indent=2)


def as_text(readiness: Readiness) -> str:
    """Return a few lines per check, then the verdict."""
    lines = [line for finding in readiness.findings for line in _lines(finding)]
    return "\n".join([*lines, _verdict(readiness)])


def _lines(finding: Finding) -> list[str]:
    head = f"{finding.check:>4}  {_MARKS[finding.verdict]:<7}  {finding.title}"
    action = [f"{_INDENT}do: {finding.action}"] if finding.action else []
    return [head, f"{_INDENT}{finding.found}", *action]


def _verdict(readiness: Readiness) -> str:
    active = f"{readiness.active} is active" if readiness.active else "which site is active is not known"
    if readiness.is_ready:
        return f"{readiness.pair}: ready to fail over; {active}"
    wrong = ", ".join(each.check for each in readiness.wrong)
    return f"{readiness.pair}: NOT ready ({wrong}); {active}"
