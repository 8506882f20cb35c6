"""Only racks that a site has are used."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import is_core, is_database, is_workload, pod_spec
from policies.limits.pod_power import rack_labels
from policies.reading import mapping, nodes, text
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import RACK_LABEL
from shopsphere.foundation.finding import Finding, Severity

SELECTOR = ("nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")


def applies(resource: Resource) -> bool:
    """Return whether it can name a rack."""
    return is_workload(resource) or is_database(resource) or is_core(resource, "PersistentVolume", "Node")


def check(resource: Resource) -> Iterator[Finding]:
    """Find names of racks that the site does not have."""
    if resource.site not in topology_of(resource).sites:
        if resource.kind == "Node":
            yield violation("no label of a known site", "the label shopsphere.io/site")
        return  # RES-001 reports a missing label on any other kind
    count = min(topology_of(resource).site(resource.site).racks, topology_of(resource).limits.racks_per_site)
    racks = {f"r{number}" for number in range(1, count + 1)}
    for place, rack in _named_racks(resource):
        if rack not in racks:
            yield violation(f"{place}: rack {rack or 'missing'}", f"r1 to r{count}, the racks of {resource.site}")


def _named_racks(resource: Resource) -> Iterator[tuple[str, str]]:
    if resource.kind == "Node":
        yield "metadata.labels", text(resource.labels, RACK_LABEL)
        return
    if resource.kind == "PersistentVolume":
        terms = nodes(resource.props, "spec", "nodeAffinity", "required", "nodeSelectorTerms")
    else:
        spec = mapping(resource.props, "spec", "affinity") if is_database(resource) else pod_spec(resource)
        if RACK_LABEL in mapping(spec, "nodeSelector"):
            yield "nodeSelector", text(spec, "nodeSelector", RACK_LABEL)
        terms = nodes(spec, *(SELECTOR if is_database(resource) else ("affinity", *SELECTOR)))
    for operator, values in rack_labels(terms, RACK_LABEL):
        if operator == "In":
            yield from (("nodeAffinity", value) for value in values)


RULE = ResourceRule(
    id="LIM-001",
    name="racks-of-the-site",
    reason="A site has a fixed number of racks (8 per regional data centre): there is no ninth to grow into.",
    severity=Severity.MEDIUM,
    remediation="choose a rack of the site, or leave the choice to the scheduler",
    applies=applies,
    check=check,
)
