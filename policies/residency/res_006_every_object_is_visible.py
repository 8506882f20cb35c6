"""Nothing is deployed in a form that the other rules cannot look into."""

from __future__ import annotations

from collections.abc import Iterator

from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity


def applies(resource: Resource) -> bool:
    """Return whether it is of Kubernetes at all."""
    return resource.is_kubernetes


def check(resource: Resource) -> Iterator[Finding]:
    """Find lists, patches and releases: they hide the objects that they create or change."""
    last = resource.token.rpartition(":")[2]
    if last.endswith("List"):
        yield violation(f"a list of objects, {last}", "one resource per object")
    if last.endswith("Patch"):
        yield violation(f"a patch of an object that this stack does not own, {last}", "the whole object")
    if resource.group == "helm.sh" and last == "Release":
        yield violation("a Helm release, whose objects only the cluster sees", "objects of their own, or a Helm Chart")


RULE = ResourceRule(
    id="RES-006",
    name="every-object-is-visible",
    reason="A rule that cannot see an object approves it.",
    severity=Severity.HIGH,
    remediation="declare each object as a resource of its own",
    applies=applies,
    check=check,
)
