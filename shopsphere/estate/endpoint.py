"""Where something outside a cluster is reached."""

from __future__ import annotations

from collections.abc import Iterable
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
        return cls.at_each((address,), port)

    @classmethod
    def at_each(cls, addresses: Iterable[IPv4Address], port: int) -> Endpoint:
        """Make an endpoint that is reached at any of these addresses."""
        return cls(tuple(map(IPv4Network, addresses)), port)

    @property
    def host(self) -> str:
        """The first address."""
        return str(self.networks[0].network_address)
