"""Categories and colours: the same for every visitor and release, so they are kept in the process."""

from __future__ import annotations

from collections.abc import Mapping

from app.catalogue.model import Shelf
from app.catalogue.seed.model import Colour
from app.catalogue.seed.palette import COLOURS
from app.catalogue.seed.products import categories
from app.catalogue.vocabulary import Vocabulary


class Shelves:
    """The shop's categories, by name and in order."""

    def __init__(self) -> None:
        self.all: tuple[Shelf, ...] = tuple(
            Shelf(category.slug, category.kind, category.title, category.tagline) for category in categories()
        )
        self.by_slug: Mapping[str, Shelf] = {shelf.slug: shelf for shelf in self.all}
        self.vocabulary = Vocabulary(self.all)
        self.colours: Mapping[str, Colour] = COLOURS

    def of_kind(self, kind: str) -> tuple[Shelf, ...]:
        """Return the categories of apparel or of electronics."""
        return tuple(shelf for shelf in self.all if shelf.kind == kind)
