"""What a process does in the background, supervised: /livez sees a loop that ends or hangs.

Expected trouble (the database is away) is logged, and the next turn tries again. Unexpected trouble is logged with its
trace and waited for longer each time; after a row of such turns the loop ends, /livez fails and the pod is restarted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from app.errors import DatabaseUnavailableError, UnknownOutcomeError

TURN_SECONDS = 120.0
"""Longest time of one turn unless a loop says otherwise; one that takes longer is ended and counts as failed."""
PORTIONS_SECONDS = TURN_SECONDS / 4
"""After so long a turn begins no further portion of its work."""
FAILURES = 8
"""So many unexpected failures in a row end a loop."""
LONGEST_PAUSE_SECONDS = 30.0
STANDBY_SECONDS = 10.0
"""What a turn returns when its database only follows: nothing is to be done here, and no customer waits for it."""
EXPECTED = (DatabaseUnavailableError, UnknownOutcomeError)


class Loop:
    """Takes a turn, waits, takes the next.

    Args:
        name: for logs and /livez.
        turn: one turn; returns how long to rest after it (s), None for the usual wait.
        every_seconds: wait between two turns (s).
        turn_seconds: longest time of a turn (s).
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], Awaitable[float | None]],
        every_seconds: float,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self.name = name
        self._longest = turn_seconds
        self._turn = turn
        self._every = every_seconds
        self._task: asyncio.Task[None] | None = None
        self._latest = time.monotonic()
        self._log = structlog.get_logger(name)

    def start(self) -> None:
        """Begin, within the running event loop."""
        self._latest = time.monotonic()
        self._task = asyncio.create_task(self._go_on(), name=self.name)

    async def stop(self) -> None:
        """End it and wait for its end."""
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._task

    def problem(self) -> str:
        """Return why the loop does no work any more; empty while it does."""
        if self._task is not None and self._task.done():
            return f"loop {self.name} has ended"
        silent = time.monotonic() - self._latest
        if silent > 2 * self._longest + LONGEST_PAUSE_SECONDS + self._every:
            return f"loop {self.name} has been silent for {silent:.0f} s"
        return ""

    async def _go_on(self) -> None:
        failures, rest = 0, self._every
        while True:
            await asyncio.sleep(rest)
            try:
                async with asyncio.timeout(self._longest):
                    asked_for = await self._turn()
                failures, rest = 0, self._every if asked_for is None else asked_for
            except EXPECTED as error:
                failures, rest = 0, self._every
                self._log.warning("loop waits", loop=self.name, problem=type(error).__name__)
            except Exception:
                failures += 1
                rest = min(self._every * 2**failures, max(self._every, LONGEST_PAUSE_SECONDS))
                self._log.exception("loop failed", loop=self.name, failures=failures, of=FAILURES)
                if failures >= FAILURES:
                    self._log.critical("loop ended; /livez fails now", loop=self.name)
                    raise
            self._latest = time.monotonic()


def portions(most: int) -> Iterator[int]:
    """Count the portions of a turn: `most` of them, and fewer when others are slow to answer.

    A turn that asks a silent service again and again does its work, and is no turn that hangs: it ends in time, and the
    next one goes on.
    """
    until = time.monotonic() + PORTIONS_SECONDS
    for portion in range(most):
        if portion and time.monotonic() >= until:
            return
        yield portion


def problems(loops: Iterable[Loop]) -> list[str]:
    """Return what is wrong with any of the loops."""
    return [problem for loop in loops if (problem := loop.problem())]


@asynccontextmanager
async def running(loops: Sequence[Loop]) -> AsyncIterator[None]:
    """Run loops while the block does, and wait for their end after it."""
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            await loop.stop()
