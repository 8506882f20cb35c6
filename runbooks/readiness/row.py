"""A check's finding as programs and drill records have it: number, name, verdict, found, action."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from shopsphere.foundation.finding import Finding, Verdict

PREFIX = "P"


def check_id(number: int) -> str:
    """Return the identity of a check from its place in the list, from 1."""
    return f"{PREFIX}{number}"


def as_row(finding: Finding) -> dict[str, Any]:
    """Return a check's finding in plain values."""
    return {
        "number": int(finding.check.removeprefix(PREFIX)),
        "name": finding.title,
        "verdict": finding.verdict.value,
        "found": finding.found,
        "action": finding.action,
    }


def from_row(row: Mapping[str, Any] | Finding) -> Finding:
    """Return the finding of a row.

    Raises:
        ValueError: it is no row.
    """
    match row:
        case Finding():
            return row
        case {"number": int(number), "name": str(name), "verdict": str(verdict), "found": str(found),
              "action": str(action), **others} if not others:  # fmt: skip
            return Finding(verdict=Verdict(verdict), found=found, action=action).by(check_id(number), name)
    raise ValueError("a finding has number, name, verdict, found and action, and nothing else")


Row = Annotated[Finding, BeforeValidator(from_row), PlainSerializer(as_row)]
"""A finding in a document."""
