"""The fence: a firewall table on the site's host that takes every database off the network.

It works without the site's API server and is the first thing an agent puts up when it starts, so that it holds over a
reboot. An opening ends by itself: the kernel forgets the permission at the end of the lease that it was given for, also
when the agent hangs or is gone. Its rules stand in `shopsphere/estate/host_rules.py`.
Requires nft and bridged pod traffic that passes the forward hook (net.bridge.bridge-nf-call-iptables=1), as
NetworkPolicy does.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from shopsphere.estate.host_rules import FENCE_TABLE, PERMITTED, fence, fence_text
from shopsphere.estate.nftables import Table
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.process import CommandError, run

_SECONDS = 2
_CLOSED = 0.0, 0.0


class Fence(Protocol):
    """Takes the databases off the network, and puts them back."""

    def close(self) -> None:
        """Make writing impossible; repeating it is fine."""

    def open(self, seconds: float) -> None:
        """Let clients through for `seconds` from now (infinity: until `close`); a repeated call starts them anew."""


class PeerFence(Protocol):
    """Keeps databases from receiving from the pair's other site, and lets them again."""

    def close(self) -> None:
        """Let none receive; repeating it is fine."""

    def open(self, seconds: float, but: Collection[int] = ()) -> None:
        """Let them receive for `seconds` from now, but those of the ports `but`; a repeated call starts anew."""


@dataclass(frozen=True)
class Ordered:
    """What the kernel was told last.

    Attributes:
        until: monotonic time at which the opening ends (s); infinity for no end, 0 for closed.
        number: of the order: another one means that there was another one in between.
    """

    until: float
    number: int


class FirewallFence:
    """The fence of a site whose pods run on this host; any thread may use it.

    Args:
        ports: where the database pods listen, or what they ask for.
        clock: replaceable in tests.
        name: of its table.
    """

    def __init__(self, *ports: int, clock: Clock = SYSTEM_CLOCK, name: str = FENCE_TABLE) -> None:
        self.ports, self._clock, self._name = ports, clock, name
        self._one = threading.Lock()
        self._number = 0
        self._ordered: Ordered | None = None
        self._but: Collection[int] = ()

    def close(self) -> None:
        """Drop every packet to and from a database, in one transaction of the kernel."""
        with self._one:
            self._order(*_CLOSED)

    def open(self, seconds: float, but: Collection[int] = ()) -> None:
        """Permit the ports, all of them or all but some, for `seconds`; the kernel ends the permission."""
        until = self._clock.monotonic() + seconds  # before any wait: what is permitted ends with the lease
        with self._one:
            self._but = but
            self._permit(until)

    def again(self) -> None:
        """Give the last order once more, for the time that is left of it; closed where there was none, or it failed."""
        with self._one:
            self._permit(self._ordered.until if self._ordered else 0.0)

    @property
    def table(self) -> Table:
        """Its rules."""
        return fence(*self.ports, name=self._name)

    @property
    def permitted(self) -> tuple[int, ...]:
        """The ports that were opened last, or would be."""
        return tuple(each for each in self.ports if each not in self._but)

    def ordered(self) -> Ordered | None:
        """Return the last order; None while one is being given, and after one of which nobody knows what it did."""
        return self._ordered

    def _permit(self, until: float) -> None:
        left = until - self._clock.monotonic()
        self._order(*((until, left) if left > 0 else _CLOSED))

    def _order(self, until: float, seconds: float) -> None:
        self._ordered = None
        self._number += 1
        text = fence_text(*self.ports, seconds=seconds, name=self._name, but=self._but)
        run(["nft", "-f", "-"], stdin=text, seconds=_SECONDS)
        self._ordered = Ordered(until, self._number)

    def is_closed(self) -> bool:
        """Whether the table is there and permits nothing."""
        words = ["nft", "list", "set", "inet", self._name, PERMITTED]
        try:
            return "elements" not in run(words, seconds=_SECONDS).stdout
        except CommandError:
            return False
