"""No address and no network may mean two things."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from shopsphere.foundation.document_problem import Problem
from shopsphere.topology.model import Topology


def network_problems(topology: Topology) -> Iterator[Problem]:
    """Find overlapping CIDRs, addresses used twice, and addresses of sites and archives inside other networks."""
    networks = list(_networks(topology))
    for (first, one), (second, other) in combinations(networks, 2):
        if one.overlaps(other):
            word = "the same as" if one == other else "overlapping"
            yield Problem(second, "a CIDR that overlaps no other", f"{other}, {word} {first} ({one})")
    owners: dict[IPv4Address, str] = {}
    for path, address in _addresses(topology):
        if address in owners and owners[address].rpartition(".")[0] != path.rpartition(".")[0]:
            yield Problem(path, "an address of its own", f"{address}, which is also {owners[address]}")
        owners.setdefault(address, path)
        for place, network in networks:
            if address in network:
                yield Problem(path, "an address outside all networks", f"{address} inside {place} ({network})")


def _addresses(topology: Topology) -> Iterator[tuple[str, IPv4Address]]:
    for name, site in topology.sites.items():
        yield f"sites.{name}.address", site.address
        if site.public_address:
            yield f"sites.{name}.public_address", site.public_address
        for at, node in enumerate(site.further_nodes):
            yield f"sites.{name}.further_nodes.{at}.address", node.address
    for name, jurisdiction in topology.jurisdictions.items():
        if jurisdiction.archive:
            yield f"jurisdictions.{name}.archive.address", jurisdiction.archive.address


def _networks(topology: Topology) -> Iterator[tuple[str, IPv4Network]]:
    for name, jurisdiction in topology.jurisdictions.items():
        for at, network in enumerate(jurisdiction.client_networks):
            yield f"jurisdictions.{name}.client_networks.{at}", network
    for name, site in topology.sites.items():
        yield f"sites.{name}.pod_network", site.pod_network
        yield f"sites.{name}.service_network", site.service_network
