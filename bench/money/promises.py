"""What customers sent and what they were promised."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Journal:
    """What all customers of a run know.

    Attributes:
        wanted: acknowledged orders until it is enough.
        marks: of every checkout form that was sent.
        orders: promised orders by the form's mark; twice the same one where a form was sent twice.
        turned_away: marks of the forms whose last answer was that nothing was ordered.
        refusals: what went wrong, and how often.
        seconds: what customers waited for, and how long in all (s).
    """

    wanted: int
    marks: set[str] = field(default_factory=set)
    orders: list[tuple[str, str]] = field(default_factory=list)
    turned_away: set[str] = field(default_factory=set)
    refusals: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)
    is_stopped: bool = False

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._served: set[str] = set()

    @property
    def served(self) -> int:
        """Return how many forms were answered with an order."""
        return len(self._served)

    def is_full(self) -> bool:
        return self.is_stopped or self.served >= self.wanted

    def sent(self, mark: str) -> None:
        with self._lock:
            self.marks.add(mark)

    def acknowledged(self, mark: str, order: str) -> None:
        with self._lock:
            self.orders.append((mark, order))
            self._served.add(mark)

    def told_that_nothing_was_ordered(self, mark: str) -> None:
        with self._lock:
            self.turned_away.add(mark)

    def refused(self, why: str) -> None:
        with self._lock:
            self.refusals[why] += 1

    def waited(self, what: str, seconds: float) -> None:
        with self._lock:
            self.seconds[what] += seconds  # type: ignore[assignment] # a Counter adds up what has a fraction too
