"""The name servers that customers' questions reach."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from shopsphere.estate.access import EdgeAccess


@dataclass(frozen=True)
class NameServer:
    """A name server that customers' questions reach.

    Attributes:
        name: how messages call it.
        address: where it answers.
        for_others: an authority answers on behalf of the client network that the question names; a resolver answers
            whoever asks, whatever the question says.
    """

    name: str
    address: IPv4Address
    for_others: bool


def name_servers(edge: EdgeAccess) -> tuple[NameServer, ...]:
    """Return the authorities and resolvers of the edge's configuration; none when the edge is not set up here."""
    authorities = [NameServer(each.name, each.address, for_others=True) for each in edge.nameservers]
    resolvers = [NameServer("resolver", address, for_others=False) for address in edge.resolvers]
    return (*authorities, *resolvers)
