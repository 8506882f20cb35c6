"""One piece of work for several things, all at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")


def at_each(things: Collection[Thing], work: Callable[[Thing], Answer]) -> list[Answer]:
    """Do something with each thing in a thread of its own, and return the answers in the things' order.

    One that hangs does not delay the work on the others, but this returns, or raises the first failure, only when all
    have ended.
    """
    with ThreadPoolExecutor(max(1, len(things))) as pool:
        return list(pool.map(work, things))
