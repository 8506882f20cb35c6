"""An order's life, one type per state.

A state has a method for each transition that it allows and none for others, so that an illegal transition is no
program: the type checker refuses it. The database holds the same table (orders.transition) and refuses it too,
whoever writes.

    pending payment -> paid -> in production -> dispatched -> delivered
    pending payment -> declined (by the provider, by the payments service, or because its time was over)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Delivered:
    """The customer has it; the end."""

    name: ClassVar[str] = "delivered"
    title: ClassVar[str] = "Delivered"
    order: UUID


@dataclass(frozen=True, slots=True)
class Dispatched:
    """On its way."""

    name: ClassVar[str] = "dispatched"
    title: ClassVar[str] = "On its way"
    order: UUID

    def deliver(self) -> Delivered:
        """The carrier handed it over."""
        return Delivered(self.order)


@dataclass(frozen=True, slots=True)
class InProduction:
    """Being printed, engraved or packed."""

    name: ClassVar[str] = "in_production"
    title: ClassVar[str] = "Being made"
    order: UUID

    def dispatch(self) -> Dispatched:
        """The parcel left the house."""
        return Dispatched(self.order)


@dataclass(frozen=True, slots=True)
class Paid:
    """The ledger has the money."""

    name: ClassVar[str] = "paid"
    title: ClassVar[str] = "Paid"
    order: UUID

    def produce(self) -> InProduction:
        """Work on it began."""
        return InProduction(self.order)


@dataclass(frozen=True, slots=True)
class Declined:
    """It ended without being paid, and the stock is free.

    The provider said no, the payments service refused to ask it, or neither said anything in time: then the order's
    `lapse` says whether its payment is over as well.
    """

    name: ClassVar[str] = "declined"
    title: ClassVar[str] = "Payment declined"
    order: UUID


@dataclass(frozen=True, slots=True)
class PendingPayment:
    """Placed, stock taken; whether it is paid is not known yet."""

    name: ClassVar[str] = "pending_payment"
    title: ClassVar[str] = "Payment being confirmed"
    order: UUID

    def pay(self) -> Paid:
        """The payments service captured the money."""
        return Paid(self.order)

    def decline(self) -> Declined:
        """The payments service said that it was declined."""
        return Declined(self.order)

    def reject(self) -> Declined:
        """The payments service will never ask the provider for such a payment."""
        return Declined(self.order)

    def lapse(self) -> Declined:
        """Its reservation is over, and it is not known whether it was paid."""
        return Declined(self.order)


OrderState = PendingPayment | Paid | Declined | InProduction | Dispatched | Delivered
STATES: dict[str, type[OrderState]] = {
    state.name: state for state in (PendingPayment, Paid, Declined, InProduction, Dispatched, Delivered)
}


def state_of(name: str, order: UUID) -> OrderState:
    """Return the state that a row holds."""
    return STATES[name](order)
