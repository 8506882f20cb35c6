"""Every pod asks for the power it draws, and no workload for more than its site has."""

from __future__ import annotations

from collections.abc import Iterator

from policies.limits.pod_power import copies, drawn_watts, pod_demand, requests_power
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import WATTS_RESOURCE
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.topology.power import rack_budget, site_budget


def check(resource: Resource) -> Iterator[Finding]:
    """Compare the watts that pods ask for with what they draw, with a rack and with the site."""
    if resource.site not in topology_of(resource).sites:
        return  # RES-001 asks for the label
    site = topology_of(resource).site(resource.site)
    demand, pods = pod_demand(resource), copies(resource)
    least = max(1, drawn_watts(resource, demand))
    if demand.watts != int(demand.watts) or demand.watts < least:
        yield violation(
            f"{demand.watts} W requested per pod as {WATTS_RESOURCE}, with {demand.cpu} cores and {demand.memory} GiB",
            f"at least {least} W, whole (shopsphere.topology.power.pod_watts)",
        )
    rack, budget = rack_budget(site, topology_of(resource)), site_budget(site, topology_of(resource))
    if demand.watts > rack:
        yield violation(f"one pod of {demand.watts} W", f"{rack} W, what a rack of {site.name} has for pods")
    if demand.watts * pods > budget:
        yield violation(
            f"{pods} pods of {demand.watts} W: {demand.watts * pods} W",
            f"{budget} W, what {site.name} has for pods within {site.kilowatts:g} kW",
        )


RULE = ResourceRule(
    id="LIM-002",
    name="workload-power",
    reason="Power is a fixed budget (150 kW per regional data centre), and a pod that asks for none escapes it.",
    severity=Severity.HIGH,
    remediation="request shopsphere.io/watts as shopsphere.topology.power.pod_watts counts them, for fewer or smaller "
    "pods",
    applies=requests_power,
    check=check,
)
