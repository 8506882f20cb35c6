"""Which batches were counted already: the highest number of each tab that was heard lately.

A browser sends the next batch only after it was told that the one before is written, so numbers of a tab only grow in
its partition but for copies. What is forgotten is decided by the records alone, so that two readers of the same records
forget the same tabs at the same one.
"""

from __future__ import annotations

from collections import OrderedDict

MOST_TABS = 20_000
"""Of one partition: those that were heard last. About 4 MiB; by estimate half an hour at 3,500 events/s of it."""
BEFORE_MS = 2 * 60_000
"""So much before a partition's first record that counts is read for marks alone."""
STEP_MS = 5_000
"""How exactly it is known where that begins."""


class Marks:
    """The marks of one partition.

    Args:
        most: tabs that are remembered.

    Attributes:
        forgotten: tabs that were forgotten for want of room.
    """

    def __init__(self, most: int = MOST_TABS) -> None:
        self._most = most
        self._highest: OrderedDict[int, int] = OrderedDict()
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._highest)

    def is_new(self, tab: str, number: int) -> bool:
        """Note a batch and return whether it is new.

        Args:
            tab: number of the tab, hexadecimal.
            number: of the batch in it.
        """
        key = int(tab, 16)
        before = self._highest.pop(key, -1)
        self._highest[key] = max(before, number)
        if len(self._highest) > self._most:
            self._highest.popitem(last=False)
            self.forgotten += 1
        return number > before


class Trail:
    """Where the last BEFORE_MS of a partition begin."""

    def __init__(self) -> None:
        self._steps: list[tuple[int, int]] = []

    def pass_by(self, offset: int, clock: int) -> None:
        """Note that a record was read at a time (ms since 1970)."""
        if not self._steps or clock - self._steps[-1][0] >= STEP_MS:
            self._steps.append((clock, offset))
            while len(self._steps) > 1 and self._steps[1][0] <= clock - BEFORE_MS:
                del self._steps[0]

    @property
    def begins(self) -> int | None:
        """The first record of that time; None before any."""
        return self._steps[0][1] if self._steps else None
