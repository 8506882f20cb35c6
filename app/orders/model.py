"""Orders as pages show them, and what placing one needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from app.orders.states import OrderState
from app.orders.taxes import IncludedTax

RESERVATION_SECONDS = 15 * 60.0
"""How long an order keeps its pieces without being paid."""


class Lapse(StrEnum):
    """What became of the payment of an order that was not paid in time."""

    OPEN = "open"  # it is being voided; whether money was taken is not known yet
    UNPAID = "unpaid"  # no money was taken, and none will be
    REFUNDED = "refunded"  # it was taken after all, and given back


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets the parcel."""

    email: str
    name: str
    street: str
    postcode: str
    city: str
    country: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What was ordered, as it was named and priced then."""

    slug: str
    colour: str
    size: str
    product_name: str
    quantity: int
    unit_minor: int
    customisation: dict[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """An order."""

    id: UUID
    number: str
    session: UUID
    customer: UUID | None
    state: OrderState
    currency: str
    goods_minor: int
    shipping_minor: int
    payment_token: str
    recipient: Recipient
    placed_at: datetime
    lines: tuple[OrderLine, ...]
    taxes: tuple[IncludedTax, ...]
    age_seconds: float = 0.0
    lapse: Lapse | None = None

    @property
    def title(self) -> str:
        """The state, for its customer."""
        return self.state.title if self.lapse is None else "Not paid in time"

    @property
    def total_minor(self) -> int:
        """What is to be paid."""
        return self.goods_minor + self.shipping_minor


@dataclass(frozen=True, slots=True)
class History:
    """One page of somebody's orders, newest first, and how many pages there are."""

    orders: tuple[Order, ...] = ()
    page: int = 1
    pages: int = 1
