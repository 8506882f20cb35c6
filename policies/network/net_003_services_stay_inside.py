"""A name inside the cluster leads to pods of the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from policies.kinds import is_core, is_database
from policies.reading import MalformedError, Node, mapping, nodes, text, texts
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.foundation.finding import Finding, Severity

TYPES = ("", "ClusterIP", "NodePort", "LoadBalancer")
OPEN, OPEN_CLASS = "LoadBalancer", "public"
"""Customers come in by a load balancer, and find public data behind it."""
OUTSIDE_FIELDS = ("externalName", "externalIPs", "loadBalancerIP")
"""Fields that give a service an address which is no pod's."""


def is_slice(resource: Resource) -> bool:
    """Whether it lists the addresses behind a service itself."""
    return resource.group == "discovery.k8s.io" or is_core(resource, "Endpoints")


def applies(resource: Resource) -> bool:
    """Return whether it is a service, makes one, or lists addresses behind one."""
    return is_core(resource, "Service") or is_slice(resource) or is_database(resource)


def check(resource: Resource) -> Iterator[Finding]:
    """Find names that lead out of the cluster."""
    if is_slice(resource):
        yield from _slice(resource)
    elif is_database(resource):
        managed = nodes(resource.props, "spec", "managed", "services", "additional")
        for at, service in enumerate(managed):
            path = f"spec.managed.services.additional[{at}].serviceTemplate.spec"
            yield from _service(path, mapping(service, "serviceTemplate", "spec"), "")
    else:
        spec = mapping(resource.props, "spec")
        yield from _service("spec", spec, text(resource.labels, DATA_CLASS_LABEL))
        if not mapping(spec, "selector"):
            yield violation(
                "spec without a selector, so whoever writes its endpoints says where it leads", "a selector"
            )


def _service(path: str, spec: Node, data_class: str) -> Iterator[Finding]:
    kind = text(spec, "type")
    if kind not in TYPES:
        yield violation(f"{path}.type: {kind}", "ClusterIP, NodePort or LoadBalancer")
    if kind == OPEN and data_class != OPEN_CLASS:
        yield violation(f"{path}.type: {kind} to data of class {data_class or 'unknown'}", f"only to {OPEN_CLASS} data")
    for field in OUTSIDE_FIELDS:
        if field in spec:
            yield violation(f"{path}.{field}: a name of the cluster for an address outside", "pods, by a selector")


def _slice(resource: Resource) -> Iterator[Finding]:
    site = resource.site or resource.provider_site
    model = topology_of(resource)
    if site not in model.sites:
        yield violation("no label of a known site", "the label shopsphere.io/site")
        return
    pods = model.site(site).pod_network
    for address in _addresses(resource):
        try:
            is_pod = ip_address(address) in pods
        except ValueError as error:
            raise MalformedError("addresses", "addresses of pods", address) from error
        if not is_pod:
            yield violation(f"address {address}", f"pods of {site}, {pods}")


def _addresses(resource: Resource) -> Iterator[str]:
    for subset in nodes(resource.props, "subsets"):
        for key in ("addresses", "notReadyAddresses"):
            yield from (text(each, "ip") for each in nodes(subset, key))
    for endpoint in nodes(resource.props, "endpoints"):
        yield from texts(endpoint, "addresses")


RULE = ResourceRule(
    id="NET-003",
    name="services-stay-inside",
    reason="A service that leads outside makes an address elsewhere look like a neighbour to every other rule.",
    severity=Severity.CRITICAL,
    remediation="let a service select pods of its own namespace; name what is outside in the configuration, where "
    "it is judged",
    applies=applies,
    check=check,
)
