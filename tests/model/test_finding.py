"""The one finding: what people and programs read of it, and how parts make a whole."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from shopsphere.foundation.finding import Finding, Severity, Verdict, fails, passes, together, unknown

ABROAD = Finding(
    verdict=Verdict.FAILED,
    found="class personal at ashburn",
    allowed="personal of eu at dublin, frankfurt",
    action="deploy it in the stack of an allowed site",
).by("RES-003", "placement-in-jurisdiction", subject="Namespace 'shop'", severity=Severity.CRITICAL)
LATE = fails("ledger-dublin is 4 MB behind", "wait until it has caught up").by("P1", "Both databases stream")


def test_one_line() -> None:
    assert ABROAD.line == "RES-003 fail: Namespace 'shop': class personal at ashburn"
    assert LATE.line == "P1 fail: ledger-dublin is 4 MB behind"


def test_several_lines() -> None:
    assert ABROAD.message.splitlines() == [
        "RES-003 placement-in-jurisdiction: Namespace 'shop'",
        "  found:   class personal at ashburn",
        "  allowed: personal of eu at dublin, frankfurt",
        "  do:      deploy it in the stack of an allowed site",
    ]
    assert LATE.message.splitlines() == [
        "P1 Both databases stream: fail",
        "  found:   ledger-dublin is 4 MB behind",
        "  do:      wait until it has caught up",
    ]


def test_for_programs() -> None:
    assert json.loads(json.dumps(ABROAD.as_json())) == {
        "check": "RES-003",
        "title": "placement-in-jurisdiction",
        "subject": "Namespace 'shop'",
        "verdict": "fail",
        "severity": "critical",
        "found": "class personal at ashburn",
        "allowed": "personal of eu at dublin, frankfurt",
        "action": "deploy it in the stack of an allowed site",
    }
    assert LATE.as_json()["severity"] is None


@pytest.mark.requirement("what could not be told is never a pass")
@pytest.mark.parametrize(("finding", "passed"), [(passes("a"), True), (fails("a", "b"), False), (unknown("a"), False)])
def test_only_a_pass_passes(finding: Finding, passed: bool) -> None:
    assert finding.passed is passed


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([passes("a"), passes("b")], "pass"),
        ([passes("a"), unknown("b")], "unknown"),
        ([unknown("a"), fails("b", "c"), passes("d")], "fail"),
        ([], "pass"),
    ],
)
def test_parts_make_a_whole(parts: list[Finding], verdict: str) -> None:
    assert together(parts).verdict.value == verdict


def test_what_passed_is_not_told_where_something_did_not() -> None:
    whole = together([passes("a"), unknown("b", "look"), fails("c", "deploy"), fails("d", "deploy")])
    assert (whole.found, whole.action) == ("b; c; d", "look; deploy")
    assert together([], nothing="no certificates").found == "no certificates"


def test_a_finding_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        LATE.found = "nothing"  # type: ignore[misc]
