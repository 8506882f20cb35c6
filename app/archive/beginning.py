"""From which segment on a collector has received everything, where it did not go on from what the archive has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.archive.names import Segment


class Beginning:
    """Knows the first segment of an unbroken run; whoever changes it holds the folder's lock.

    A base backup of a database that follows is consistent at a place which that may have replayed long before, in a
    segment before the first one that was received. Then it cannot be restored, and a later one can.
    """

    def __init__(self) -> None:
        self._first: int | None = 0

    def from_now(self) -> None:
        """Whatever is received next is the first; what the folder has by then is of before."""
        self._first = None

    def after(self, segment: Segment) -> None:
        """What comes after this segment is the first that is known to be received."""
        self._first = segment.number + 1

    @property
    def is_known(self) -> bool:
        """Whether it is known where the run begins."""
        return self._first is not None

    def look(self, folder: Path) -> None:
        """Note the oldest segment in the folder that the receiver writes into, unless the first one is known."""
        if self._first is None:
            held = [found.number for file in folder.iterdir() if (found := Segment.of(file.name))]
            self._first = min(held, default=None)

    def lacks(self, facts: Mapping[str, Any]) -> str:
        """Return what a base backup needs that was not received, in words; empty where nothing is missing."""
        needed = Segment.of(str(facts["first_segment"]))
        if needed is None or (self._first is not None and needed.number >= self._first):
            return ""
        return f"gap: {needed.name}, which the newest base backup needs, was not received"
