"""What a roll of the zone's key remembers over a kill, and its waits until caches have forgotten something."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from runbooks.engine import BlockedError, Journal

PATIENCE_SECONDS = 900
"""What a run waits for by itself; with more to wait, it says when to call again: a parent's DS may live for a day."""
WAIT_SECONDS = PATIENCE_SECONDS + 60
"""Bound on a step that waits (s)."""
MARGIN_SECONDS = 5
"""Beyond a TTL: clocks that differ, and answers that were on their way."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What one run knows from before.

    Attributes:
        journal: of this run; None in a dry run.
        left: what an unfinished run remembers, for a dry run.
        now: the time (UTC); tests put another one here.
    """

    journal: Journal | None = None
    left: Mapping[str, str] = field(default_factory=dict)
    now: Callable[[], datetime] = _now

    def recall(self, what: str) -> str:
        """Return what this run remembered; empty where it has not got so far."""
        return str((self.journal.recall(what) if self.journal else self.left.get(what)) or "")

    def remember(self, what: str, value: str) -> None:
        """Keep a value over a kill; no secret."""
        if self.journal:
            self.journal.remember(what, value)

    def waits(self, what: str, words: str) -> str:
        """Return for what a step waits, which is its `check`.

        Raises:
            BlockedError: the wait has begun, and takes hours; says when to call again.
        """
        self._require_patience(what)
        return words

    def begin_wait(self, what: str, seconds: int) -> None:
        """Begin to wait, unless that was before: the `act` of a step whose `verify` is `is_over`.

        Raises:
            BlockedError: it takes hours; says when to call again.
        """
        if not self.recall(what):
            self.remember(what, (self.now() + timedelta(seconds=seconds + MARGIN_SECONDS)).isoformat())
        self._require_patience(what)

    def wait_anew(self, what: str) -> None:
        """Forget a wait that has begun: what it waited for has happened again."""
        if self.recall(what):
            self.remember(what, "")

    def is_over(self, what: str) -> bool:
        """Whether a wait has begun and ended."""
        until = self.recall(what)
        return bool(until) and self.now() >= datetime.fromisoformat(until)

    def _require_patience(self, what: str) -> None:
        until = self.recall(what)
        if until and (datetime.fromisoformat(until) - self.now()).total_seconds() > PATIENCE_SECONDS:
            raise BlockedError.because(
                f"caches may hold what was said before until {until[:16]} UTC",
                action="call the same command again then; everything is signed and answered meanwhile",
            )
