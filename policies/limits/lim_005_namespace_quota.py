"""No quota grants more power than its site has."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import is_core
from policies.limits.lim_004_quota_within_site import QUOTA_KEY
from policies.reading import mapping, quantity
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.topology.power import site_budget


def applies(resource: Resource) -> bool:
    """Return whether it is a quota."""
    return is_core(resource, "ResourceQuota")


def check(resource: Resource) -> Iterator[Finding]:
    """Compare a quota of watts with the site's."""
    hard = mapping(resource.props, "spec", "hard")
    if QUOTA_KEY not in hard:
        return  # a quota of something else
    name = resource.site or resource.provider_site
    if name not in topology_of(resource).sites:
        yield violation(f"site {name or 'missing'}", f"the label of one of {known(topology_of(resource).sites)}")
        return
    budget = site_budget(topology_of(resource).site(name), topology_of(resource))
    if quantity(hard[QUOTA_KEY], f"spec.hard[{QUOTA_KEY!r}]") > budget:
        yield violation(f"{QUOTA_KEY}: {hard[QUOTA_KEY]}", f"{budget} W, what {name} has for pods")


RULE = ResourceRule(
    id="LIM-005",
    name="namespace-quota",
    reason="A quota above the site's power refuses nothing; this is judged before it is created.",
    severity=Severity.HIGH,
    remediation="derive the quota from shopsphere.topology.power.site_budget (components.data_centre does)",
    applies=applies,
    check=check,
)
