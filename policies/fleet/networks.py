"""Flows that NetworkPolicies open: to other namespaces, other sites and the outside."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from policies.fleet.estate import Estate
from policies.fleet.flow import Flow, Kind, Store
from policies.fleet.programs import payment_provider
from policies.fleet.stores import namespace_of
from policies.network.destinations import OWN_SERVICES, Destinations, Network
from policies.network.net_001_closed_namespaces import is_network_policy
from policies.reading import MalformedError, Node, mapping, nodes, text, whole_number
from policies.resource import Resource
from shopsphere.estate.event_log_site import SITE_WITH_BROKER
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.estate.site_declaration import REGIONAL_SITE

NAMESPACE_NAME = "kubernetes.io/metadata.name"
DECLARED_CALLS = frozenset(
    (workload.namespace.name, namespace.name)
    for workload in (*REGIONAL_SITE.workloads, *SITE_WITH_BROKER.workloads)
    for namespace in (
        *(called.namespace for called in workload.calls),
        *(database.namespace for database in workload.databases),
    )
)
"""Who asks whom by the table of workloads: such a request holds nothing that its receiver does not hold anyway."""


def flows(estate: Estate, resource: Resource, site: str) -> Iterator[Flow]:
    """Yield each way that a NetworkPolicy opens outwards."""
    if not is_network_policy(resource):
        return
    own = estate.inside(site, namespace_of(resource))
    for at, rule in enumerate(nodes(resource.props, "spec", "egress")):
        place = f"spec.egress[{at}]"
        peers = nodes(rule, "to")
        ports = [whole_number(each, "port", default=0) for each in nodes(rule, "ports") if not _is_named(each)]
        if not peers:
            anywhere = estate.outside("anywhere")
            yield from (Flow(each, anywhere, Kind.EGRESS, resource, place) for each in own)
        for peer in peers:
            if "ipBlock" in peer:
                cidr = text(peer, "ipBlock", "cidr")
                for target in _targets(estate, resource, site, cidr, ports or [0]):
                    yield from (Flow(each, target, Kind.EGRESS, resource, place) for each in own if each != target)
            elif "namespaceSelector" in peer:
                yield from _between(estate, resource, site, peer, place)


def _is_named(port: Node) -> bool:
    return isinstance(port.get("port"), str)


def _targets(estate: Estate, resource: Resource, site: str, cidr: str, ports: list[int]) -> Iterator[Store]:
    """Yield where a network is: at a site of ours, or outside."""
    try:
        network = ip_network(cidr)
    except ValueError as error:
        raise MalformedError("ipBlock.cidr", "a network, as in 10.99.0.12/32", cidr) from error
    model = estate.model
    destinations = Destinations.of(model, site)
    policy, data_class = text(resource.props, "metadata", "name"), text(resource.labels, DATA_CLASS_LABEL)
    if not destinations.holds(network) and destinations.may_be_configured(policy, network, data_class):
        if policy not in OWN_SERVICES:
            yield payment_provider(estate)
        return
    if network.num_addresses == 1 and (archive := estate.archive(str(network.network_address))):
        yield archive
        return
    homes = [name for name in model.sites if _has_all(estate, name, network)]
    if not homes:
        elsewhere = destinations.touched(network)
        yield estate.outside(f"{cidr}, where {elsewhere} is" if elsewhere else cidr)
    for home in homes:
        if home != site:
            host = str(network.network_address)
            yield from (found for port in ports for found in estate.reached(host, port, site))


def _has_all(estate: Estate, site: str, network: Network) -> bool:
    """Whether all addresses of a network are a site's."""
    own = estate.model.site(site)
    hosts = (*own.addresses, own.faces_customers_at)
    places = (*map(ip_network, hosts), own.pod_network, own.service_network)
    return any(network.version == each.version and network.subnet_of(each) for each in places)  # type: ignore[arg-type]


def _between(estate: Estate, resource: Resource, site: str, peer: Node, place: str) -> Iterator[Flow]:
    """Yield the ways between namespaces of a site: whoever asks receives, and may send as well."""
    own = namespace_of(resource)
    selector = mapping(peer, "namespaceSelector")
    named = text(mapping(selector, "matchLabels"), NAMESPACE_NAME)
    called = estate.inside(site, named) if named else estate.inside(site)
    for asking in estate.inside(site, own):
        for asked in called:
            if asked.namespace == own:
                continue
            yield Flow(asked, asking, Kind.READ, resource, place)
            carries = asked.classes if (own, asked.namespace) in DECLARED_CALLS else None
            yield Flow(asking, asked, Kind.CALL, resource, place, carries)
