"""NetworkPolicies open ways inside the site and to its peer, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from policies.network.destinations import BACKED_UP, PAYMENT_PROVIDER, TO_ARCHIVE, Destinations
from policies.network.net_001_closed_namespaces import is_network_policy
from policies.reading import MalformedError, Node, mapping, nodes, text
from policies.residency_map import known, topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.foundation.finding import Finding, Severity

PUBLIC = "public"
IN_CLUSTER = ("namespaceSelector", "podSelector")


def check(resource: Resource) -> Iterator[Finding]:
    """Find ways that lead elsewhere or anywhere, and ways in for strangers to more than public data."""
    model = topology_of(resource)
    site = resource.site or resource.provider_site
    if site not in model.sites:
        yield violation("no label of a known site", "the label shopsphere.io/site")
        return
    destinations, data_class = Destinations.of(model, site), text(resource.labels, DATA_CLASS_LABEL)
    spec = mapping(resource.props, "spec")
    for at, rule in enumerate(nodes(spec, "egress")):
        yield from _way(resource, f"spec.egress[{at}]", rule, "to", destinations)
    for at, rule in enumerate(nodes(spec, "ingress")):
        if not nodes(rule, "from") and data_class == PUBLIC:
            continue  # customers come from anywhere, and find public data
        yield from _way(resource, f"spec.ingress[{at}]", rule, "from", destinations)


def _way(resource: Resource, place: str, rule: Node, key: str, destinations: Destinations) -> Iterator[Finding]:
    peers = nodes(rule, key)
    if not peers:
        yield violation(
            f"{place} without `{key}`: anybody", f"peers inside {destinations.site}: {destinations.described}"
        )
    for at, peer in enumerate(peers):
        path = f"{place}.{key}[{at}]"
        if "ipBlock" in peer:
            cidr = text(peer, "ipBlock", "cidr")
            yield from _block(resource, f"{path}.ipBlock.cidr", cidr, destinations, is_egress=key == "to")
        elif not any(name in peer for name in IN_CLUSTER):
            yield violation(f"{path} names nobody: anybody", destinations.described)


def _block(
    resource: Resource, path: str, cidr: str, destinations: Destinations, *, is_egress: bool
) -> Iterator[Finding]:
    try:
        network = ip_network(cidr)
    except ValueError as error:
        raise MalformedError(path, "a network, as in 10.99.0.12/32", cidr) from error
    policy, data_class = text(resource.props, "metadata", "name"), text(resource.labels, DATA_CLASS_LABEL)
    if destinations.holds(network) or destinations.may_be_configured(policy, network, data_class):
        return
    if is_egress and destinations.is_archive(policy, network, data_class):
        return  # an archive is written to and read from; it never calls
    elsewhere = destinations.touched(network)
    found = f"{path}: {cidr}" + (f", where {elsewhere} is" if elsewhere else "")
    yield violation(
        found,
        f"{destinations.described}; the payment provider from a namespace of class payment, by a policy named "
        f"{PAYMENT_PROVIDER}; the archive {destinations.archive} from {known(BACKED_UP)}, by {TO_ARCHIVE}",
    )


RULE = ResourceRule(
    id="NET-002",
    name="network-inside-jurisdiction",
    reason="An open way out is all that a program needs to send data to another jurisdiction.",
    severity=Severity.CRITICAL,
    remediation="declare what a workload reaches in shopsphere/estate/workloads.py: `calls`, `databases`, `endpoints`",
    applies=is_network_policy,
    check=check,
)
