"""Asks all sources again and again, each in a thread of its own, and tells what was heard last."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from runbooks.engine import bounded
from runbooks.metrics.metric import Sample
from runbooks.metrics.registry import PAIR_INFO, SOURCE_UP
from runbooks.metrics.source import Source
from runbooks.metrics.sources import SOURCES
from runbooks.pair_access import PairAccess
from runbooks.readiness.pair_view import PairView
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import one_line

SHORTEST_PAUSE = 0.5
"""Least time between two questions to one source (s), however long an answer took."""


@dataclass(frozen=True)
class Heard:
    """The last answer of a source.

    Attributes:
        samples: None when there was no answer.
        at: monotonic time at which the question was asked.
        problem: why there was none; empty when there was one.
    """

    samples: tuple[Sample, ...] | None
    at: float
    problem: str = ""


class Asked:
    """One source of one pair, or of one of its sites.

    Args:
        access: the ways to the pair.
        source: what is asked.
        site: empty where the pair as a whole is asked.
        tell: told a line when the source falls silent and when it answers again.
        clock: replaceable in tests.
    """

    def __init__(
        self, access: PairAccess, source: Source, site: str, tell: Callable[[str], None], clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.access, self.source, self.site = access, source, site
        self._tell, self._clock = tell, clock
        self._heard: Heard | None = None
        self._question: Future[tuple[Sample, ...]] | None = None

    @property
    def name(self) -> str:
        """What lines about it begin with."""
        return " ".join(filter(None, (self.access.pair.name, self.source.name, self.site)))

    def once(self) -> None:
        """Ask, and keep the answer; a question that still hangs is waited for again, and none is asked beside it."""
        asked = self._clock.monotonic()
        if self._question is None:
            view = PairView(self.access, seconds=self.source.seconds, clock=self._clock)
            self._question = bounded.start(lambda: tuple(self.source.ask(view, self.site)), name=self.name)
        try:
            samples = bounded.answer_of(self._question, what="the answer", seconds=self.source.seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is known, and the next answer may be one
            heard = Heard(None, asked, one_line(error)[:300] or type(error).__name__)
        else:
            heard = Heard(samples, asked)
        if self._question.done():
            self._question = None
        self._keep(heard)

    def samples(self) -> Iterator[Sample]:
        """Yield what was heard last, and whether it was; nothing of it when that is too long ago."""
        heard = self._heard
        if heard is None:
            return  # not asked yet: neither up nor down
        known = heard.samples
        if self._clock.monotonic() - heard.at > self.source.lasts:
            known = None
        yield self._up(is_up=known is not None)
        yield from known or ()

    def go_on(self) -> None:
        """Ask until the process ends."""
        while True:
            began = self._clock.monotonic()
            self.once()
            passed = self._clock.monotonic() - began
            self._clock.sleep(max(SHORTEST_PAUSE, self.source.every - passed))

    def _up(self, *, is_up: bool) -> Sample:
        return SOURCE_UP.sample(is_up, source=self.source.name, site=self.site)

    def _keep(self, heard: Heard) -> None:
        was_silent = self._heard is not None and self._heard.samples is None
        self._heard = heard
        if heard.samples is None and not was_silent:
            self._tell(f"{self.name} does not answer: {heard.problem}")
        elif heard.samples is not None and was_silent:
            self._tell(f"{self.name} answers again")


class Collection:
    """All sources of some pairs.

    Args:
        accesses: the ways to each pair.
        tell: told a line when a source falls silent and when it answers again.
        sources: which.
        clock: replaceable in tests.
    """

    def __init__(
        self,
        accesses: Iterable[PairAccess],
        tell: Callable[[str], None],
        sources: Sequence[Source] = SOURCES,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._accesses = tuple(accesses)
        self._asked = [
            Asked(access, source, site, tell, clock)
            for access in self._accesses
            for source in sources
            for site in (access.pair.sites if source.of_each_site else ("",))
        ]

    def start(self) -> None:
        """Begin to ask, until the process ends."""
        for each in self._asked:
            threading.Thread(target=each.go_on, name=each.name, daemon=True).start()

    def once(self) -> None:
        """Ask all sources at once, and wait for the slowest."""
        threads = [threading.Thread(target=each.once, name=each.name, daemon=True) for each in self._asked]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def samples(self) -> Iterator[tuple[str, Sample]]:
        """Yield what is known now, with the pair that it is about."""
        for access in self._accesses:
            pair = access.pair
            yield (
                pair.name,
                PAIR_INFO.sample(1, jurisdiction=pair.jurisdiction, primary=pair.primary, recovery=pair.recovery),
            )
        for each in self._asked:
            yield from ((each.access.pair.name, sample) for sample in each.samples())
