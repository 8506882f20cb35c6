"""Asks rules about resources of a plan, an exported state or a live cluster, without an engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policies.resource import Resource
from policies.rule import Rule
from shopsphere.foundation.finding import Finding


def judge(rules: Iterable[Rule], resources: Sequence[Resource]) -> list[Finding]:
    """Return all that is wrong with the resources of one stack, rule by rule; nothing is wrong when it is empty.

    Args:
        rules: usually `policies.registry.discover()`.
        resources: all of one stack, because some rules add up.
    """
    return [finding for rule in rules for _, finding in rule.judged(resources)]
