"""Products as pages show them."""

from __future__ import annotations

from dataclasses import dataclass

PAGE_SIZE = 24


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category."""

    slug: str
    kind: str
    title: str
    tagline: str


@dataclass(frozen=True, slots=True)
class Card:
    """A product in a list."""

    slug: str
    name: str
    tagline: str
    shelf: str
    price_minor: int
    picture: str
    colours: tuple[str, ...]
    several_prices: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be put into a cart."""

    sku: str
    colour: str
    size: str
    price_minor: int
    free: int


@dataclass(frozen=True, slots=True)
class Product:
    """A product with everything its page shows."""

    slug: str
    name: str
    tagline: str
    description: str
    details: list[tuple[str, str]]
    shelf: str
    variants: tuple[Variant, ...]
    number: int = 0

    @property
    def colours(self) -> list[str]:
        """Colours in their order."""
        return list(dict.fromkeys(variant.colour for variant in self.variants))

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes in their order, with their prices."""
        return {variant.size: variant.price_minor for variant in self.variants}

    @property
    def price_minor(self) -> int:
        """The lowest price."""
        return min(variant.price_minor for variant in self.variants)

    @property
    def is_available(self) -> bool:
        """Whether any variant is in stock."""
        return any(variant.free > 0 for variant in self.variants)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of cards."""

    cards: tuple[Card, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // PAGE_SIZE))
