"""A stack writes to the cluster of its own site and to no other."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import label_places
from policies.reading import text
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import SITE_LABEL
from shopsphere.foundation.finding import Finding, Severity

COMPONENT_GROUPS = ("yaml", "kustomize", "helm.sh")
"""Groups whose resources are made of others, which are judged themselves, or are refused by RES-006."""


def applies(resource: Resource) -> bool:
    """Return whether it is an object of a cluster."""
    return resource.is_kubernetes and resource.group not in COMPONENT_GROUPS


def check(resource: Resource) -> Iterator[Finding]:
    """Compare the provider's cluster, the stack's name and the resource's label."""
    sites = topology_of(resource).sites
    cluster = resource.provider_site
    if cluster not in sites:
        yield violation(
            f"provider {resource.provider_name or 'by default'!r} with cluster_identifier {cluster or 'missing'!r}",
            f"an explicit provider whose cluster_identifier is one of {known(sites)}",
        )
        return
    named = [site for site in sites if resource.stack == site or resource.stack.endswith(f"-{site}")]
    if named and cluster not in named:
        yield violation(f"the cluster of {cluster} from stack {resource.stack}", f"the cluster of {known(named)}")
    for place, labels in label_places(resource):
        site = text(labels, SITE_LABEL)
        if site and site != cluster:
            yield violation(f"{place}: the label of site {site} in the cluster of {cluster}", f"the label of {cluster}")


RULE = ResourceRule(
    id="RES-004",
    name="provider-matches-site",
    reason="Labels prove nothing when the object is written into another site's cluster.",
    severity=Severity.CRITICAL,
    remediation="pass the provider of the stack's own site, with cluster_identifier set to that site's name",
    applies=applies,
    check=check,
)
