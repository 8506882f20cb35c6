"""Where counts go, and who says how far a log is counted: an interface so small that a test can have one in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.errors import DatabaseUnavailableError
from app.insight.counting import Extent, Place, Step
from app.insight.rows import Catalogue, Rows


@dataclass(frozen=True, slots=True)
class Source:
    """A log of clicks.

    Attributes:
        site: where it is.
        topic: its name.
        log: its id; a topic that is made anew has another one.
    """

    site: str
    topic: str
    log: str


class FencedError(DatabaseUnavailableError):
    """Another worker has counted what was to be counted; nothing was written."""


class Sink(Protocol):
    """Keeps counts."""

    async def follows(self) -> bool:
        """Whether it only follows another one now, so that nothing can be counted."""

    async def places(self, source: Source, extents: Sequence[Extent]) -> list[Place]:
        """Return where each partition goes on."""

    async def catalogue(self) -> Catalogue:
        """Return what names mean."""

    async def write(self, source: Source, steps: Sequence[Step], rows: Rows) -> None:
        """Write rows, and how far is counted then, or nothing of both.

        Raises:
            FencedError: the database says of a partition that it is counted to another place than its step begins at.
        """
