"""An examination as a list for people and as JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from shopsphere.estate.stack import Environment
from shopsphere.foundation.columns import UNBOUNDED, folded
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.finding import Finding, Verdict

_MARKS = {Verdict.PASSED: "pass", Verdict.FAILED: "FAIL", Verdict.UNKNOWN: "UNKNOWN"}
_BELOW = " " * 11


def exit_code(findings: Iterable[Finding]) -> ExitCode:
    """Return what the findings say together: a failure outweighs what is not known."""
    verdicts = {each.verdict for each in findings}
    if Verdict.FAILED in verdicts:
        return ExitCode.FAILED
    return ExitCode.UNKNOWN if Verdict.UNKNOWN in verdicts else ExitCode.GOOD


def as_json(target: str, environment: Environment, findings: Sequence[Finding]) -> str:
    """Return all of it as a JSON document."""
    counts = {verdict.value: count for verdict, count in _counted(findings).items()}
    document = {"target": target, "environment": environment, "counts": counts}
    return json.dumps({**document, "findings": [each.as_json() for each in findings]}, indent=2)


def as_text(findings: Sequence[Finding], width: int = UNBOUNDED) -> str:
    """Return the findings by subject; one cause of several is told once.

    Args:
        findings: what was found.
        width: of the terminal, in characters.
    """
    subjects: dict[str, list[Finding]] = {}
    for each in findings:
        subjects.setdefault(each.subject, []).append(each)
    lines = [line for subject, found in subjects.items() for line in (*_part(subject, found, width), "")]
    counts = ", ".join(f"{count} {_MARKS[verdict]}" for verdict, count in _counted(findings).items())
    return "\n".join([*lines, counts])


def _part(subject: str, findings: Sequence[Finding], width: int) -> list[str]:
    alike: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        alike.setdefault((each.verdict, each.found, each.action), []).append(each)
    return [subject, *(line for group in alike.values() for line in _lines(group, width))]


def _lines(alike: Sequence[Finding], width: int) -> list[str]:
    lead = f"  {_MARKS[alike[0].verdict]:<7}  "
    if alike[0].passed and len(alike) == 1:
        return folded(f"{alike[0].title}: {alike[0].found}", width, first=lead, indent=_BELOW)
    heads = [line for each in alike for line in folded(each.title, width, first=lead, indent=_BELOW)]
    parts = {"found": alike[0].found, "do": alike[0].action}
    below = [
        line
        for name, text in parts.items()
        if text
        for line in folded(text, width, first=f"{_BELOW}{name + ':':<7}", indent=_BELOW + " " * 7)
    ]
    return [*heads, *below]


def _counted(findings: Iterable[Finding]) -> dict[Verdict, int]:
    counts = Counter(each.verdict for each in findings)
    return {verdict: counts[verdict] for verdict in Verdict}
