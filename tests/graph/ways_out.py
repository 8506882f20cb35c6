"""Declarations that break the promise of residency, each planted alone into what the real programs declare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from policies.resource import Resource

FRANKFURT, NEWYORK, EDGE = "prod-frankfurt", "prod-newyork", "prod"
Plant = Callable[[Sequence[Resource]], list[Resource]]


@dataclass(frozen=True)
class WayOut:
    """One way out.

    Attributes:
        rule: the rule that has to refuse it.
        found: part of what that rule says it found.
        plant: returns the resources of a stack with the way out among them.
        stack: where it is planted.
    """

    rule: str
    found: str
    plant: Plant
    stack: str = FRANKFURT


def written(node: Any, path: Sequence[str | int], value: Any) -> Any:
    """Return a copy of a document with a value at a path; a number one past the end of a list appends."""
    if not path:
        return value
    key, *rest = path
    if isinstance(key, int):
        entries = list(node or [])
        entries += [None] * (key + 1 - len(entries))
        entries[key] = written(entries[key], rest, value)
        return entries
    return {**(node or {}), key: written((node or {}).get(key), rest, value)}


def changed(kind: str, name: str, *path_and_value: Any) -> Plant:
    """Change one property of a declared resource: the path, then the value."""
    *path, value = path_and_value

    def plant(resources: Sequence[Resource]) -> list[Resource]:
        found = [each for each in resources if (each.kind, each.name) == (kind, name)]
        assert len(found) == 1, f"{len(found)} resources are {kind} {name}"
        return [replace(each, props=written(each.props, path, value)) if each in found else each for each in resources]

    return plant


def without(kind: str, name: str) -> Plant:
    """Leave a declared resource out."""

    def plant(resources: Sequence[Resource]) -> list[Resource]:
        left = [each for each in resources if (each.kind, each.name) != (kind, name)]
        assert len(left) == len(resources) - 1
        return left

    return plant


def added(token: str, props: Mapping[str, Any], *, like: str = "Namespace") -> Plant:
    """Declare one more resource, with the provider that an existing kind of the stack has."""

    def plant(resources: Sequence[Resource]) -> list[Resource]:
        model = next((each for each in resources if each.kind == like), resources[0])
        urn = "::".join([*model.urn.split("::")[:2], token, "planted"])
        return [*resources, replace(model, token=token, name="planted", urn=urn, props=props)]

    return plant


def by_provider(**settings: Any) -> Plant:
    """Let every object of the stack go through a provider with other settings."""

    def plant(resources: Sequence[Resource]) -> list[Resource]:
        return [replace(each, provider={**each.provider, **settings}) if each.provider else each for each in resources]

    return plant


def all_of(*plants: Plant) -> Plant:
    """Several changes that are one way out together."""

    def plant(resources: Sequence[Resource]) -> list[Resource]:
        changed_resources = list(resources)
        for each in plants:
            changed_resources = each(changed_resources)
        return changed_resources

    return plant
