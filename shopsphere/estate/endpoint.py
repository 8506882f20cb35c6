"""Where something outside a cluster is reached."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network


@dataclass(frozen=True)
class Endpoint:
    """Addresses outside the cluster and the port that may be reached there."""

    networks: tuple[IPv4Network, ...]
    port: int

    @classmethod
    def at(cls, address: IPv4Address, port: int) -> Endpoint:
        """Make an endpoint of one address."""
        return cls((IPv4Network(address),), port)

    @property
    def host(self) -> str:
        """The first address."""
        return str(self.networks[0].network_address)
