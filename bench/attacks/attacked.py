"""What attempts are made of: the pair, the other one, and what is found of them in the lab before anything is tried."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lab.cluster.addons import kubectl
from lab.edge.components import EDGE_HOST, lab_settings
from lab.enter import run_inside
from lab.host import power
from lab.hosts import HostKind, archive_host, load_hosts
from lab.leading import leading_pod
from lab.record import regions
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.witness_seats import seats
from shopsphere.topology import Pair, Topology

_PORT = re.compile(r":(?P<port>[0-9]+)\s+\S+:\*")
_PSP = "psp"


@dataclass(frozen=True)
class HostFacts:
    """What listens at a host, and which addresses of IPv6 it has on the WAN."""

    name: str
    addresses: tuple[str, ...]
    listens: tuple[int, ...] = ()
    ipv6: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scene:
    """One run's surroundings.

    Attributes:
        run: marks this run's attempts in logs; a few letters.
        databases: address of the pod that leads each database at the pair's primary site, by the database's name.
        payments: address of a pod of the payments service there.
        image: of the shop there, as its Deployment has it.
        other_is_up: whether the other pair is deployed.
        hosts: that are on and belong to the pair, its witness, its archive, the edge and the payment provider.
    """

    pair: Pair
    other: Pair
    topology: Topology
    run: str
    databases: dict[str, str] = field(default_factory=dict)
    payments: str = ""
    image: str = ""
    hosts: tuple[HostFacts, ...] = ()
    other_is_up: bool = False

    def address(self, site: str) -> str:
        """Return the address of a site."""
        return str(self.topology.site(site).address)

    @property
    def active(self) -> str:
        """The address of the pair's primary site, which takes writes while nothing has been moved."""
        return self.address(self.pair.primary)

    @property
    def mark(self) -> str:
        """What names of this run's attempts hold, so that a log shows whose they are."""
        return f"attack-{self.run}"


def found_scene(pair: Pair, other: Pair, topology: Topology, run: str) -> Scene:
    """Look at the lab.

    Raises:
        ShopSphereError: the pair is not deployed.
    """
    site = pair.primary
    leading = {each.name: (each.namespace.name, leading_pod(site, each.name)) for each in DATABASES}
    databases = {name: _pod_address(site, *place) for name, place in leading.items()}
    pods = _listed(site, "pods", "payments")
    payments = next(each["status"]["podIP"] for each in pods if each["status"]["phase"] == "Running")
    shop = json.loads(kubectl(site, "get", "deployment", "shop", "-n", "shop", "-o", "json"))
    image = shop["spec"]["template"]["spec"]["containers"][0]["image"]
    hosts = tuple(_hosts(pair, topology))
    return Scene(pair, other, topology, run, databases, payments, image, hosts, other.name in regions())


def _listed(site: str, kind: str, namespace: str) -> list[dict[str, Any]]:
    return list(json.loads(kubectl(site, "get", kind, "-n", namespace, "-o", "json"))["items"])


def _pod_address(site: str, namespace: str, pod: str) -> str:
    return kubectl(site, "get", "pod", pod, "-n", namespace, "-o", "jsonpath={.status.podIP}").strip()


def names_of_hosts(pair: Pair, topology: Topology) -> list[str]:
    """Return the hosts that belong to a pair: its nodes, seats, archive, and what stands for providers."""
    hosts = load_hosts(topology)
    nodes = [each for site in pair.sites for each in hosts.together(site)]
    archive = topology.jurisdictions[pair.jurisdiction].archive
    of_pair = [*nodes, *seats(pair, topology), *([archive_host(pair.jurisdiction)] if archive else [])]
    return list(dict.fromkeys([*of_pair, EDGE_HOST, _PSP]))


def _hosts(pair: Pair, topology: Topology) -> Iterator[HostFacts]:
    hosts = load_hosts(topology)
    for name in names_of_hosts(pair, topology):
        if power.identity(name) is None:
            continue
        host = hosts.host(name)
        addresses = tuple(map(str, host.addresses))
        if host.kind is HostKind.EDGE:
            settings = lab_settings()
            addresses = tuple(sorted({*addresses, settings.cdn, settings.resolver, *settings.authorities.values()}))
        listening = run_inside(name, ["ss", "-lntH"]).stdout
        ipv6 = run_inside(name, ["ip", "-6", "-o", "addr", "show", "dev", "eth0"], check=False).stdout
        yield HostFacts(name, addresses, listening_ports(listening), ipv6_addresses(ipv6))


def listening_ports(text: str) -> tuple[int, ...]:
    """Return the ports of what `ss -lntH` prints."""
    return tuple(sorted({int(found["port"]) for line in text.splitlines() if (found := _PORT.search(line))}))


def ipv6_addresses(text: str) -> tuple[str, ...]:
    """Return the addresses of what `ip -6 -o addr` prints."""
    return tuple(re.findall(r"\binet6 ([0-9a-f:]+)/", text))
