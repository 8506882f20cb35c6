"""What must hold of the books after a run, as a function of them and of what customers sent and were promised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from books import TWIN, Books, Charge, Order

RULES = (
    "lost", "doubled", "charged_without_record", "booked_without_charge", "order_unlike_charge",
    "same_order_for_two_customers", "never_asked_for", "refused_but_placed", "wrong_stock",
)  # fmt: skip
SHOWN = 5


@dataclass(frozen=True)
class Promises:
    """The customers' side.

    Attributes:
        sent: marks of all checkout forms that were sent.
        orders: (mark, order) of each answer that promised an order.
        turned_away: marks of the forms that were answered with "nothing was ordered".
    """

    sent: Iterable[str]
    orders: Sequence[tuple[str, str]]
    turned_away: Iterable[str] = field(default=())


def wrongs(books: Books, promises: Promises) -> dict[str, list[str]]:
    """Return what is wrong by the rule that it breaks: keys, marks or ids, one for each case."""
    orders = {order.id: order for order in books.orders}
    taken = [charge for charge in books.charges if charge.status == "captured" and not charge.key.endswith(TWIN)]
    marks = Counter(order.mark for order in books.orders)
    return {
        "lost": sorted({order for _, order in promises.orders} - orders.keys()),
        "doubled": _doubled(books, taken, marks),
        "charged_without_record": _unrecorded(books, taken),
        "booked_without_charge": _uncharged(books, taken),
        "order_unlike_charge": _unlike(books, taken),
        "same_order_for_two_customers": _of_others(orders, promises),
        "never_asked_for": sorted(marks.keys() - set(promises.sent)),
        "refused_but_placed": sorted(marks.keys() & set(promises.turned_away)),
        "wrong_stock": [f"{books.wrong_stock} articles"] * books.wrong_stock,
    }


def in_words(found: dict[str, list[str]]) -> list[str]:
    """Return a line for each rule that is broken, with some of the cases."""
    return [
        f"{rule.replace('_', ' ')}: {len(cases)}, as {', '.join(cases[:SHOWN])}"
        for rule, cases in found.items()
        if cases
    ]


def _doubled(books: Books, taken: Sequence[Charge], marks: Counter[str]) -> list[str]:
    """One form that became two orders, one order or payment that was charged twice, one payment booked twice."""
    by_key, by_reference = (Counter(getattr(charge, name) for charge in taken) for name in ("key", "reference"))
    repeated = [name for counted in (marks, by_key, by_reference) for name, count in counted.items() if count > 1]
    return repeated + [payment.key for payment in books.payments.values() if payment.transfers > 1]


def _unrecorded(books: Books, taken: Sequence[Charge]) -> list[str]:
    """Money that was taken and is not on record as taken for an order: same charge, amount and currency."""
    keys = {order.key for order in books.orders}
    wrong = []
    for charge in taken:
        payment = books.payments.get(charge.key)
        is_recorded = (
            payment is not None
            and (payment.state, payment.charge) == ("captured", charge.id)
            and (payment.amount_minor, payment.currency) == (charge.amount_minor, charge.currency)
            and payment.booked_minor == charge.amount_minor
        )
        if not is_recorded or charge.key not in keys:
            wrong.append(charge.key)
    return wrong


def _uncharged(books: Books, taken: Sequence[Charge]) -> list[str]:
    """What is booked though no money was taken."""
    charged = {(charge.key, charge.id) for charge in taken}
    return [
        payment.key
        for payment in books.payments.values()
        if (payment.state == "captured" or payment.transfers) and (payment.key, payment.charge) not in charged
    ]


def _unlike(books: Books, taken: Sequence[Charge]) -> list[str]:
    """Orders that are paid without a charge, charged without being paid, or charged for what they do not cost."""
    charged = {charge.key: (charge.amount_minor, charge.currency, charge.reference) for charge in taken}
    return [
        order.key
        for order in books.orders
        if (order.state == "paid") != (order.key in charged)
        or (order.key in charged and charged[order.key] != (order.total_minor, order.currency, order.number))
    ]


def _of_others(orders: dict[str, Order], promises: Promises) -> list[str]:
    """Orders that were promised to somebody whose form they are not made of."""
    return [order for mark, order in promises.orders if order in orders and orders[order].mark != mark]
