"""Addresses outside a cluster that its pods may exchange packets with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from policies.residency_map import known, pair_sites
from shopsphere.estate.databases import DATABASES
from shopsphere.topology import Topology

Network = IPv4Network | IPv6Network
PAYMENT_PROVIDER = "to-payment-provider"
TO_ARCHIVE = "to-archive"
BACKED_UP = frozenset(database.data_class for database in DATABASES)
"""Classes of the namespaces that may have a way to the archive: those of the pair's databases."""
OWN_SERVICES = frozenset({"to-api-server", "to-site-agent"})
"""Policies whose destination a stack may configure: the site's API server and agent, at an address of its own."""
TO_EVENT_LOG = "to-event-log"
"""The same for brokers of a cluster of the owner's, from a namespace of what people do: personal data."""
OWNERS_NETWORKS = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
"""Addresses that no public network routes (RFC 1918, RFC 4193): what answers there is the owner's own."""
WIDEST_PREFIX = 20
"""A payment provider answers from networks of at most 4096 addresses; wider ones hold others too."""


@dataclass(frozen=True)
class Destinations:
    """What is inside for a site, and what is known to be elsewhere.

    Attributes:
        site: the site.
        inside: its own networks, and addresses of the sites of its pair.
        elsewhere: networks and addresses of all other sites, by site.
        domain: the zone in which each site has a name.
        archive: where the backups of its jurisdiction are; None where there is no archive.
    """

    site: str
    inside: tuple[Network, ...]
    elsewhere: tuple[tuple[str, Network], ...]
    domain: str
    archive: Network | None

    @classmethod
    def of(cls, model: Topology, site: str) -> Destinations:
        """Take them from the topology."""
        own, pair = model.site(site), pair_sites(model, site)
        hosts = (ip_network(at) for each in pair for at in model.site(each).addresses)
        inside = [own.pod_network, own.service_network, *hosts]
        elsewhere = [
            (name, network)
            for name, other in model.sites.items()
            if name not in pair
            for network in (
                *map(ip_network, other.addresses),
                ip_network(other.faces_customers_at),
                other.pod_network,
                other.service_network,
            )
        ]
        own_archive = model.archive_of(site)
        elsewhere += [
            (f"the archive of {name}", ip_network(other.archive.address))
            for name, other in model.jurisdictions.items()
            if other.archive and other.archive != own_archive
        ]
        archive = ip_network(own_archive.address) if own_archive else None
        return cls(site, tuple(inside), tuple(elsewhere), model.domain, archive)

    @property
    def described(self) -> str:
        """What is inside, for messages."""
        return known([str(network) for network in self.inside])

    @property
    def hosts_elsewhere(self) -> str:
        """Pattern of the hosts that are other sites: their addresses, and what is named below them."""
        names = dict.fromkeys(re.escape(f"{name}.{self.domain}") for name, _ in self.elsewhere if " " not in name)
        addresses = (str(each.network_address) for _, each in self.elsewhere if each.num_addresses == 1)
        return rf"^((.*\.)?({'|'.join(names)})|{'|'.join(re.escape(each) for each in dict.fromkeys(addresses))})$"

    def holds(self, network: Network) -> bool:
        """Whether all of a network is inside."""
        return _is_within(network, self.inside)

    def is_archive(self, policy: str, network: Network, data_class: str) -> bool:
        """Whether a way leads to the jurisdiction's archive, from a namespace that has backups.

        Args:
            policy: name of the NetworkPolicy.
            network: the destination.
            data_class: of the namespace that it is opened for.
        """
        return policy == TO_ARCHIVE and network == self.archive and data_class in BACKED_UP

    def touched(self, network: Network) -> str:
        """Return the name of what is elsewhere that a network has addresses of; empty where it has none."""
        return next((name for name, other in self.elsewhere if network.overlaps(other)), "")

    def may_be_configured(self, policy: str, network: Network, data_class: str) -> bool:
        """Whether a stack's configuration may name a destination that the topology does not know.

        Args:
            policy: name of the NetworkPolicy.
            network: the destination.
            data_class: of the namespace that it is opened for.
        """
        if self.touched(network):
            return False
        if policy in OWN_SERVICES:
            return network.num_addresses == 1 and _is_within(network, OWNERS_NETWORKS)
        if policy == TO_EVENT_LOG:
            is_own = network.num_addresses == 1 and _is_within(network, OWNERS_NETWORKS)
            return is_own and data_class == "personal"
        return policy == PAYMENT_PROVIDER and data_class == "payment" and network.prefixlen >= WIDEST_PREFIX


def _is_within(network: Network, others: tuple[Network, ...]) -> bool:
    return any(network.version == each.version and network.subnet_of(each) for each in others)  # type: ignore[arg-type]
