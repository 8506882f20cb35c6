"""How long who was let go has to stream before payments wait for it again: longer each time, where it goes again soon.

Each return and each loss has payments stand still for some seconds. A line that breaks every minute would do that every
minute.
"""

from __future__ import annotations

from shopsphere.foundation.clock import Clock, held_since

FIRST_SECONDS = 10.0
"""Seconds of streaming that are asked of who was let go a second time; each further time twice as many."""
MOST_SECONDS = 300.0
"""Seconds at most: so long payments may be at one place fewer than they could be."""
FORGIVEN_AFTER = 600.0
"""Seconds after which having been let go counts no more."""


class Patience:
    """Counts how often somebody was let go; used by one thread.

    Args:
        clock: replaceable in tests.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.forget()

    def forget(self) -> None:
        """Trust as on the first day."""
        self._streams_since: float | None = None
        self._left_at: float | None = None
        self._told = False
        self.seconds = 0.0
        """For which it has to stream before it is waited for again."""

    def look(self, *, told: bool, streams: bool) -> bool:
        """Take in what was seen; return whether it streams for as long as is asked of it.

        Args:
            told: the ledger is told to wait for it.
            streams: it is connected and receives rows as they are written.
        """
        now = self._clock.monotonic()
        self._streams_since = held_since(self._streams_since, now, holds=streams)
        if self._told and not told:
            again = self._left_at is not None and now - self._left_at < FORGIVEN_AFTER
            self.seconds = min(max(FIRST_SECONDS, 2 * self.seconds), MOST_SECONDS) if again else 0.0
            self._left_at = now
        self._told = told
        return self._streams_since is not None and now - self._streams_since >= self.seconds
