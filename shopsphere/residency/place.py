"""A place where data may be: how it is read, and how it is shown that the reading works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.residency.search import Anchored, Found, Search

PIECE = 1 << 20
"""Bytes that are read at once."""
HOME = ""
"""Control of a place whose own jurisdiction's tokens must be in it: nothing else has to be planted there."""
PROBLEMS_KEPT = 20


@dataclass
class Seen:
    """What a place held, and how much of it was looked at.

    Attributes:
        found: of what was looked for; its positions begin with the item.
        items: files, keys, dumps or streams that were looked at.
        unchanged: octets of files that have not changed since before the planting, and so cannot hold a token.
        problems: what could not be looked at, and why.
        unsaid: how many more problems there were than are kept.
    """

    found: Found = field(default_factory=Found)
    items: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)
    unsaid: int = 0

    def look(self, where: str, pieces: Iterable[bytes], anchored: Anchored) -> None:
        """Look at one item; one that cannot be read to its end is a problem, and what was read of it counts."""
        search = Search(anchored)
        try:
            for piece in pieces:
                search.feed(piece)
        except (OSError, ShopSphereError) as error:
            self.note(f"{where}: {one_line(error)}")
        found = search.finish()
        self.found.add(_placed(found, where))
        self.items += 1

    def note(self, problem: str) -> None:
        """Keep a problem, or count it where there are many."""
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.append(problem)
        else:
            self.unsaid += 1


class Place(Protocol):
    """One place.

    Attributes:
        name: how reports call it.
        kind: as in `database`, `files`, `log`, `cache`, `DNS`, `etcd`, `objects`, `links`.
        shared: whether it spans jurisdictions, so that nobody's tokens may be in it, those of its own site neither.
    """

    name: str
    kind: str
    shared: bool

    def control(self, word: str) -> AbstractContextManager[str]:
        """Put `word` there for a while; give the word that must be found: that one, another, or HOME."""

    def look(self, anchored: Anchored) -> Seen:
        """Look for needles; raises ShopSphereError or OSError where the place cannot be looked at."""


def in_pieces(text: str) -> Iterator[bytes]:
    """Yield a text as bytes, a piece at a time."""
    octets = text.encode()
    for at in range(0, len(octets), PIECE):
        yield octets[at : at + PIECE]


def _placed(found: Found, where: str) -> Found:
    positions = {key: [f"{where}: {each}" for each in kept] for key, kept in found.positions.items()}
    return Found(found.counts, positions, found.octets, found.opened, found.left_shut)
