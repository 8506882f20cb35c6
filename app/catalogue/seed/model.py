"""What a seeded product is, before it becomes rows and pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour of a garment or finish of a device."""

    slug: str
    title: str
    hex: str


@dataclass(frozen=True, slots=True)
class Category:
    """A shelf of the shop."""

    slug: str
    kind: str  # apparel or electronics
    title: str
    tagline: str


@dataclass(frozen=True, slots=True)
class Size:
    """A garment's size, or a device's configuration, and what it adds to the price (percent)."""

    title: str
    surcharge_percent: int = 0


@dataclass(frozen=True, slots=True)
class SeededProduct:
    """One product: words, options and prices, and the parameters of its pictures."""

    slug: str
    category: Category
    name: str
    tagline: str
    description: str
    details: dict[str, str]
    colours: tuple[Colour, ...]
    sizes: tuple[Size, ...]
    prices: dict[str, int]  # whole units by currency, for the smallest size; in euro always, in others where it is set
    ends_in_nine: bool  # a price that follows from the one in euro is rounded to end in 9
    shape: str  # which garment or device is drawn
    motif: str  # which print, empty for devices
    variety: int  # tells pictures of one shape apart
    featured: bool

    def picture(self, colour: Colour) -> str:
        """Return the logical name of the picture in one colour."""
        return f"{self.slug}-{colour.slug}"
