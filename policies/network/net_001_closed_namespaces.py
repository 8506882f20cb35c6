"""Each namespace is closed in both directions; ways in and out are opened one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.kinds import is_core
from policies.reading import mapping, text, texts
from policies.resource import Resource
from policies.rule import StackRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity

DIRECTIONS = {"Ingress", "Egress"}
Measured = tuple[str, bool]
"""A namespace, and whether this is the policy that closes it; False for the namespace itself."""


def is_network_policy(resource: Resource) -> bool:
    """Whether it is a NetworkPolicy."""
    return resource.group == "networking.k8s.io" and resource.kind == "NetworkPolicy"


def applies(resource: Resource) -> bool:
    """Return whether it is a namespace or a policy."""
    return is_core(resource, "Namespace") or is_network_policy(resource)


def measure(resource: Resource) -> Iterator[Measured]:
    """Yield each namespace, and each policy that closes one."""
    if is_core(resource, "Namespace"):
        yield text(resource.props, "metadata", "name"), False
        return
    spec = mapping(resource.props, "spec")
    selects_all = not mapping(spec, "podSelector")
    opens_nothing = not spec.get("ingress") and not spec.get("egress")
    if selects_all and opens_nothing and set(texts(spec, "policyTypes")) == DIRECTIONS:
        yield text(resource.props, "metadata", "namespace"), True


def judge(measured: Sequence[tuple[Resource, Measured]]) -> Iterator[Finding]:
    """Find namespaces without a policy that closes them."""
    closed = {namespace for _, (namespace, closes) in measured if closes}
    for resource, (namespace, closes) in measured:
        if not closes and namespace not in closed:
            yield violation(
                f"{resource.subject} without a policy that selects all of its pods and opens nothing",
                "one NetworkPolicy with podSelector {} and policyTypes Ingress and Egress per namespace",
            )


RULE = StackRule(
    id="NET-001",
    name="closed-namespaces",
    reason="Pods that no NetworkPolicy selects may send to anybody.",
    severity=Severity.CRITICAL,
    remediation="declare the namespace with components.data_centre, which closes it",
    applies=applies,
    measure=measure,
    judge=judge,
)
