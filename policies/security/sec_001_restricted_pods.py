"""Namespaces take restricted pods alone."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import is_core
from policies.reading import text
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity

ENFORCE = "pod-security.kubernetes.io/enforce"


def applies(resource: Resource) -> bool:
    """Return whether it is a namespace."""
    return is_core(resource, "Namespace")


def check(resource: Resource) -> Iterator[Finding]:
    """Find a namespace that takes pods which may leave their network or read the node."""
    level = text(resource.labels, ENFORCE)
    if level != "restricted":
        yield violation(f"metadata.labels: {ENFORCE}: {level or 'missing'}", "restricted")


RULE = ResourceRule(
    id="SEC-001",
    name="restricted-pods",
    reason="A pod that is root, or on the node's network, is subject to no NetworkPolicy; operators make pods too.",
    severity=Severity.HIGH,
    remediation="declare the namespace with components.data_centre, which sets the labels",
    applies=applies,
    check=check,
)
