"""The lab's hosts: every site, archive and customer that the topology has, and what lab/hosts.yaml adds."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.yaml_text import read_yaml_file
from shopsphere.topology import Archive, FurtherNode, Jurisdiction, Topology

HOSTS_FILE = Path(__file__).with_name("hosts.yaml")
CLIENT_NUMBER = 10
"""Number of the customers' address within the first client network of their jurisdiction."""
LAST_MILE_MS = 12.0
"""Round trip between customers and the primary site of their region (ms)."""
ARCHIVE_MS = 2.0
"""Round trip between an archive and the primary site of its region (ms): another building of the same city."""
NODE_MS = 0.2
"""Round trip between two nodes of a site (ms): two racks of one room."""
PSP_PORT = 8070
"""Where the stand-in for the payment provider answers."""
WORKSTATION = "workstation"
"""The machine itself, among the hosts of the network: commands of operators come from it."""


class UnknownHostError(ShopSphereError):
    """A name that is no host of the lab."""


class HostAddressError(ShopSphereError):
    """The addresses of the lab's hosts do not fit together."""


class HostKind(StrEnum):
    """What a host is for, and so which programs run on it."""

    SITE = "site"
    NODE = "node"
    EDGE = "edge"
    PSP = "psp"
    ARCHIVE = "archive"
    OBSERVER = "observer"


def _mac(address: IPv4Address) -> str:
    return "02:00:" + ":".join(f"{byte:02x}" for byte in address.packed)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Near(_Frozen):
    """A host beside a site."""

    site: str
    rtt_ms: float = Field(ge=0)


class Anycast(_Frozen):
    """A host that is equally far from everywhere."""

    rtt_ms: float = Field(ge=0)


class Host(_Frozen):
    """One host: a process tree with its own network, mounts and process numbers.

    Attributes:
        name: as `shopsphere lab exec` takes it.
        kind: what runs on it.
        addresses: on the WAN; the first one is its main address.
        near: position beside a site; a site is 0 ms from itself.
        anycast: position for a host that is everywhere.
    """

    name: str
    kind: HostKind
    addresses: tuple[IPv4Address, ...] = Field(min_length=1)
    near: Near | None = None
    anycast: Anycast | None = None

    @property
    def address(self) -> IPv4Address:
        """The main address."""
        return self.addresses[0]

    @property
    def mac(self) -> str:
        """The Ethernet address, made from the main address so that the switch need not learn it."""
        return _mac(self.address)


class Workstation(_Frozen):
    """The machine itself, attached to the WAN so that pulumi and kubectl reach the sites."""

    address: IPv4Address
    interface: str = Field(max_length=15)
    rtt_ms: float = Field(ge=0)

    @property
    def mac(self) -> str:
        """The Ethernet address, made as a host's is."""
        return _mac(self.address)


class LabHosts(_Frozen):
    """All hosts of the lab and the network they share."""

    network: IPv4Network
    workstation: Workstation
    hosts: dict[str, Host]

    def host(self, name: str) -> Host:
        """Return the host of that name.

        Raises:
            UnknownHostError: there is none.
        """
        if name not in self.hosts:
            raise UnknownHostError.build(
                f"no host {name!r} in the lab",
                expected="one of " + ", ".join(sorted(self.hosts)),
                found=repr(name),
                action="use one of these names",
            )
        return self.hosts[name]

    def together(self, name: str) -> tuple[str, ...]:
        """Return the hosts that a name stands for: a site's is that of all its nodes, any other one of one host.

        The workstation's is one of them: its line is cut as any other.

        Raises:
            UnknownHostError: there is none.
        """
        if name == WORKSTATION or self.host(name).kind is not HostKind.SITE:
            return (name,)
        nodes = (each for each in self.hosts.values() if each.kind is HostKind.NODE and each.near)
        return (name, *(each.name for each in nodes if each.near and each.near.site == name))

    def between(self, a: str, b: str) -> list[tuple[str, str]]:
        """Return the links between two names, from the first to the second: of sites, between all their nodes.

        Between a site and one of its own nodes it is the link of that node and the site's own host alone.
        """
        one, other = self.together(a), self.together(b)
        return [(a, b)] if {*one} & {*other} else [(first, second) for first in one for second in other]

    def rtt_ms(self, a: str, b: str, topology: Topology) -> float:
        """Return the round trip between two hosts in ms, as configured."""
        one, other = self.host(a), self.host(b)
        if one.anycast or other.anycast:
            return max(host.anycast.rtt_ms for host in (one, other) if host.anycast)
        place_a, last_mile_a = (one.near.site, one.near.rtt_ms) if one.near else (a, 0.0)
        place_b, last_mile_b = (other.near.site, other.near.rtt_ms) if other.near else (b, 0.0)
        between = 0.0 if place_a == place_b else topology.rtt_ms(place_a, place_b)
        return between + last_mile_a + last_mile_b


