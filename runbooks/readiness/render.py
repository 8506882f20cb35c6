"""A pair's readiness as a list for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from runbooks.readiness.row import as_row
from runbooks.readiness.score import Readiness, is_warning
from shopsphere.foundation.columns import UNBOUNDED, folded
from shopsphere.foundation.finding import Finding, Verdict

_MARKS = {Verdict.PASSED: "pass", Verdict.FAILED: "FAIL", Verdict.UNKNOWN: "UNKNOWN"}
_INDENT = " " * 15


def as_document(readiness: Readiness) -> dict[str, Any]:
    """Return all of it as plain values."""
    findings = [as_row(each) for each in readiness.findings]
    return {
        "pair": readiness.pair,
        "ready": readiness.is_ready,
        "active": readiness.active,
        "checks": findings,
        "warnings": [as_row(each)["number"] for each in readiness.warnings],
    }


def as_json(readiness: Readiness) -> str:
    """Return all of it as a JSON document."""
    return json.dumps(as_document(readiness), indent=2)


def as_text(readiness: Readiness, width: int = UNBOUNDED) -> str:
    """Return a few lines per check, then the verdict; what keeps several checks from an answer is said once.

    Args:
        readiness: of a pair.
        width: of the terminal, in characters.
    """
    alike: dict[tuple[Verdict, str, str], list[Finding]] = {}
    for each in readiness.findings:
        alike.setdefault((each.verdict, each.found, each.action), []).append(each)
    lines = [line for findings in alike.values() for line in _lines(findings, width)]
    return "\n".join([*lines, *folded(_verdict(readiness), width)])


def _lines(findings: Sequence[Finding], width: int) -> list[str]:
    heads = [
        line
        for each in findings
        for line in folded(each.title, width, first=f"{each.check:>4}  {_mark(each):<7}  ", indent=_INDENT)
    ]
    found = folded(findings[0].found, width, first=_INDENT, indent=_INDENT)
    action = findings[0].action
    return [*heads, *found, *(folded(f"do: {action}", width, first=_INDENT, indent=_INDENT + "    ") if action else [])]


def _mark(finding: Finding) -> str:
    return "warn" if is_warning(finding) else _MARKS[finding.verdict]


def _verdict(readiness: Readiness) -> str:
    active = f"{readiness.active} is active" if readiness.active else "which site is active is not known"
    if readiness.is_ready:
        beside = f"; no order waits for {', '.join(each.check for each in readiness.warnings)}"
        return f"{readiness.pair}: ready to fail over; {active}{beside if readiness.warnings else ''}"
    wrong = ", ".join(each.check for each in readiness.wrong)
    return f"{readiness.pair}: NOT ready ({wrong}); {active}"
