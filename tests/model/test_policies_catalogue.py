"""The pages that are made from the rules are those of the rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from policies import catalogue
from policies.catalogue import DOCS, page, pages
from policies.listing.page import fields_of, listing_page
from policies.listing.shape import ListedType, Named, Only, Shape
from policies.listing.table import LISTED
from policies.registry import discover

RULES = discover()
ENTRY = """\
### LIM-003 stack-power

Workloads that each fit can exceed their site together.

- Severity: high
- Judged: in the preview, over all resources of a stack
- What to do: lower replicas or requests in the stack's configuration until the sum fits
"""


@pytest.mark.requirement("what is enforced is written down: rules, listed types, what an API server applies")
@pytest.mark.parametrize("name", ["policies.md", "listed-types.md", "admission-example.yaml"])
def test_the_committed_page_is_current(name: str) -> None:
    assert (DOCS / name).read_text() == pages()[name], "run `python -m policies.catalogue --write`"


def test_an_old_page_is_said_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(catalogue, "DOCS", tmp_path)
    monkeypatch.setattr(catalogue, "pages", lambda: {"policies.md": "new"})
    ends = []
    for words in ([], ["--write"], []):
        monkeypatch.setattr("sys.argv", ["catalogue", *words])
        with pytest.raises(SystemExit) as end:
            catalogue.main()
        ends.append(end.value.code)
    assert ends == [1, 0, 0]
    assert (tmp_path / "policies.md").read_text() == "new"
    assert capsys.readouterr().out == "docs/policies.md is old: run with --write\ndocs/policies.md written\n"


def test_every_field_is_on_the_page_of_listed_types() -> None:
    fields: dict[str, Shape] = {
        "spec": {"a": "for b", "one.of/these": Only("no other", (1, True)), "many": ({"name": "its name"},)}
    }
    listed = ListedType("Why.", {**fields, "labels": Named("any"), "empty": {}})
    assert dict(fields_of(listed)) == {
        "spec.a": "for b",
        'spec."one.of/these"': "`1` or `True` alone: no other",
        "spec.many[].name": "its name",
        "labels.*": "any",
        "empty": "nothing in it",
    }
    assert dict(fields_of(ListedType("Why.", Named("the engine's")))) == {"*": "the engine's"}
    assert [line[3:] for line in listing_page().splitlines() if line.startswith("## ")][: len(LISTED)] == [*LISTED]


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
