"""The page of the rules is that of the rules."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.catalogue import PAGE, page
from policies.registry import discover

RULES = discover()
ENTRY = """\
### LIM-003 stack-power

Workloads that each fit can exceed their site together.

- Severity: high
- Judged: in the preview, over all resources of a stack
- What to do: lower replicas or requests in the stack's configuration until the sum fits
"""


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text() == page(RULES), "run `python -m policies.catalogue --write`"


def test_an_entry_says_why_how_bad_and_what_to_do() -> None:
    assert ENTRY in page(RULES)


@pytest.mark.parametrize("rule_id", [rule.id for rule in RULES])
def test_each_rule_has_one_entry(rule_id: str) -> None:
    headings = [line for line in page(RULES).splitlines() if line.startswith(f"### {rule_id} ")]
    assert len(headings) == 1


def test_each_way_through_the_fleet_has_one_entry() -> None:
    headings = [line.split()[1] for line in page(RULES).splitlines() if line.startswith("### FLT-")]
    assert headings == [f"FLT-00{number}" for number in range(1, 10)]
    assert "- Ways: backup, WAL archive, restore\n" in page(RULES)


@pytest.mark.parametrize("changed", [{"reason": "Because."}, {"remediation": "do it"}, {"name": "other"}], ids=str)
def test_a_change_of_a_rule_changes_the_page(changed: dict[str, str]) -> None:
    assert page([replace(RULES[0], **changed), *RULES[1:]]) != page(RULES)  # type: ignore[arg-type]
