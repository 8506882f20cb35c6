"""Where passwords are hashed: one thread with the lowest weight, a short queue, and a share of the processor.

A hash is made to be expensive. So that nobody can spend a pod's processor with it, a pod makes one at a time, rests in
between, and lets only few wait; who comes when they are all there is asked to come back. Pages, carts and checkouts do
not notice.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")

MOST_WAITING = 4
"""Those who wait and the one whose turn it is; the last one waits for about a second and a half."""
SHARE = 0.5
"""Of one processor's time; after each hash the thread rests for as long as keeps it to that."""
RETRY_SECONDS = 2
_LOWEST_WEIGHT = 19


class HashingFullError(Exception):
    """As many hashes are waiting as may wait."""


class Hashing:
    """The one place of a process where passwords are hashed."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashing", initializer=_step_back)
        self._waiting = 0
        self._rests_until = 0.0  # read and written by the one thread only

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place in the queue; whoever gets none has cost neither a hash nor a query.

        Raises:
            HashingFullError: too many wait.
        """
        if self._waiting >= MOST_WAITING:
            raise HashingFullError
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def run(self, work: Callable[..., Result], *arguments: object) -> Result:
        """Run one hash when it is its turn, for whoever has a place; who goes away before takes it out of the queue."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._rested, work, arguments)

    def _rested(self, work: Callable[..., Result], arguments: tuple[object, ...]) -> Result:
        """Rest after the hash before, then make this one; nobody waits for the rest after their own."""
        time.sleep(max(self._rests_until - time.monotonic(), 0))
        start = time.monotonic()
        try:
            return work(*arguments)
        finally:
            end = time.monotonic()
            self._rests_until = end + (end - start) * (1 - SHARE) / SHARE

    def close(self) -> None:
        """Take no more work."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    """Give this thread the lowest weight: whatever else the process has to do goes first."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_WEIGHT)
