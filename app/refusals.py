"""Lines about refused strangers: enough to be seen, so few that nobody can fill the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

MINUTE_SECONDS = 60.0
MOST_LINES = 5
"""Lines of one problem in a minute, so that a noisy one hides no other; the rest is counted, and the count is told."""
MOST_PROBLEMS = 10
"""Problems of a minute that have lines of their own; all others share those of one more."""
OTHERS = "another problem"


@dataclass(slots=True)
class _Seen:
    lines: int = 0
    unwritten: int = 0


class Refusals:
    """Writes down what was refused. It remembers a few numbers, however many are refused.

    Args:
        write: takes what is wrong, and how often it was.
        now: monotonic time (s); replaceable in tests.
    """

    def __init__(self, write: Callable[[str, int], None], now: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._now = now
        self._began = float("-inf")
        self._seen: dict[str, _Seen] = {}

    def see(self, problem: str) -> None:
        """Write a refusal down, or count it."""
        self.look()
        kind = problem if problem in self._seen or len(self._seen) < MOST_PROBLEMS else OTHERS
        seen = self._seen.setdefault(kind, _Seen())
        if seen.lines >= MOST_LINES:
            seen.unwritten += 1
            return
        seen.lines += 1
        self._write(problem, 1)

    def look(self) -> None:
        """Tell what was counted and not written, when its minute is over; called with whatever else comes."""
        now = self._now()
        if now - self._began < MINUTE_SECONDS:
            return
        over, self._began, self._seen = self._seen, now, {}
        for problem, seen in over.items():
            if seen.unwritten:
                self._write(problem, seen.unwritten)
