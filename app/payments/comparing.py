"""What differs between the provider's settlements and our payments, as a function of both."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.payments.model import CAPTURED, DECLINED
from app.payments.provider import SettlementLine


class DifferenceKind(StrEnum):
    """In what the provider and the ledger disagree."""

    CHARGE_WITHOUT_PAYMENT = "charge without payment"
    PAYMENT_WITHOUT_CHARGE = "payment without charge"
    AMOUNT = "amount"
    CURRENCY = "currency"
    REFERENCE = "reference"
    DOUBLED = "doubled"
    STATE = "state"
    LATE = "charge of a declined payment"
    REFUND = "refund"
    BOOKING = "booking"


_PUT_RIGHT = (
    "have the provider put the charge right, and the payment settles by itself; or refund all of it there, run `shop "
    "void-payment KEY` in a payments pod, and ask the customer to order again: a part that is refunded settles nothing"
)
ACTIONS = {
    DifferenceKind.CHARGE_WITHOUT_PAYMENT: "find out who charged with our account; refund it at the provider",
    DifferenceKind.PAYMENT_WITHOUT_CHARGE: "ask the provider for the charge; without it, deliver nothing and reverse "
    "the booking with a transfer",
    DifferenceKind.AMOUNT: _PUT_RIGHT,
    DifferenceKind.CURRENCY: _PUT_RIGHT,
    DifferenceKind.REFERENCE: "ask the provider which order the charge is of; do not deliver before that is known",
    DifferenceKind.DOUBLED: "refund this charge at the provider; the other one is booked",
    DifferenceKind.STATE: "look at the charge at the provider: once it says captured or declined, with the payment's "
    "amount, the payment settles by itself",
    DifferenceKind.LATE: "refund this charge at the provider: the payment is closed, so nothing settles it, and the "
    "customer was told that nothing is charged",
    DifferenceKind.REFUND: "money that was given back is booked by `shop void-payment KEY` in a payments pod; if it "
    "was not given back, ask the provider why its books lack a refund that it has confirmed",
    DifferenceKind.BOOKING: "the ledger's entries are not what was paid: stop deliveries of this order and correct "
    "them with a reversing transfer",
}
"""What to do about each."""


@dataclass(frozen=True, slots=True)
class Booked:
    """A payment as far as it is compared; `entries_minor` is what the ledger has on the provider's account for it."""

    key: str
    reference: str
    amount_minor: int
    currency: str
    state: str
    charge: str | None
    entries_minor: int
    age_seconds: float
    problem: str | None
    is_refunded: bool = False
    void_seconds: float | None = None  # since it was given back, or, if it was not, since that was asked for

    @property
    def refunded_minor(self) -> int:
        """What was given back by the ledger."""
        return self.amount_minor if self.is_refunded else 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be."""

    kind: DifferenceKind
    key: str
    charge: str | None
    expected: str
    found: str

    def document(self) -> dict[str, object]:
        """Return it with what to do."""
        return {
            "kind": self.kind.value,
            "key": self.key,
            "charge": self.charge,
            "expected": self.expected,
            "found": self.found,
            "action": ACTIONS[self.kind],
        }


GRACE_SECONDS = 120.0
"""A payment may be unsettled for so long without being a difference."""


def of_line(line: SettlementLine, payment: Booked | None) -> list[Difference]:
    """Compare a settled charge with the payment of its key."""
    if line.refunded_minor >= line.amount_minor and (payment is None or payment.charge != line.charge):
        return []  # nothing of it was kept, and nothing is booked for it
    if payment is None:
        charged = f"none; charged {line.amount_minor} {line.currency} for {line.reference}"
        return [_differs(line, DifferenceKind.CHARGE_WITHOUT_PAYMENT, "a payment with this key", charged)]
    if payment.charge is not None and payment.charge != line.charge:
        return [_differs(line, DifferenceKind.DOUBLED, f"only the charge {payment.charge}", line.charge)]
    if payment.state == DECLINED:
        kept = f"{line.amount_minor - line.refunded_minor} {line.currency}"
        return [_differs(line, DifferenceKind.LATE, "no money: the payment is declined", kept)]
    compared = (
        (DifferenceKind.AMOUNT, payment.amount_minor, line.amount_minor),
        (DifferenceKind.CURRENCY, payment.currency, line.currency),
        (DifferenceKind.REFERENCE, payment.reference, line.reference),
    )
    found = [_differs(line, kind, expected, got) for kind, expected, got in compared if expected != got]
    return found or _of_state(line, payment)  # that the payment is not captured follows from what was found


def _of_state(line: SettlementLine, payment: Booked) -> list[Difference]:
    if payment.state == CAPTURED:
        is_equal = line.refunded_minor == payment.refunded_minor or _is_passing(payment)
        expected = f"{payment.refunded_minor} given back"
        return [] if is_equal else [_differs(line, DifferenceKind.REFUND, expected, line.refunded_minor)]
    if payment.age_seconds <= GRACE_SECONDS:
        return []
    return [_differs(line, DifferenceKind.STATE, "captured, as at the provider", _state(payment))]


def of_payment(payment: Booked) -> list[Difference]:
    """Look at a payment on its own: what is booked for it, and how long it has waited."""
    if payment.state == CAPTURED:
        left = payment.amount_minor - payment.refunded_minor
        if payment.entries_minor != left:
            return [_own(payment, DifferenceKind.BOOKING, left, payment.entries_minor)]
        if payment.is_refunded or payment.void_seconds is None or _is_passing(payment):
            return []
        return [_own(payment, DifferenceKind.STATE, "given back, as was asked for", _state(payment))]
    if payment.state != DECLINED and payment.age_seconds > GRACE_SECONDS:
        return [_own(payment, DifferenceKind.STATE, "captured or declined", _state(payment))]
    return []


def _is_passing(payment: Booked) -> bool:
    """Whether it is given back so lately that provider and ledger may not agree yet."""
    return payment.void_seconds is not None and payment.void_seconds <= GRACE_SECONDS


def without_charge(payment: Booked, found: str) -> Difference:
    """Say that a captured payment has no charge at the provider."""
    return _own(payment, DifferenceKind.PAYMENT_WITHOUT_CHARGE, f"a captured charge {payment.charge}", found)


def _differs(line: SettlementLine, kind: DifferenceKind, expected: object, found: object) -> Difference:
    return Difference(kind, line.key, line.charge, str(expected), str(found))


def _own(payment: Booked, kind: DifferenceKind, expected: object, found: object) -> Difference:
    return Difference(kind, payment.key, payment.charge, str(expected), str(found))


def _state(payment: Booked) -> str:
    why = f": {payment.problem}" if payment.problem else ""
    return f"{payment.state} for {payment.age_seconds:.0f} s{why}"
