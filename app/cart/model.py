"""A cart and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.region import Region

MOST_PIECES = 20  # of one line; the database checks the same


@dataclass(frozen=True, slots=True)
class CartLine:
    """One variant, as customised, some pieces of it."""

    id: UUID
    sku: str
    slug: str
    product_name: str
    colour: str
    size: str
    quantity: int
    unit_minor: int
    free: int
    customisation: dict[str, str]

    @property
    def total_minor(self) -> int:
        """The line's price."""
        return self.quantity * self.unit_minor


@dataclass(frozen=True, slots=True)
class Cart:
    """All lines of a session, priced in a region."""

    lines: tuple[CartLine, ...]
    region: Region

    @property
    def goods_minor(self) -> int:
        """The price of all lines."""
        return sum(line.total_minor for line in self.lines)

    @property
    def shipping_minor(self) -> int:
        """Shipping; free above a threshold, nothing for an empty cart."""
        return (
            0
            if not self.lines or self.goods_minor >= self.region.free_shipping_from_minor
            else self.region.shipping_minor
        )

    @property
    def total_minor(self) -> int:
        """What the customer pays."""
        return self.goods_minor + self.shipping_minor
