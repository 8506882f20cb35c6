"""All stacks of an environment, and where a name or an address in one of them leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

from policies.fleet.flow import Flow, Kind, Store
from policies.fleet.stores import namespace_of, stores_of
from policies.kinds import is_core
from policies.network.net_001_closed_namespaces import is_network_policy
from policies.reading import Node, mapping, nodes, text, texts
from policies.residency.data_read import databases_in
from policies.resource import Resource
from shopsphere.estate.databases import DATABASES
from shopsphere.topology import Topology

Stacks = Mapping[str, Sequence[Resource]]
"""Resources of each stack by Pulumi's name of it."""
EXPOSED = frozenset({"NodePort", "LoadBalancer"})
"""Types of services that strangers reach."""
BY_PORT = {database.replication_port: database for database in DATABASES}


@dataclass
class Estate:
    """All stacks of an environment.

    Attributes:
        model: the environment's topology.
        stacks: resources of each stack.
        stores: each store of a site's stack, with what declares it.
    """

    model: Topology
    stacks: Stacks
    stores: dict[Store, Resource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for stack, resources in self.stacks.items():
            site = self.site_of(stack)
            if site:
                self.stores |= dict(stores_of(resources, site, self.model))

    def site_of(self, stack: str) -> str:
        """Return the site of a stack; empty for the edge."""
        site = stack.partition("-")[2]
        return site if site in self.model.sites else ""

    def stack_at(self, site: str) -> Sequence[Resource]:
        """Return the resources of a site's stack."""
        return next((found for stack, found in self.stacks.items() if self.site_of(stack) == site), ())

    def inside(self, site: str, namespace: str | None = None) -> list[Store]:
        """Return the stores at a site, or in one of its namespaces."""
        return [each for each in self.stores if each.site == site and namespace in (None, each.namespace)]

    def databases(self, site: str) -> list[Store]:
        """Return the databases at a site."""
        return [each for each in self.inside(site) if each.is_database]

    def database(self, name: str) -> Store | None:
        """Return the database whose cluster has a name, wherever it is."""
        return next((each for each in self.stores if each.is_database and each.name == name), None)

    def own(self, resource: Resource, site: str) -> list[Store]:
        """Return the stores that an object is of: itself, or all of its namespace."""
        itself = [store for store, declared in self.stores.items() if declared is resource]
        return itself or self.inside(site, namespace_of(resource))

    def read_by(self, parts: Mapping[str, object], site: str) -> list[Store]:
        """Return the databases that parts of a pod give its programs access to."""
        found = (self.database(each.cluster(site)) for each in databases_in(parts, self.model))
        return [each for each in found if each]

    def place(self, site: str) -> Store:
        """Return a site as the target of a flow."""
        return Store(name=site, site=site)

    def outside(self, name: str, permits: frozenset[str] = frozenset()) -> Store:
        """Return somebody who is at no site of ours, or nobody knows where."""
        return Store(name=name, permits=frozenset(self.model.cdn.carries) | permits)

    def archive(self, host: str) -> Store | None:
        """Return the archive at an address. It has no name: whoever answers for a name says where that leads."""
        for name, jurisdiction in self.model.jurisdictions.items():
            if jurisdiction.archive and host == str(jurisdiction.archive.address):
                return Store(name=f"archive of {name}", archive_of=name)
        return None

    def reached(self, host: str, port: int, site: str, namespace: str = "") -> list[Store]:
        """Return where a host and a port lead from a site: stores of the fleet, sites, or somebody outside.

        Args:
            host: name or address.
            port: 0 where it is not known.
            site: whose pods ask.
            namespace: of these pods, for short names.
        """
        if self._is_in_cluster(host):
            return self._service(host, port, site, namespace)
        if archive := self.archive(host):
            return [archive]
        if (sites := self._sites(host)) is None:
            return [self.outside(host)]
        return [store for each in sites for store in self._at(each, port)]

    def _at(self, site: str, port: int) -> list[Store]:
        database = BY_PORT.get(port)
        member = self.database(database.cluster(site)) if database else None
        if member:
            return [member]
        behind = [store for namespace in self._behind(site, port) for store in self.inside(site, namespace)]
        return behind or [self.place(site)]

    def _behind(self, site: str, port: int) -> Iterator[str]:
        """Yield the namespaces of services that answer at a port of a site's addresses."""
        for each in self._exposed(site):
            ports = nodes(each.props, "spec", "ports")
            if port and any(port in (entry.get("nodePort"), entry.get("port")) for entry in ports):
                yield namespace_of(each)

    def _exposed(self, site: str) -> list[Resource]:
        """Return the services of a site that can be reached from outside its cluster."""
        services = [each for each in self.stack_at(site) if is_core(each, "Service")]
        return [each for each in services if text(each.props, "spec", "type") in EXPOSED]

    def _is_in_cluster(self, host: str) -> bool:
        """Whether a cluster answers for a name.

        An address has colons, or begins with a digit however it is written. A name of two parts may be a public one,
        and counts as such.
        """
        if host in self.model.sites or ":" in host or not host[:1].isalpha():
            return False
        return "." not in host or host.endswith((".svc", ".svc.cluster.local"))

    def _service(self, host: str, port: int, site: str, namespace: str) -> list[Store]:
        """Return what a service of the cluster stands for: pods of its namespace, or a place elsewhere."""
        name, _, rest = host.partition(".")
        where = rest.partition(".")[0] or namespace
        for each in self.stack_at(site):
            leads = text(each.props, "metadata", "name") == name and namespace_of(each) == where
            if leads and each.is_kubernetes and each.kind in ("Service", "Endpoints", "EndpointSlice"):
                elsewhere = list(_elsewhere(each))
                if elsewhere:
                    return [store for address in elsewhere for store in self.reached(address, port, site, where)]
        return self.inside(site, where)

    def _sites(self, host: str) -> list[str] | None:
        """Return the sites that a public name or an address is of; None where it is of none of ours."""
        model = self.model
        if host in model.sites:
            return [host]
        try:
            return self._sites_at(ip_address(host))
        except ValueError:
            pass
        if host in (model.domain, model.shop_host, model.static_host):
            return []  # where customers find us: what a name leads to is judged where it is declared
        label = host.removesuffix(f".{model.domain}").rpartition(".")[2] if host.endswith(f".{model.domain}") else ""
        pairs = [*model.pairs[label].sites] if label in model.pairs else None
        return [label] if label in model.sites else pairs

    def _sites_at(self, address: IPv4Address | IPv6Address) -> list[str] | None:
        if address.is_loopback:
            return []
        for name, site in self.model.sites.items():
            is_own = address in (*site.addresses, site.faces_customers_at)
            if is_own or address in site.pod_network or address in site.service_network:
                return [name]
        return None

    def arrivals(self, flows: Sequence[Flow]) -> Iterator[Flow]:
        """Yield the ways from each site that something is sent to, to whatever listens to strangers there."""
        for flow in {flow.target: flow for flow in flows if flow.target == self.place(flow.target.site)}.values():
            site = flow.target.site
            for store in self.inside(site):
                if not store.is_database and self._is_open(site, store.namespace):  # a database's port says which one
                    yield Flow(flow.target, store, Kind.ARRIVAL, flow.resource, flow.place)

    def _is_open(self, site: str, namespace: str) -> bool:
        """Whether pods of a namespace can be reached from outside their cluster."""
        policies = [each for each in self.stack_at(site) if is_network_policy(each) and namespace_of(each) == namespace]
        closed = any("Ingress" in texts(each.props, "spec", "policyTypes") for each in policies)
        rules = [rule for each in policies for rule in nodes(each.props, "spec", "ingress")]
        opened = any(not nodes(rule, "from") or _names_networks(rule) for rule in rules)
        exposed = namespace in {namespace_of(each) for each in self._exposed(site)}
        return exposed and (opened or not closed)


def _names_networks(rule: Node) -> bool:
    return any("ipBlock" in peer for peer in nodes(rule, "from"))


def _elsewhere(service: Resource) -> Iterator[str]:
    """Yield the names and addresses outside the cluster that a service, or a list of endpoints, leads to."""
    spec = mapping(service.props, "spec")
    if name := text(spec, "externalName"):
        yield name.lower().rstrip(".")
    yield from texts(spec, "externalIPs")
    for subset in nodes(service.props, "subsets"):
        yield from (text(each, "ip") for each in nodes(subset, "addresses"))
    for endpoint in nodes(service.props, "endpoints"):
        yield from texts(endpoint, "addresses")
