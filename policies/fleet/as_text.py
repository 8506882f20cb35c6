"""The report of a fleet check as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from policies.fleet.check import Judged, Report
from shopsphere.foundation.columns import UNBOUNDED, folded, labelled

_BELOW = " " * 4


def as_json(report: Report) -> str:
    """Return all of it as a JSON document; `path` has stores and flows in turn."""
    document = {
        "environment": report.environment,
        "target": report.target,
        "verdict": report.verdict,
        "stacks": list(report.stacks),
        "resources": report.resources,
        "stores": report.stores,
        "flows": report.flows,
        "rules": [each.id for each in report.rules],
        "findings": [
            {"stack": each.stack, **each.finding.as_json(), "urn": each.urn, "path": list(each.steps)}
            for each in report.findings
        ],
    }
    return json.dumps(document, indent=2)


def as_text(report: Report, width: int = UNBOUNDED) -> str:
    """Return the findings, violations first, then a summary.

    Args:
        report: what was found.
        width: of the terminal, in characters.
    """
    lines = [line for each in report.findings for line in (*_finding(each, width), "")]
    asked = (
        f"judged: {len(report.stacks)} stacks of {report.environment} ({report.resources} resources in all stacks, "
        f"{report.stores} stores, {report.flows} flows) by {len(report.rules)} rules"
    )
    count = f": {len(report.findings)} findings" if report.findings else ""
    return "\n".join([*lines, *folded(asked, width), f"{report.verdict}{count}"])


def _finding(judged: Judged, width: int) -> Iterator[str]:
    finding = judged.finding
    severity = f"{finding.severity.upper()}  " if finding.severity else ""
    unknown = "" if finding.verdict == "fail" else f" ({finding.verdict})"
    yield from folded(f"{severity}{judged.stack}: {finding.check} {finding.title}{unknown}", width, indent=_BELOW)
    about = {"subject": finding.subject, "found": finding.found, "allowed": finding.allowed, "do": finding.action}
    yield from labelled({name: said for name, said in about.items() if said}, width, indent=_BELOW)
