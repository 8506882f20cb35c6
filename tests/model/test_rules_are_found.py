"""How the pack is put together: which modules are rules, and what is refused in place of one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import policies
from policies.pack import policy_of
from policies.registry import PACK_NAME, RegistryError, discover
from policies.resource import Resource
from policies.rule import Judged, Rule
from shopsphere.foundation.finding import Severity, passes

RULE = """\
from policies.rule import ResourceRule
from shopsphere.foundation.finding import Severity

RULE = ResourceRule(
    id="{id}", name="{name}", reason="Why.", severity=Severity.LOW, remediation="do it",
    applies=lambda resource: True, check=lambda resource: iter(()),
)
"""


def found_in(folder: Path, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the rules of a pack that has these files alone; each is in a family of its own."""
    monkeypatch.setattr(policies, "__path__", [str(folder)])
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    try:
        return [rule.id for rule in discover()]
    finally:
        for name in [each for each in sys.modules if each.startswith("policies.planted_")]:
            del sys.modules[name]
        for path in files:
            vars(policies).pop(path.partition("/")[0], None)


def test_rules_are_sorted_and_other_modules_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "planted_a/abc_002_second_one.py": RULE.format(id="ABC-002", name="second-one"),
        "planted_a/reading.py": "",
        "planted_b/abc_001_first.py": RULE.format(id="ABC-001", name="first"),
    }
    assert found_in(tmp_path, files, monkeypatch) == ["ABC-001", "ABC-002"]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"planted_a/abc_001_first.py": "RULES = []"},
            ("policies.planted_a.abc_001_first", "ABC-001 first", "no RULE"),
        ),
        (
            {"planted_a/abc_001_first.py": RULE.format(id="ABC-001", name="other")},
            ("policies.planted_a.abc_001_first", "ABC-001 first", "ABC-001 other"),
        ),
        (
            {f"planted_{each}/abc_001_first.py": RULE.format(id="ABC-001", name="first") for each in "ab"},
            ("policies.planted_b.abc_001_first", "an id of its own, not ABC-001", "an id that another file has too"),
        ),
        (
            {"planted_a/reading.py": ""},
            ("policies", "at least one rule", "none: the pack would approve everything"),
        ),
    ],
    ids=["no rule", "another name", "an id twice", "an empty pack"],
)
def test_what_is_no_pack_is_refused(
    files: dict[str, str], said: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RegistryError) as refused:
        found_in(tmp_path, files, monkeypatch)
    module, expected, found = said
    assert str(refused.value).splitlines()[:3] == [
        f"{module} is no rule",
        f"  expected: {expected}",
        f"  found:    {found}",
    ]


def test_the_engine_knows_the_pack_by_its_name() -> None:
    assert PACK_NAME == "shopsphere"


def test_a_policy_has_its_family_as_a_tag() -> None:
    assert {rule.id: policy_of(rule).tags for rule in discover() if rule.id in {"RES-003", "LIM-004"}} == {
        "RES-003": ["RES"],
        "LIM-004": ["LIM"],
    }


class Odd(Rule):
    """A rule of a kind that the pack does not know."""

    def judged(self, resources: Sequence[Resource]) -> Iterator[Judged]:
        return ((each, passes("nothing is wrong")) for each in resources)


def test_what_is_about_neither_a_resource_nor_a_stack_is_no_policy() -> None:
    rule = Odd(
        id="ABC-001",
        name="first",
        reason="Why.",
        severity=Severity.LOW,
        remediation="do it",
        applies=lambda _: True,
    )
    with pytest.raises(TypeError, match="ABC-001: expected a ResourceRule or a StackRule, found a Odd"):
        policy_of(rule)
