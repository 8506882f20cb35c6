"""Until when all that a database wrote was received: by positions in its log, not because two programs run."""

from __future__ import annotations

from pathlib import Path

from app.archive.names import PARTIAL, SEGMENT_BYTES, Segment
from app.archive.records import ends_whole_at

MOST_SEEN = 100
"""Looks that are remembered: one every 10 s, so that a receiver may be a quarter of an hour behind."""
BLOCK = 2**20


def position_of(text: str) -> int:
    """Return a position as PostgreSQL writes it (`16/B374D848`) in bytes."""
    high, _, low = text.partition("/")
    return (int(high, 16) << 32) + int(low, 16)


def received_until(folder: Path, passed: Segment | None, timeline: int, position: int) -> int:
    """Return the position (bytes) up to which a timeline was surely received; 0 for nothing of it.

    A file that is not full is as long as a full one, with zeros behind what was received. What was received may end
    in zeros, too: the database's position counts where a whole record ends there.

    Args:
        folder: that the receiver writes into.
        passed: the newest segment that was sent and removed.
        timeline: that the database is on.
        position: of the database (bytes).
    """
    held = [(found, file) for file in folder.iterdir() if (found := Segment.of(file.name)) is not None]
    newest, file = max(held, key=lambda each: each[0], default=(passed, None))
    if newest is None or (passed and newest < passed):
        newest, file = passed, None
    if newest is None or newest.timeline != timeline:
        return 0
    if file is None or not file.name.endswith(PARTIAL):
        return (newest.number + 1) * SEGMENT_BYTES
    begin = newest.number * SEGMENT_BYTES
    used = begin + _used(file)
    if used < position <= begin + SEGMENT_BYTES:
        with file.open("rb") as content:
            return position if ends_whole_at(content, position) else used
    return used


def _used(file: Path) -> int:
    """Return where the zeros at a file's end begin (bytes)."""
    with file.open("rb") as content:
        end = content.seek(0, 2)
        while end:
            begin = max(0, end - BLOCK)
            content.seek(begin)
            used = len(content.read(end - begin).rstrip(b"\0"))
            if used:
                return begin + used
            end = begin
    return 0


class Coverage:
    """Remembers where the database was at which time, until that much was received."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []
        self._last = -1
        self.position = 0

    def look(self, at: float, position: int, received: int, *, is_current: bool) -> float | None:
        """Return until when all is received; None where this look tells nothing.

        Args:
            at: the time before the database was asked.
            position: of the database (bytes).
            received: up to where the receiver has it (bytes).
            is_current: whether the database leads, or hears from the one that does. One that follows and hears nothing
                is at a position of the past, unless it advanced.
        """
        advanced = position > self._last >= 0
        self._last = position
        if not is_current and not advanced:
            return None
        self._seen = [*self._seen, (at, position)][-MOST_SEEN:]
        reached = [each for each in self._seen if each[1] <= received]
        if not reached:
            return None
        time, self.position = reached[-1]
        self._seen = [each for each in self._seen if each[0] > time]
        return time
