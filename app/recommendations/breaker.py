"""Keeps pages from waiting, each of them anew, for a service that does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable

MOST_FAILURES = 3
"""In a row; after them nobody asks for REST_SECONDS, and then one page does."""
REST_SECONDS = 1.0


class Breaker:
    """Whether it is worth asking. Nothing has to be given back: who was let through and never tells blocks nobody.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._until = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether nobody asks now but one page a REST_SECONDS."""
        return self._failures >= MOST_FAILURES

    def may_ask(self) -> bool:
        """Return whether to ask now; who is told so while it is open is the one who tries."""
        if not self.is_open:
            return True
        now = self._clock()
        if now < self._until:
            return False
        self._until = now + REST_SECONDS
        return True

    def failed(self) -> None:
        """Note that there was no usable answer in time."""
        self._failures += 1
        if self.is_open:
            self._until = self._clock() + REST_SECONDS

    def succeeded(self) -> None:
        """Note a usable answer in time."""
        self._failures = 0
