"""A class of data is only at sites that may hold it."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import TEMPLATES, holds_data, is_database, is_workload, label_places, pod_spec
from policies.reading import Node, mapping, text
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import DATA_CLASS_LABEL, JURISDICTION_LABEL, SITE_LABEL
from shopsphere.foundation.finding import Finding, Severity
from shopsphere.topology import HEADQUARTERS, Topology


def check(resource: Resource) -> Iterator[Finding]:
    """Find label sets that put a class of data where the residency map does not allow it."""
    for place, labels in label_places(resource):
        data_class, jurisdiction, site = (
            text(labels, label) for label in (DATA_CLASS_LABEL, JURISDICTION_LABEL, SITE_LABEL)
        )
        if not _are_known(topology_of(resource), data_class, jurisdiction, site):
            continue  # RES-001 refuses it, and says which label
        allowed = topology_of(resource).sites_allowed(data_class, jurisdiction)
        if site not in allowed:
            yield violation(
                f"{place}: class {data_class} of jurisdiction {jurisdiction} at site {site}",
                f"{data_class} of {jurisdiction} at {known(allowed) or 'no site'}",
            )
        home = topology_of(resource).jurisdiction_of(site)
        if jurisdiction != home:
            yield violation(f"{place}: jurisdiction {jurisdiction} at site {site}", f"jurisdiction {home} at {site}")
    for place, nodes in _node_selectors(resource):
        wanted = text(nodes, SITE_LABEL)
        if wanted and resource.site and wanted != resource.site:
            yield violation(
                f"{place}: nodes of {wanted} for a workload of {resource.site}", f"nodes of {resource.site}"
            )


def _node_selectors(resource: Resource) -> Iterator[tuple[str, Node]]:
    if is_workload(resource):
        path = ".".join((*TEMPLATES[resource.kind], "spec", "nodeSelector"))
        yield path, mapping(pod_spec(resource), "nodeSelector")
    if is_database(resource):
        yield "spec.affinity.nodeSelector", mapping(resource.props, "spec", "affinity", "nodeSelector")


def _are_known(model: Topology, data_class: str, jurisdiction: str, site: str) -> bool:
    is_jurisdiction = jurisdiction in model.jurisdictions or jurisdiction == HEADQUARTERS
    return data_class in model.data_classes and is_jurisdiction and site in model.sites


RULE = ResourceRule(
    id="RES-003",
    name="placement-in-jurisdiction",
    reason="Personal data, payment logs and fulfilment data stay at the two sites of their jurisdiction.",
    severity=Severity.CRITICAL,
    remediation="give it a data class that its site may hold, or deploy it in the stack of an allowed site "
    "(topology.yaml: data_classes, jurisdictions)",
    applies=holds_data,
    check=check,
)
