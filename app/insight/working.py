"""Counts clicks for as long as the process lives: reads for a second, writes, and begins anew when anything fails.

There is one way to recover, and it is that of a crash: what is not written is forgotten, the group is left, and the
database says where to go on. So nothing has to be known of how far something had come when it failed.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from typing import ParamSpec, TypeVar

import structlog

from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.insight.balance import Outcome, Unit
from app.insight.consuming import PROTOCOLS, BrokersError, Places, ProtocolError, Reader
from app.insight.counting import Extent, Place, merged
from app.insight.rows import Catalogue, rows_of
from app.insight.sink import Sink, Source
from app.loops import STANDBY_SECONDS

COMMIT_SECONDS = 1.0
"""Between two transactions."""
MOST_KEYS = 20_000
"""Different sums after which they are written, however young they are: about 10 MiB."""
LOOK_SECONDS = 5.0
"""Between two looks at whether the database still takes writes, while nothing is to be written."""
LONGEST_PAUSE_SECONDS = 10.0
PLACE_SECONDS = 15.0
"""For the database to say where partitions go on."""
JOIN_SECONDS = 60.0
"""For the group to give partitions, of which a killed member keeps its own for ten seconds; after it there are none."""
SAY_SECONDS = 60.0
"""Between two lines that say the same."""
STILL_SECONDS = 15.0
"""After so long with something to write and nothing written, the worker is not ready."""
_EXPECTED = (DatabaseUnavailableError, UnknownOutcomeError, BrokersError)
P = ParamSpec("P")
T = TypeVar("T")


class State(StrEnum):
    """What a worker does."""

    BEGINS = "begins"
    COUNTS = "counts"
    FOLLOWS = "follows"
    """The database of this site only follows: the worker of the active site counts."""
    STANDS = "stands"
    """Something that it needs is away. It tries again, and goes on where it was."""


class Worker:
    """Counts the clicks of a log.

    Args:
        sink: where counts go.
        source_of: says which log it is, by asking the brokers; called in the reader's thread.
        open_reader: joins the group, by a protocol; called in the reader's thread.
        clock: seconds since some moment.

    Attributes:
        state: what it does.
        problem: why it stands; empty while it does not.
        begun: how often it has begun anew.
        written: transactions so far.
        outcomes: what became of everything that they wrote.
    """

    def __init__(
        self,
        sink: Sink,
        source_of: Callable[[], Source],
        open_reader: Callable[[str, Places], Reader],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State.BEGINS
        self.problem = ""
        self.begun = self.written = 0
        self.outcomes: Counter[tuple[Outcome, Unit]] = Counter()
        self._sink = sink
        self._source_of = source_of
        self._open = open_reader
        self._clock = clock
        self._protocol = PROTOCOLS[0]
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka")
        self._reader: Reader | None = None
        self._source: Source | None = None
        self._catalogue = Catalogue()
        self._log = structlog.get_logger("insight")
        self._pause = 0.0
        self._said: tuple[str, float] = ("", float("-inf"))
        self._turned = self._looked = self._still_since = self._joins_since = clock()

    async def turn(self) -> float:
        """Read and write once; return how long to rest (s)."""
        try:
            return await self._turn()
        except _EXPECTED as error:
            self._begin_anew(error)
            return self._pause
        except asyncio.CancelledError:  # the process ends, or the turn took too long
            self._drop()
            self.state = State.BEGINS
            raise
        except Exception as error:
            self._begin_anew(error)
            raise

    async def ready(self) -> None:
        """Return while clicks are counted, or are counted at the other site.

        Raises:
            DatabaseUnavailableError: they are not.
        """
        if self.state is State.FOLLOWS:
            return
        if self.state is not State.COUNTS:
            raise DatabaseUnavailableError(self.problem or "it has not begun")
        if self.still_seconds > STILL_SECONDS:
            raise DatabaseUnavailableError(f"nothing was written for {self.still_seconds:.0f} s")

    @property
    def still_seconds(self) -> float:
        """How long ago all that was read was written (s)."""
        return self._clock() - self._still_since

    @property
    def reader(self) -> Reader | None:
        """The reader of now; None while there is none."""
        return self._reader

    async def close(self) -> None:
        """Leave the group; what is not written is read again by whoever comes next."""
        self._drop()
        await asyncio.to_thread(self._thread.shutdown)

    async def _turn(self) -> float:
        reader = self._reader
        if reader is None:
            if await self._sink.follows():
                self._note(State.FOLLOWS)
                self._still_since = self._clock()
                return STANDBY_SECONDS
            reader = await self._begin()
        until = self._turned + COMMIT_SECONDS
        while True:
            await self._in_thread(reader.read, max(until - self._clock(), 0.0))
            keys = sum(each.size for each in reader.partitions.values())
            if self._clock() >= until or keys >= MOST_KEYS:
                break
        await self._write(reader)
        self._turned = self._clock()
        if reader.has_joined or self._clock() - self._joins_since > JOIN_SECONDS:
            self._note(State.COUNTS)
        self._pause = 0.0
        return 0.0

    async def _begin(self) -> Reader:
        """Join the group; partitions come with the next calls of `read`."""
        self.begun += 1
        loop = asyncio.get_running_loop()

        def places(extents: Sequence[Extent]) -> list[Place]:
            asked = asyncio.run_coroutine_threadsafe(self._sink.places(source, extents), loop)
            try:
                return asked.result(PLACE_SECONDS)
            except TimeoutError as error:
                asked.cancel()
                raise DatabaseUnavailableError("the database did not say where partitions go on") from error

        self._catalogue = await self._sink.catalogue()
        source = self._source = await self._in_thread(self._source_of)
        self._reader = await self._in_thread(self._open, self._protocol, places)
        self._turned = self._joins_since = self._clock()
        self.state = State.BEGINS
        return self._reader

    async def _write(self, reader: Reader) -> None:
        await self._in_thread(reader.look_at_ends)
        steps, sums = merged(reader.partitions)
        now = self._clock()
        if steps:
            assert self._source is not None  # noqa: S101 set where the reader is
            if self._catalogue.lacks(sums):
                self._catalogue = await self._sink.catalogue()
            rows = rows_of(sums, self._catalogue)
            await self._sink.write(self._source, steps, rows)
            for (_, outcome, unit), number in rows.balance.items():
                self.outcomes[outcome, unit] += number
            for step in steps:
                reader.partitions[step.partition].was_written(step)
            self.written += 1
            now = self._looked = self._clock()
        elif now - self._looked >= LOOK_SECONDS:
            self._looked = now
            if await self._sink.follows():
                raise DatabaseUnavailableError("the database only follows now")
            await self._in_thread(reader.ask)
        self._still_since = now

    def _begin_anew(self, error: Exception) -> None:
        """Forget all that is not written, and say why."""
        self._drop()
        if isinstance(error, ProtocolError) and self._protocol != PROTOCOLS[-1]:
            self._protocol = PROTOCOLS[-1]
            self._log.warning("the brokers do not know the protocol", protocol=PROTOCOLS[0], instead=self._protocol)
            return
        self._pause = min(max(2 * self._pause, COMMIT_SECONDS), LONGEST_PAUSE_SECONDS)
        problem = str(error) if isinstance(error, _EXPECTED) else type(error).__name__
        self._note(State.STANDS, problem)

    def _drop(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            self._thread.submit(reader.close)

    def _note(self, state: State, problem: str = "") -> None:
        """Say what is new, and what goes on to be wrong once a minute."""
        self.state, self.problem = state, problem
        now, said = self._clock(), f"{state}: {problem}"
        if said == self._said[0] and (state is not State.STANDS or now - self._said[1] < SAY_SECONDS):
            return
        self._said = (said, now)
        if state is State.STANDS:
            self._log.warning("clicks are not counted", problem=problem, still_seconds=round(self.still_seconds, 1))
        else:
            self._log.info("worker", state=state)

    async def _in_thread(self, call: Callable[P, T], *arguments: P.args, **more: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(call, *arguments, **more))
