"""One thing that is asked of a pair again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runbooks.metrics.metric import Metric, Sample
from runbooks.readiness.pair_view import PairView

Ask = Callable[[PairView, str], Iterable[Sample]]
"""What asks: a fresh view of the pair, and the site, which is empty where the pair as a whole is asked."""


@dataclass(frozen=True)
class Source:
    """A source of samples.

    Attributes:
        name: as `shopsphere_source_up` has it.
        every: from the beginning of one question to that of the next (s).
        seconds: bound on an answer (s).
        ask: asks and returns the samples; what raises is no answer, and then there are none.
        metrics: which it may tell.
        of_each_site: each site of the pair is asked by itself, so that a dead one hides no other.
    """

    name: str
    every: float
    seconds: float
    ask: Ask
    metrics: tuple[Metric, ...]
    of_each_site: bool = False

    @property
    def lasts(self) -> float:
        """Seconds for which an answer is told; only a question that hangs makes one this old."""
        return self.every + 2 * self.seconds
