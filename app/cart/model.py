"""A cart, what it costs, and what keeps it from being ordered."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

import msgspec

from app.region import Region

MOST_PIECES = 20  # of one line; the database checks the same
MOST_LINES = 50
"""Lines that a cart takes; what a sign-in or a declined payment brings back may come on top."""
LARGEST_SHARE = 4
"""One order takes MOST_PIECES of an article, or one part in this many of its stock if that is more."""


def most_of_article(free: int) -> int:
    """Return how many pieces of an article one order may take, of all its lines together."""
    return min(free, max(MOST_PIECES, free // LARGEST_SHARE))


@dataclass(frozen=True, slots=True)
class CartLine:
    """One variant, as customised, some pieces of it.

    Attributes:
        kind: of its category, such as apparel.
        unit_minor: today's price of a piece; 0 when it is not on sale.
        free: pieces of the variant in stock.
        most: pieces that this line may have, now and beside the cart's other lines.
        product: number of the product.
    """

    id: UUID
    sku: str
    slug: str
    product_name: str
    kind: str
    colour: str
    size: str
    quantity: int
    unit_minor: int
    free: int
    is_on_sale: bool
    customisation: dict[str, str]
    most: int
    product: int = 0

    @property
    def total_minor(self) -> int:
        """The line's price."""
        return self.quantity * self.unit_minor

    @property
    def bound(self) -> str:
        """Return why there cannot be more pieces than `most`, for the customer."""
        if self.free <= MOST_PIECES:
            return f"Only {self.most} of these are left"
        return f"You can order {most_of_article(self.free)} of these at once"

    @property
    def problem(self) -> str:
        """Return why the line cannot be ordered as it is, for the customer; empty if it can."""
        if not self.is_on_sale:
            return f"{self.product_name} is no longer on sale. Please remove it."
        if self.quantity <= self.most:
            return ""
        if not self.free:
            return f"{self.product_name} is sold out. Please remove it."
        if self.free <= MOST_PIECES:
            return f"Only {self.free} left of {self.product_name}."
        return f"We sell at most {most_of_article(self.free)} of {self.product_name} in one order."


@dataclass(frozen=True, slots=True)
class Cart:
    """All lines of a guest or a customer, priced in a region."""

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

    @property
    def agreement(self) -> str:
        """Return a digest of all that a customer agrees to: articles, customisation, pieces, prices, shipping.

        The checkout's form carries it, so that an order is of what the form's page has shown.
        """
        lines = sorted(
            [line.sku, sorted(line.customisation.items()), line.quantity, line.unit_minor] for line in self.lines
        )
        terms = [self.region.currency, self.shipping_minor, lines]
        return hashlib.sha256(msgspec.json.encode(terms)).hexdigest()[:32]
