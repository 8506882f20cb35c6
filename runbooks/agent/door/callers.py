"""Who asks at the door, by address: what each may see, and who has a place there when strangers hold the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

LOOPBACK = IPv4Network("127.0.0.1/32")
PLACES = 256
"""Connections at once. With a request of `server.MOST_HEAD` bytes each, all of them take a few MiB."""
STRANGERS_PLACES = 64
"""So many of them at most are for addresses that are not of this site, its operators, or its pair."""
PLACES_OF_ONE = 32
"""Connections of one address."""


@dataclass(frozen=True)
class Callers:
    """Networks of those who ask.

    Attributes:
        host: address of this host.
        pods: network of the site's pods, the gateways among them.
        api: networks of the site's API servers on other hosts.
        state: networks of operators and of the pair's other site.
    """

    host: IPv4Address
    pods: Sequence[IPv4Network] = ()
    api: Sequence[IPv4Network] = ()
    state: Sequence[IPv4Network] = ()

    def may_see_state(self, address: str) -> bool:
        """Whether the names and reasons of operators are for this address."""
        return self._is_in(address, self._own, self.api, self.state)

    def may_ask_for_rules(self, address: str) -> bool:
        """Whether it may be the API server of this site, which has judged who asks through it."""
        return self._is_in(address, self._own, self.api)

    def are_known(self, address: str) -> bool:
        """Whether strangers must not take this address's place."""
        return self._is_in(address, self._own, self.api, self.state, self.pods)

    @property
    def _own(self) -> Sequence[IPv4Network]:
        return IPv4Network(self.host), LOOPBACK

    @staticmethod
    def _is_in(address: str, *networks: Sequence[IPv4Network]) -> bool:
        try:
            asker = IPv4Address(address)
        except ValueError:
            return False
        return any(asker in network for each in networks for network in each)


class Places:
    """Who is connected; an address that finds no place is turned away at once."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()
        self._strangers = 0

    def take(self, address: str, *, known: bool) -> bool:
        """Take a place, which is given back by `leave`; False when there is none for this address."""
        full = self._of.total() >= PLACES or self._of[address] >= PLACES_OF_ONE
        if full or (not known and self._strangers >= STRANGERS_PLACES):
            return False
        self._of[address] += 1
        self._strangers += not known
        return True

    def leave(self, address: str, *, known: bool) -> None:
        """Give a place back."""
        self._of[address] -= 1
        self._strangers -= not known
        if not self._of[address]:
            del self._of[address]
