"""The house has one direction: a line imports only from what lies below it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shopsphere.foundation.paths import REPOSITORY

FLOORS = (
    "shopsphere.foundation",
    "shopsphere.topology",
    "shopsphere.estate",
    "shopsphere.clients",
    "shopsphere.witness",
    "shopsphere.names",
    "shopsphere.edge_door",
    "shopsphere.status",
    "shopsphere.deploy",
    "shopsphere.drift",
    "shopsphere.doctor",
    "shopsphere.residency",
)
"""The ground floor, from below."""
ABOVE = {
    "components": ("shopsphere", "policies"),
    "policies": ("shopsphere",),
    "runbooks": ("shopsphere",),
    "lab": ("shopsphere", "runbooks", "policies"),
    "cli": ("shopsphere", "policies", "runbooks", "lab", "app"),
    "app": (),
}
"""What each house above the ground floor may import besides itself."""
OURS = (*ABOVE, "shopsphere")


def imports(file: Path) -> Iterator[str]:
    """Yield the full name of every module of ours that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def files(house: str) -> list[Path]:
    """Return every Python file of a house."""
    return sorted((REPOSITORY / house).rglob("*.py"))


def house_of(name: str) -> str:
    """Return the floor, or the house above it, that a module belongs to; empty when it is not ours."""
    floor = next((floor for floor in FLOORS if name == floor or name.startswith(f"{floor}.")), "")
    return floor or (name.partition(".")[0] if name.partition(".")[0] in OURS else "")


def floor_of(file: Path) -> str:
    """Return the floor or house that a file belongs to."""
    return house_of(".".join(file.relative_to(REPOSITORY).with_suffix("").parts))


def allowed(source: str, target: str) -> bool:
    """Whether a file of one house may import from another one."""
    if source == target or not target:
        return True
    if source in FLOORS:
        return target in FLOORS and FLOORS.index(target) < FLOORS.index(source)
    return target.partition(".")[0] in ABOVE.get(source, ())


@pytest.mark.parametrize("house", OURS)
def test_imports_lead_downwards(house: str) -> None:
    found = files(house)
    assert found
    upward = {
        str(file.relative_to(REPOSITORY)): targets
        for file in found
        if (targets := {target for target in imports(file) if not allowed(floor_of(file), house_of(target))})
    }
    assert upward == {}


def test_the_order_is_judged() -> None:
    assert not allowed("shopsphere.clients", "shopsphere.names")
    assert not allowed("shopsphere.deploy", "runbooks")
    assert not allowed("policies", "components")
    assert not allowed("app", "shopsphere.foundation")
    assert allowed("shopsphere.status", "shopsphere.clients")
    assert allowed("cli", "lab")


def test_components_take_admission_and_no_rule_of_the_pack() -> None:
    found = {each for file in files("components") for each in imports(file) if each.startswith("policies")}
    assert found
    assert {each for each in found if not each.startswith("policies.admission.")} == set()
