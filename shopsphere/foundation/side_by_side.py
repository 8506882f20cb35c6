"""The same for several things at once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")


def at_each(things: Collection[Thing], work: Callable[[Thing], Answer]) -> list[Answer]:
    """Do something with each thing in a thread of its own, and return the answers in the things' order.

    One that hangs takes its own time and nobody else's. The first failure is raised when all have ended.
    """
    with ThreadPoolExecutor(max(1, len(things))) as pool:
        return list(pool.map(work, things))
