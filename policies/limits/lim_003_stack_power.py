"""All workloads of a site together draw no more than the site has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from policies.limits.pod_power import autoscaled, copies, is_autoscaler, pod_demand, requests_power
from policies.reading import text
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import StackRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.topology.power import site_budget


def applies(resource: Resource) -> bool:
    """Return whether it runs pods, or decides how many run."""
    return requests_power(resource) or is_autoscaler(resource)


def measure(resource: Resource) -> Iterator[dict[str, Any]]:
    """Yield a workload's watts per pod and pods, or an autoscaler's target and most pods."""
    namespace = text(resource.props, "metadata", "namespace")
    if is_autoscaler(resource):
        yield autoscaled(resource)
    elif resource.site in topology_of(resource).sites:
        workload = (namespace, text(resource.props, "metadata", "name"))
        watts = int(pod_demand(resource).watts)
        yield {"workload": workload, "site": resource.site, "watts": watts, "pods": copies(resource)}


def judge(measured: Sequence[tuple[Resource, dict[str, Any]]]) -> Iterator[Finding]:
    """Sum the watts per site, autoscaled workloads at their most."""
    most = {value["target"]: value["most"] for _, value in measured if "target" in value}
    totals: Counter[str] = Counter()
    for _, value in measured:
        if "workload" in value:
            totals[value["site"]] += value["watts"] * max(value["pods"], most.get(value["workload"], 0))
    for name, watts in totals.items():
        model = topology_of(measured[0][0])  # one stack, so one environment
        site = model.site(name)
        budget = site_budget(site, model)
        if watts > budget:
            yield violation(
                f"{watts} W requested by all pods of {name}, autoscaled ones at their most",
                f"{budget} W, what {name} has for pods within {site.kilowatts:g} kW",
            )


RULE = StackRule(
    id="LIM-003",
    name="stack-power",
    reason="Workloads that each fit can exceed their site together.",
    severity=Severity.HIGH,
    remediation="lower replicas or requests in the stack's configuration until the sum fits",
    applies=applies,
    measure=measure,
    judge=judge,
)
