"""How long browsers are asked to wait before they send again."""

from __future__ import annotations

SHORTEST = 1
LONGEST = 64


class Backoff:
    """Seconds for Retry-After: they double while refusing goes on, and halve while batches are acknowledged.

    They change once in their own length, so that a thousand refusals of one moment count as one.
    """

    def __init__(self) -> None:
        self.seconds = SHORTEST
        self._changed = float("-inf")

    def refused(self, now: float) -> int:
        """Return the seconds to wait, for something that is refused at a moment (s, monotonic)."""
        if now - self._changed >= self.seconds:
            if self._changed > float("-inf"):
                self.seconds = min(2 * self.seconds, LONGEST)
            self._changed = now
        return self.seconds

    def acknowledged(self, now: float) -> None:
        """Note that the brokers acknowledged something at a moment (s, monotonic)."""
        if self._changed > float("-inf") and now - self._changed >= self.seconds:
            self.seconds //= 2
            self._changed = now
            if self.seconds < SHORTEST:
                self.seconds, self._changed = SHORTEST, float("-inf")
