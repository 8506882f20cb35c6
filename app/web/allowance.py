"""How often one client may do something costly: a bucket of tries that fills again with time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CLIENTS = 20_000
"""Clients that are remembered, some 4 MB; beyond it the one that was quiet for longest is forgotten."""


class Allowance:
    """Tries by client.

    Args:
        at_once: tries of a client that was quiet for long.
        every_seconds: time after which it has one more.
        clock: seconds that only grow.
    """

    def __init__(self, at_once: int, every_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_once = at_once
        self._every = every_seconds
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, client: str) -> float:
        """Take one try and return 0, or return the seconds until there is one."""
        now = self._clock()
        full_at = max(self._full_at.pop(client, now), now)
        self._full_at[client] = full_at
        wait = full_at + self._every - (now + self._at_once * self._every)
        if wait > 0:
            return wait
        self._full_at[client] = full_at + self._every
        if len(self._full_at) > MOST_CLIENTS:
            self._full_at.popitem(last=False)
        return 0.0