def client_host(jurisdiction: str) -> str:
    """Return the name of the host where a jurisdiction's customers are."""
    return f"client-{jurisdiction}"


def archive_host(jurisdiction: str) -> str:
    """Return the name of the host where a jurisdiction's archive is."""
    return f"archive-{jurisdiction}"


def load_hosts(topology: Topology, file: Path = HOSTS_FILE) -> LabHosts:
    """Return the sites, archives and customers of `topology` and the hosts of `file` as one set.

    Raises:
        HostAddressError: two hosts have the same name or address, or one is outside the lab's network.
    """
    document = read_yaml_file(file)
    hosts = [Host(name=name, **entry) for name, entry in document["hosts"].items()]
    hosts += [_client(topology, jurisdiction) for jurisdiction in topology.jurisdictions.values()]
    hosts += [_archive(topology, each.name, each.archive) for each in topology.jurisdictions.values() if each.archive]
    hosts += [Host(name=name, kind=HostKind.SITE, addresses=(site.address,)) for name, site in topology.sites.items()]
    hosts += [_node(name, node) for name, site in topology.sites.items() for node in site.further_nodes]
    network = IPv4Network(document["network"])
    _check(hosts, network)
    return LabHosts(network=network, workstation=document["workstation"], hosts={host.name: host for host in hosts})


def _client(topology: Topology, jurisdiction: Jurisdiction) -> Host:
    """Make the customers of a jurisdiction: in its first client network, near the first of its pairs."""
    network = jurisdiction.client_networks[0]
    return Host(
        name=client_host(jurisdiction.name),
        kind=HostKind.OBSERVER,
        addresses=(network.network_address + min(CLIENT_NUMBER, network.num_addresses - 1),),
        near=Near(site=_primary(topology, jurisdiction.name), rtt_ms=LAST_MILE_MS),
    )


def _archive(topology: Topology, jurisdiction: str, archive: Archive) -> Host:
    return Host(
        name=archive_host(jurisdiction),
        kind=HostKind.ARCHIVE,
        addresses=(archive.address,),
        near=Near(site=_primary(topology, jurisdiction), rtt_ms=ARCHIVE_MS),
    )


def _node(site: str, node: FurtherNode) -> Host:
    near = Near(site=site, rtt_ms=NODE_MS)
    return Host(name=node.name, kind=HostKind.NODE, addresses=(node.address,), near=near)


def _primary(topology: Topology, jurisdiction: str) -> str:
    return next(pair.primary for pair in topology.pairs.values() if pair.jurisdiction == jurisdiction)


def _check(hosts: list[Host], network: IPv4Network) -> None:
    owners: dict[str, str] = {}
    for host in hosts:
        for key in (host.name, *map(str, host.addresses)):
            if key in owners:
                raise HostAddressError.build(
                    f"{key} is used by two hosts of the lab",
                    expected=f"a name and addresses for {host.name} that no other host has",
                    found=f"{key}, which {owners[key]} has too",
                    action=f"change topology.yaml or {HOSTS_FILE.name}",
                )
            owners[key] = host.name
        outside = [address for address in host.addresses if address not in network]
        if outside:
            raise HostAddressError.build(
                f"host {host.name} is not on the lab's network",
                expected=f"an address in {network}",
                found=str(outside[0]),
                action=f"change its address in topology.yaml, or the network in {HOSTS_FILE.name}",
            )
