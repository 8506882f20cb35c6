"""The lab's hosts: every site of the topology, and what lab/hosts.yaml adds."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Topology

HOSTS_FILE = Path(__file__).with_name("hosts.yaml")


class UnknownHostError(ShopSphereError):
    """A name that is no host of the lab."""


class HostKind(StrEnum):
    """What a host is for, and so which programs run on it."""

    SITE = "site"
    EDGE = "edge"
    PSP = "psp"
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

    def rtt_ms(self, a: str, b: str, topology: Topology) -> float:
        """Return the round trip between two hosts in ms, as configured."""
        one, other = self.host(a), self.host(b)
        if one.anycast or other.anycast:
            return max(host.anycast.rtt_ms for host in (one, other) if host.anycast)
        place_a, last_mile_a = (one.near.site, one.near.rtt_ms) if one.near else (a, 0.0)
        place_b, last_mile_b = (other.near.site, other.near.rtt_ms) if other.near else (b, 0.0)
        between = 0.0 if place_a == place_b else topology.rtt_ms(place_a, place_b)
        return between + last_mile_a + last_mile_b


def load_hosts(topology: Topology, file: Path = HOSTS_FILE) -> LabHosts:
    """Return the sites of `topology` and the hosts of `file` as one set."""
    document = yaml.safe_load(file.read_text())
    hosts = {name: Host(name=name, **entry) for name, entry in document["hosts"].items()}
    for name, site in topology.sites.items():
        hosts[name] = Host(name=name, kind=HostKind.SITE, addresses=(site.address,))
    return LabHosts(network=document["network"], workstation=document["workstation"], hosts=hosts)
