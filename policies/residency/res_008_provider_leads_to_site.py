"""The provider of a site's cluster really leads to that site: its kubeconfig is read."""

from __future__ import annotations

from collections.abc import Iterator

from policies.reading import Node, text
from policies.residency.kubeconfig import KubeconfigError, way
from policies.residency.res_004_provider_matches_site import COMPONENT_GROUPS
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity, Verdict
from shopsphere.topology import Topology

PROVIDER = "pulumi:providers:kubernetes"


def applies(resource: Resource) -> bool:
    """Return whether it is the provider, or an object that one has to create."""
    return resource.token == PROVIDER or (resource.is_kubernetes and resource.group not in COMPONENT_GROUPS)


def check(resource: Resource) -> Iterator[Finding]:
    """Compare the server that the provider's kubeconfig names with the site that the provider says it is of."""
    provider = resource.props if resource.token == PROVIDER else resource.provider
    if provider is None:
        yield violation("no provider, so nobody knows where it leads", "the provider of the stack's own site")
        return
    site = text(provider, "clusterIdentifier")
    if site not in topology_of(resource).sites:
        if resource.token == PROVIDER:
            yield violation(f"clusterIdentifier: {site or 'missing'}", "the name of the stack's own site")
        return  # RES-004 refuses each object of it
    if text(provider, "renderYamlToDirectory"):
        return  # it writes files here and reaches no cluster
    yield from _judged(provider, site, topology_of(resource))


def _judged(provider: Node, site: str, model: Topology) -> Iterator[Finding]:
    allowed = f"https to {model.site(site).address}, or to a name that ends with {site}.{model.domain}"
    kubeconfig = text(provider, "kubeconfig")
    if not kubeconfig:
        yield violation("no kubeconfig, so the one of whoever runs it", allowed)
        return
    try:
        found = way(kubeconfig, text(provider, "context"))
    except KubeconfigError as error:
        yield Finding(verdict=Verdict.UNKNOWN, found=f"kubeconfig: {error}", allowed=allowed)
        return
    own_name = f"{site}.{model.domain}"
    is_there = found.host in {str(model.site(site).address), own_name} or found.host.endswith(f".{own_name}")
    if found.scheme != "https" or not is_there:
        yield violation(f"clusterIdentifier {site} with a server at {found.scheme}://{found.host}", allowed)
    if found.detour:
        yield violation(f"kubeconfig with {found.detour}, so that another may answer for the server", allowed)


RULE = ResourceRule(
    id="RES-008",
    name="provider-leads-to-site",
    reason="A provider that says frankfurt and holds Ashburn's kubeconfig writes European data into America.",
    severity=Severity.CRITICAL,
    remediation="set shopsphere:kubeconfig and shopsphere:context to the cluster of the stack's own site, and the "
    "site's address in topology.yaml or topology.<environment>.yaml",
    applies=applies,
    check=check,
)
