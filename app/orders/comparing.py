"""What differs between orders and payments, as a function of both.

Orders are copied to the other site asynchronously, payments synchronously: after an unplanned failover the newest
orders, or their newest states, may be missing while their payments are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.orders.model import Lapse
from app.orders.states import Declined, PendingPayment
from app.statements import Statement

GRACE_SECONDS = 120.0
"""An order or a payment is not compared before it is so old, and no state before it is: both sides move in steps."""
CAPTURED, DECLINED, REFUNDED = "captured", "declined", "refunded"
_VOID = "`shop void-payment KEY`, in a payments pod of the active site, has it given back and books that"


class DifferenceKind(StrEnum):
    """In what orders and payments disagree."""

    PAYMENT_WITHOUT_ORDER = "payment without order"
    ORDER_WITHOUT_PAYMENT = "order without payment"
    NEVER_ASKED = "order whose payment was never asked for"
    AMOUNT = "order amount"
    CURRENCY = "order currency"
    REFERENCE = "order number"
    NOT_SETTLED = "order not settled"
    PAID_WITHOUT_MONEY = "order paid without money"
    MONEY_WITHOUT_SALE = "money of an order that is over"


ACTIONS = {
    DifferenceKind.PAYMENT_WITHOUT_ORDER: f"the order was lost with its site, and nobody will deliver it: {_VOID}. Who "
    "the customer is, only the provider knows; one who asks has the order's number",
    DifferenceKind.ORDER_WITHOUT_PAYMENT: "deliver nothing. Ask the provider for a charge with this key; without one, "
    "ask the customer to pay again",
    DifferenceKind.NEVER_ASKED: "look whether the payments service answers the shop; nothing is charged, and the order "
    "is paid or over within 15 minutes by itself",
    DifferenceKind.AMOUNT: f"deliver nothing before both agree: {_VOID}; then ask the customer to order again",
    DifferenceKind.CURRENCY: f"deliver nothing before both agree: {_VOID}; then ask the customer to order again",
    DifferenceKind.REFERENCE: "find out which order the payment is of before either is delivered or given back",
    DifferenceKind.NOT_SETTLED: "the shop settles it again by itself, at least once a minute: look in the log of its "
    "pods for this order, and why it does not",
    DifferenceKind.PAID_WITHOUT_MONEY: "deliver nothing, and stop what is on its way; then ask the customer to pay "
    "again",
    DifferenceKind.MONEY_WITHOUT_SALE: f"the customer was told that the order is over: {_VOID}",
}
"""What to do about each."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as far as it is compared."""

    key: str
    number: str
    state: str
    lapse: str | None
    total_minor: int
    currency: str
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that orders and payments do not agree about."""

    kind: DifferenceKind
    key: str
    order: str
    expected: str
    found: str
    age_seconds: float

    def document(self) -> dict[str, object]:
        """Return it with what to do."""
        return {
            "kind": self.kind.value,
            "key": self.key,
            "order": self.order,
            "expected": self.expected,
            "found": self.found,
            "age_seconds": round(self.age_seconds),
            "action": ACTIONS[self.kind],
        }


def of_order(order: Placed, payment: Statement | None) -> list[Difference]:
    """Compare an order with the payment of its key."""

    def differs(kind: DifferenceKind, expected: object, found: object) -> Difference:
        return Difference(kind, order.key, order.number, str(expected), str(found), order.age_seconds)

    if order.age_seconds <= GRACE_SECONDS:
        return []
    if payment is None:
        if order.state == Declined.name:
            return []  # rejected, or over: money that was never asked for
        kind = DifferenceKind.ORDER_WITHOUT_PAYMENT
        if order.state == PendingPayment.name:
            kind = DifferenceKind.NEVER_ASKED
        return [
            differs(kind, f"a payment of {order.total_minor} {order.currency}", f"none; the order is {order.state}")
        ]
    compared = (
        (DifferenceKind.AMOUNT, order.total_minor, payment.amount_minor),
        (DifferenceKind.CURRENCY, order.currency, payment.currency),
        (DifferenceKind.REFERENCE, order.number, payment.reference),
    )
    found = [differs(kind, expected, got) for kind, expected, got in compared if expected != got]
    if found and payment.state not in {DECLINED, REFUNDED}:
        return found  # what the states are does not matter before these agree
    return [differs(*each) for each in _states(order, payment)]


def without_order(payment: Statement) -> list[Difference]:
    """Judge a payment that no order is known for."""
    if payment.age_seconds <= GRACE_SECONDS or payment.state in {DECLINED, REFUNDED}:
        return []  # no money is kept
    found = f"none; the payment of {payment.amount_minor} {payment.currency} is {payment.state}"
    return [
        Difference(
            DifferenceKind.PAYMENT_WITHOUT_ORDER, payment.key, payment.reference, "an order", found, payment.age_seconds
        )
    ]


def _states(order: Placed, payment: Statement) -> list[tuple[DifferenceKind, str, str]]:
    if order.state == PendingPayment.name:
        return _of_pending(order, payment)
    if order.state == Declined.name:
        return _of_over(order, payment)
    if payment.state == CAPTURED:
        return []
    return [(DifferenceKind.PAID_WITHOUT_MONEY, f"a captured payment: the order is {order.state}", payment.state)]


def _of_pending(order: Placed, payment: Statement) -> list[tuple[DifferenceKind, str, str]]:
    if payment.state not in {CAPTURED, DECLINED, REFUNDED} or payment.settled_seconds <= GRACE_SECONDS:
        return []
    return [(DifferenceKind.NOT_SETTLED, f"not pending: the payment is {payment.state}", order.state)]


def _of_over(order: Placed, payment: Statement) -> list[tuple[DifferenceKind, str, str]]:
    is_voiding = order.lapse == Lapse.OPEN and (payment.state != CAPTURED or payment.settled_seconds <= GRACE_SECONDS)
    if payment.state in {DECLINED, REFUNDED} or is_voiding:
        return []  # what is being voided counts among the payments without an outcome
    return [(DifferenceKind.MONEY_WITHOUT_SALE, "a payment without money", f"one that is {payment.state}")]
