"""Who belongs at which port of a host, as far as topology and tables of ports say it.

A site's list is the same for all its nodes. Ports that a Service names are not the host's: kube-proxy rewrites their
packets before the host's own ports are asked for, and NetworkPolicy judges them. They are listed for the moments in
which a Service has no pod: whoever belongs there is not noted as refused then. Every other port is closed to other
hosts and to pods, also where a program listens on all addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses
from typing import Literal

from shopsphere.estate.access import HostPortsAccess
from shopsphere.estate.cdn_origin import ORIGIN_PORT
from shopsphere.estate.databases import REPLICATION_PORTS
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.site_config import API_SERVER_PORT
from shopsphere.estate.witness_seats import ports, seats
from shopsphere.topology import ARCHIVE_PORT, Jurisdiction, Pair, Site, Topology

KUBELET_PORT = 10250
DNS_PORT = 53
HTTP_PORT, HTTPS_PORT = 80, 443
SSH_PORT = 22

Protocol = Literal["tcp", "udp"]
Networks = tuple[IPv4Network, ...]


@dataclass(frozen=True)
class Opening:
    """Ports that are open for some.

    Attributes:
        why: who comes, for people.
        ports: which.
        sources: networks that may come; None for everybody.
        at: the host's addresses at which they are open; empty for all.
        protocol: of the ports.
        tracked: whether the kernel keeps a record of each connection. Without one a flood from invented sources has no
            table to fill, so that it shuts nothing else off; it needs `at`, since answers are known by their source.
    """

    why: str
    ports: tuple[int, ...]
    sources: Networks | None
    at: tuple[IPv4Address, ...] = ()
    protocol: Protocol = "tcp"
    tracked: bool = True


@dataclass(frozen=True)
class SitePorts:
    """Ports of a site's hosts that its stack may name.

    Attributes:
        api_server: of its Kubernetes API.
        agent: of each host's agent.
    """

    api_server: int = API_SERVER_PORT
    agent: int = SITE_AGENT_PORT


def site_ports(site: Site, named: HostPortsAccess) -> SitePorts:
    """Return the ports of a site's hosts; the port of what its stack names at another address is not theirs."""
    own = (None, *site.addresses)
    return SitePorts(
        named.api_server_port if named.api_server in own else API_SERVER_PORT,
        named.site_agent_port if named.site_agent in own else SITE_AGENT_PORT,
    )


def site_openings(site: Site, topology: Topology, named: SitePorts | None = None) -> list[Opening]:
    """Return what is open at each host of a site, its voters included; `named` are ports that its stack names."""
    its = named or SitePorts()
    own = _hosts(site.addresses)
    pods = _joined((*own, site.pod_network))
    found = [
        Opening("nodes and pods ask the API server", (its.api_server,), pods),
        Opening("gateways ask the agent's door, the API server for what the host enforces", (its.agent,), pods),
        Opening("the API server asks the kubelets", (KUBELET_PORT,), own),
        *voter_openings(site, topology),
    ]
    pair = topology.pair_of(site.name)
    if pair:
        peer = _hosts(topology.site(pair.other_than(site.name)).addresses)
        found += [
            Opening("customers", (HTTP_PORT, HTTPS_PORT), None),
            Opening("the CDN, which shows a certificate", (ORIGIN_PORT,), None),
            Opening("databases of the pair's other site", REPLICATION_PORTS, peer),
        ]
    return found


def voter_openings(site: Site, topology: Topology) -> list[Opening]:
    """Return what is open for the voters that sit at a site."""
    pairs = [each for each in topology.pairs.values() if site.name in seats(each, topology)]
    return [opening for pair in pairs for opening in _voter(pair, site, topology)]


def _voter(pair: Pair, site: Site, topology: Topology) -> Iterable[Opening]:
    clients, peers = ports(pair, topology)
    agents = _hosts(address for each in pair.sites for address in topology.site(each).addresses)
    yield Opening(f"agents of {pair.name}", (clients,), agents)
    others = _hosts(topology.site(each).address for each in seats(pair, topology) if each != site.name)
    if others:
        yield Opening(f"the other voters of {pair.name}", (peers,), others)


def operators_ports(site: Site, topology: Topology, named: SitePorts | None = None) -> tuple[int, ...]:
    """Return what operators ask at each host of a site: API server, agent, voters."""
    pairs = [each for each in topology.pairs.values() if site.name in seats(each, topology)]
    its = named or SitePorts()
    return (its.api_server, its.agent, *(ports(pair, topology)[0] for pair in pairs))


def dns_openings(at: Iterable[IPv4Address]) -> list[Opening]:
    """Return what is open at name servers' addresses: questions from everywhere."""
    places = tuple(sorted({*at}))
    if not places:
        return []
    return [
        Opening("questions for names", (DNS_PORT,), None, places, "udp", tracked=False),
        Opening("long answers for names", (DNS_PORT,), None, places, tracked=False),
    ]


def cdn_openings(at: Iterable[IPv4Address]) -> list[Opening]:
    """Return what is open at a CDN's addresses."""
    places = tuple(sorted({*at}))
    web = (HTTP_PORT, HTTPS_PORT)
    return [Opening("customers of the CDN", web, None, places, tracked=False)] if places else []


def archive_openings(jurisdiction: Jurisdiction, topology: Topology) -> list[Opening]:
    """Return what is open at an archive: the sites of its jurisdiction write and read their backups."""
    sites = (topology.site(each) for each in jurisdiction.sites)
    sources = _hosts(address for site in sites for address in site.addresses)
    return [Opening(f"databases of {jurisdiction.name}", (ARCHIVE_PORT,), sources)]


def provider_openings(port: int, topology: Topology) -> list[Opening]:
    """Return what is open at a stand-in for the payment provider, which the sites of all pairs ask."""
    sites = (topology.site(each) for pair in topology.pairs.values() for each in pair.sites)
    return [Opening("payments of all pairs", (port,), _hosts(address for site in sites for address in site.addresses))]


def _hosts(addresses: Iterable[IPv4Address]) -> Networks:
    return _joined(IPv4Network(each) for each in addresses)


def _joined(networks: Iterable[IPv4Network]) -> Networks:
    """Join neighbours, as the kernel does: what it lists has to be what was declared."""
    return tuple(collapse_addresses(networks))
