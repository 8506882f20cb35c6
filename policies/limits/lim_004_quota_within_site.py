"""Quotas divide the site's power: each namespace has one, and together they grant no more than there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from policies.kinds import is_core
from policies.reading import mapping, quantity, text
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import StackRule
from policies.verdict import violation
from shopsphere.estate.placement import WATTS_RESOURCE
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.topology.power import site_budget

QUOTA_KEY = f"requests.{WATTS_RESOURCE}"
Measured = tuple[str, str, int | None]
"""Site, namespace, and the watts of a quota (W); None for the namespace itself."""


def applies(resource: Resource) -> bool:
    """Return whether it is a namespace or a quota."""
    return is_core(resource, "Namespace", "ResourceQuota")


def measure(resource: Resource) -> Iterator[Measured]:
    """Yield each namespace, and each quota of watts."""
    site = resource.site or resource.provider_site
    if resource.kind == "Namespace":
        yield site, text(resource.props, "metadata", "name"), None
        return
    hard = mapping(resource.props, "spec", "hard")
    if QUOTA_KEY in hard:
        yield (
            site,
            text(resource.props, "metadata", "namespace"),
            int(quantity(hard[QUOTA_KEY], f"spec.hard[{QUOTA_KEY!r}]")),
        )


def judge(measured: Sequence[tuple[Resource, Measured]]) -> Iterator[Finding]:
    """Find namespaces without a quota, and sites whose quotas exceed them."""
    granted: Counter[str] = Counter()
    limited = {(site, namespace) for _, (site, namespace, watts) in measured if watts is not None}
    for resource, (site, namespace, watts) in measured:
        if watts is not None:
            granted[site] += watts
        elif (site, namespace) not in limited:
            yield violation(f"{resource.subject} without a quota of {QUOTA_KEY}", "one quota of watts per namespace")
    for name, watts in granted.items():
        model = topology_of(measured[0][0])  # one stack, so one environment
        if name not in model.sites:
            yield violation(f"{watts} W of quotas at {name or 'no site'}", "quotas with the label of their site")
            continue
        budget = site_budget(model.site(name), model)
        if watts > budget:
            yield violation(f"quotas of {watts} W at {name}", f"{budget} W, what {name} has for pods")


RULE = StackRule(
    id="LIM-004",
    name="quota-within-site",
    reason="The cluster enforces quotas, not the site's limit: their sum must not exceed it.",
    severity=Severity.HIGH,
    remediation="derive quotas from shopsphere.topology.power.site_budget (components.data_centre does)",
    applies=applies,
    measure=measure,
    judge=judge,
)
