"""Finds the rules: every module named like `res_003_placement_in_jurisdiction` below this package."""

from __future__ import annotations

import importlib
import pkgutil
import re

import policies
from policies.rule import Rule
from shopsphere.foundation.errors import ShopSphereError

PACK_NAME = "shopsphere"
RULE_MODULE = re.compile(r"^(?P<family>[a-z]{3})_(?P<number>[0-9]{3})_(?P<name>[a-z0-9_]+)$")


class RegistryError(ShopSphereError):
    """A rule's file does not define the rule that its name promises."""


def discover() -> tuple[Rule, ...]:
    """Import every rule module and return the rules by id.

    Raises:
        RegistryError: a module has no RULE, its name differs from the rule's, or an id is used twice.
    """
    rules: dict[str, Rule] = {}
    for module in pkgutil.walk_packages(policies.__path__, "policies."):
        matched = RULE_MODULE.match(module.name.rpartition(".")[2])
        if matched is None:
            continue
        rule = getattr(importlib.import_module(module.name), "RULE", None)
        expected = f"{matched['family'].upper()}-{matched['number']} {matched['name'].replace('_', '-')}"
        found = f"{rule.id} {rule.name}" if isinstance(rule, Rule) else "no RULE"
        if not isinstance(rule, Rule) or found != expected:
            raise _error(module.name, expected, found)
        if rule.id in rules:
            raise _error(module.name, f"an id of its own, not {rule.id}", "an id that another file has too")
        rules[rule.id] = rule
    if not rules:
        raise _error("policies", "at least one rule", "none: the pack would approve everything")
    return tuple(rules[key] for key in sorted(rules))


def _error(module: str, expected: str, found: str) -> RegistryError:
    return RegistryError(
        f"{module} is no rule\n  expected: {expected}\n  found:    {found}\n"
        "  do:       name the file after the rule's id and name, and define RULE in it"
    )
