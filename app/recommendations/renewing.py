"""Keeps what the recommender knows fresh: what may be shown, its categories, and the index of sessions."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from app.database import Queries
from app.recommendations.availability import Availability
from app.recommendations.catalogue import buyers, categories, numbers_of, shown_now
from app.recommendations.index import SessionIndex
from app.recommendations.index_file import load_or_empty
from app.recommendations.knowledge import Knowledge, lately

CATALOGUE_SECONDS = 300.0
"""Categories and what is bought are asked for anew after so long."""
STALE_SECONDS = 30.0
"""After so long without an answer it is not known what may be shown."""
BUILD_SECONDS = 600.0
"""Longest time that making an index may take."""
CHILD = (sys.executable, "-m", "app", "index-sessions")


class Catalogue:
    """Tells what may be shown, by one question a turn.

    Args:
        commerce: the shop's database.
        knowledge: is told.
        clock: seconds, monotonic.
    """

    def __init__(self, commerce: Queries, knowledge: Knowledge, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._commerce, self._knowledge, self._clock = commerce, knowledge, clock
        self._shown: bytes | None = None
        self._asked = self._learnt = float("-inf")

    async def turn(self) -> None:
        """Ask what may be shown, and for categories when that is due.

        Raises:
            DatabaseUnavailableError: it is not known; what was known stays, until it is stale.
        """
        began = self._clock()
        shown = await shown_now(self._commerce)
        if shown != self._shown:
            self._knowledge.availability = Availability(numbers_of(shown))
            self._shown = shown
        self._asked = began
        if began - self._learnt >= CATALOGUE_SECONDS:
            self._knowledge.take_catalogue(await categories(self._commerce), await buyers(self._commerce))
            self._learnt = began

    @property
    def shown(self) -> int:
        """How many products may be shown."""
        return len(self._shown or b"") // 4

    @property
    def age(self) -> float | None:
        """How old what is known is (s); None before anything is."""
        return None if self._shown is None else self._clock() - self._asked

    def problem(self) -> str:
        """Return why it is not known what may be shown; empty while it is."""
        if self.age is None:
            return "not ready: it is not known yet what may be shown"
        return "not ready: the database does not answer" if self.age > STALE_SECONDS else ""


async def in_a_child() -> int:
    """Make the index anew in a process of its own and return its exit code; it ends with whoever waits for it."""
    child = await asyncio.create_subprocess_exec(*CHILD, stdin=asyncio.subprocess.DEVNULL)
    try:
        return await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


class Rebuilding:
    """Has the index made anew and swaps it.

    Args:
        file: where the index is.
        every_seconds: after so long it is made anew.
        knowledge: is given the new one.
        make: writes the file; returns 0 when it is there.
        clock: seconds, monotonic.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        file: Path,
        every_seconds: float,
        knowledge: Knowledge,
        *,
        make: Callable[[], Awaitable[int]] = in_a_child,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._file, self._every, self._knowledge = file, every_seconds, knowledge
        self._make, self._clock, self._wall = make, clock, wall
        self._due = float("-inf")
        self._swapped: float | None = None
        self.failures = 0
        self._log = structlog.get_logger("index")

    def begin(self) -> None:
        """Answer from the file of before, if there is one that can be used; a young one is not made anew at once."""
        index, looked_at, problem = _read(self._file, self._wall())
        self._knowledge.take_index(index, looked_at)
        if problem:
            self._log.warning("begins without an index", problem=problem)
        elif index.sessions:
            self._due = self._clock() + self._every - max(self._wall() - self._file.stat().st_mtime, 0)
        self._log.info("index", sessions=index.sessions, newest=index.newest)

    async def when_due(self) -> None:
        """Make the index anew if it is time, and answer from it from then on; if that fails, try again as late."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + self._every
        code = await self._make()
        if code:
            self.failures += 1
            self._log.warning("no new index; the one of before is used", exit_code=code)
            return
        index, looked_at, problem = await asyncio.to_thread(_read, self._file, self._wall())
        if problem:
            self.failures += 1
            self._log.error("the new index is not used", problem=problem)
            return
        self._knowledge.take_index(index, looked_at)
        self._swapped = self._clock()

    def figures(self) -> dict[str, float | None]:
        """Return what is known of the index, for /metrics."""
        index = self._knowledge.used.index
        return {
            "recommend_index_sessions": index.sessions,
            "recommend_index_bytes": index.bytes,
            "recommend_index_newest_seconds_ago": self._wall() - index.newest if index.sessions else None,
            "recommend_index_swapped_seconds_ago": None if self._swapped is None else self._clock() - self._swapped,
            "recommend_index_failures": self.failures,
        }


def _read(file: Path, now: float) -> tuple[SessionIndex, Mapping[int, int], str]:
    loaded = load_or_empty(file)
    return loaded.index, lately(loaded.index, now), loaded.problem
