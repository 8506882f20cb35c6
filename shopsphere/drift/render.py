"""A comparison as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

from shopsphere.drift.model import Drift, Report
from shopsphere.foundation.columns import UNBOUNDED, folded, labelled

_BELOW = " " * 4


def as_json(report: Report) -> str:
    """Return all of it as a JSON document."""
    document = {
        "target": report.target,
        "environment": report.environment,
        "verdict": report.verdict,
        "counts": dict(sorted(Counter(each.kind.value for each in report.drifts).items())),
        "ignored": report.ignored,
        "sites": [
            {"site": each.site, "declared": each.declared, "live": each.live, "seconds": each.seconds}
            for each in report.sites
        ],
        "findings": [each.as_json() for each in report.drifts],
        "unseen": [asdict(each) for each in report.unseen],
    }
    return json.dumps(document, indent=2)


def as_text(report: Report, width: int = UNBOUNDED) -> str:
    """Return the findings, the worst first, then what could not be looked at, then a summary.

    Args:
        report: what was found.
        width: of the terminal, in characters.
    """
    lines = [line for each in report.drifts for line in (*_finding(each, width), "")]
    for each in report.unseen:
        lines += [*folded(f"{each.site}: {each.what}: {each.why}", width, first="UNKNOWN  ", indent=_BELOW), ""]
    return "\n".join([*lines, *_summary(report, width)])


def _finding(drift: Drift, width: int) -> list[str]:
    field = f", {drift.field}" if drift.field else ""
    residency = ", residency" if drift.residency else ""
    head = f"{drift.severity.upper()}{residency}  {drift.site}: {drift.object}{field}: {drift.kind}"
    parts = {
        "declared": drift.declared or "nothing",
        "live": drift.live or "nothing",
        "by": drift.who,
        "do": drift.repair,
    }
    return [*folded(head, width, indent=_BELOW), *labelled(parts, width, indent=_BELOW)]


def _summary(report: Report, width: int) -> list[str]:
    objects = ", ".join(
        f"{each.site} {each.declared} declared, {each.live} live ({each.seconds:g} s)"
        for each in report.sites
        if each.live
    )
    counts = Counter(each.kind for each in report.drifts)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    ignored = f"; {report.ignored} accepted" if report.ignored else ""
    unknown = f"; {len(report.unseen)} unknown" if report.unseen else ""
    return [
        *(folded(f"looked at: {objects}", width) if objects else []),
        f"{report.verdict}{': ' if told else ''}{told}{ignored}{unknown}",
    ]
