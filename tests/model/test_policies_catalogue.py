"""The pages that are made from the rules are those of the rules."""

from __future__ import annotations

import io
import runpy
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
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


def ended(
    words: list[str], monkeypatch: pytest.MonkeyPatch, main: Callable[[], object] = catalogue.main
) -> tuple[object, str]:
    """How the command ends, and what it says."""
    said = io.StringIO()
    monkeypatch.setattr("sys.argv", ["catalogue", *words])
    monkeypatch.setattr("sys.stdout", said)
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code, said.getvalue()


def test_an_old_page_is_said_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, said = tmp_path / "old.md", "is old: run with --write"
    for name, text in (("current.md", "current"), ("old.md", "old")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(catalogue, "DOCS", tmp_path)
    monkeypatch.setattr(catalogue, "pages", lambda: {"current.md": "current", "missing.md": "new", "old.md": "new"})
    assert ended([], monkeypatch) == (1, f"docs/missing.md {said}\ndocs/old.md {said}\n")
    assert (old.read_text(), (tmp_path / "missing.md").exists()) == ("old", False)
    assert ended(["--write"], monkeypatch) == (0, "docs/missing.md written\ndocs/old.md written\n")
    assert (old.read_text(), (tmp_path / "missing.md").read_text()) == ("new", "new")
    assert ended([], monkeypatch) == (0, "")


def test_the_module_is_a_program_that_says_how_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delitem(sys.modules, "policies.catalogue")
    code, said = ended(["--help"], monkeypatch, partial(runpy.run_module, "policies.catalogue", run_name="__main__"))
    assert code == 0
    assert said.startswith("usage: python -m policies.catalogue [-h] [--write]\n")
    assert "  --write     bring them up to date\n" in said


def test_every_field_is_on_the_page_of_listed_types() -> None:
    fields: dict[str, Shape] = {
        "spec": {
            "a": "for b",
            "one.of/these": Only("no other", (1, True)),
            "limits/watts": "power",
            "many": ({"name": "its name"},),
        }
    }
    listed = ListedType("Why.", {**fields, "labels": Named("any"), "empty": {}})
    assert dict(fields_of(listed)) == {
        "spec.a": "for b",
        'spec."one.of/these"': "`1` or `True` alone: no other",
        'spec."limits/watts"': "power",
        "spec.many[].name": "its name",
        "labels.*": "any",
        "empty": "nothing in it",
    }
    assert dict(fields_of(ListedType("Why.", Named("the engine's")))) == {"*": "the engine's"}
    assert [line[3:] for line in listing_page().splitlines() if line.startswith("## ")][: len(LISTED)] == [*LISTED]


def test_an_entry_says_why_how_bad_and_what_to_do() -> None:
    assert ENTRY in page(RULES)


def test_an_entry_says_where_to_read_more() -> None:
    (entry,) = [rule for rule in RULES if rule.id == "LIM-003"]
    read_more = page([replace(entry, url="https://docs.example/power")])
    assert ENTRY + "- More: https://docs.example/power\n" in read_more


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
