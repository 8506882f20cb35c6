"""From which segment on a collector has received everything, where it did not go on from what the archive has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.archive.names import Segment
from app.archive.receiving import Identity

_BACK = 1
"""Segments before the current one from which a follower is received."""


class Beginning:
    """Knows the first segment of an unbroken run; looked at by two threads, changed by one.

    A base backup of a database that follows is consistent at the last restart point or a page that was written since,
    which may lie in a segment before the current one; then the rest of that segment is needed, too.
    """

    def __init__(self) -> None:
        self._first: int | None = 0

    def from_now(self) -> None:
        """Whatever is received next is the first."""
        self._first = None

    def before(self, identity: Identity) -> Segment | None:
        """Return the segment after which to receive a database of which the archive has nothing; None for from now on.

        A database that leads begins each base backup anew, so that nothing from before is needed.
        """
        now = Segment.at(identity.timeline, identity.position)
        if not identity.follows or now.number <= _BACK + 1:
            self.from_now()
            return None
        self._first = now.number - _BACK
        return Segment(now.timeline, self._first - 1)

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
