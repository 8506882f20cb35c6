"""The judge of the bench of money finds what was planted in the books, and nothing in good ones."""

import sys
from dataclasses import replace

import pytest

from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "tests" / "app"))
sys.path.append(str(REPOSITORY / "bench" / "money"))
from books import Books, Charge, Order, Payment
from judging import RULES, Promises, in_words, wrongs

PAID = Order("aa-1", "EU-1", "ada@example.org", "paid", 2490, "EUR")
DECLINED = Order("aa-2", "EU-2", "bob@example.org", "declined", 900, "EUR")
OTHER = Order("aa-3", "EU-3", "cleo@example.org", "paid", 900, "EUR")
PAYMENTS = (
    Payment("order-aa1", "captured", "ch_1", 2490, "EUR", 1, 2490),
    Payment("order-aa2", "declined", None, 900, "EUR", 0, 0),
    Payment("order-aa3", "captured", "ch_3", 900, "EUR", 1, 900),
)
CHARGES = (
    Charge("ch_1", "order-aa1", "EU-1", "captured", 2490, "EUR"),
    Charge("ch_1b", "order-aa1\ttwin", "EU-1", "captured", 2490, "EUR"),  # planted, and the reconciliation's to find
    Charge("ch_2", "order-aa2", "EU-2", "declined", 900, "EUR"),
    Charge("ch_3", "order-aa3", "EU-3", "captured", 900, "EUR"),
)
SENT = ("ada@example.org", "bob@example.org", "cleo@example.org", "dora@example.org")  # dora's was never placed
PROMISED = (
    ("ada@example.org", "aa-1"),
    ("ada@example.org", "aa-1"),  # sent twice, answered twice
    ("bob@example.org", "aa-2"),
    ("cleo@example.org", "aa-3"),
)
TURNED_AWAY = ("dora@example.org",)


def books(
    orders: tuple[Order, ...] = (PAID, DECLINED, OTHER),
    payments: tuple[Payment, ...] = PAYMENTS,
    charges: tuple[Charge, ...] = CHARGES,
    wrong_stock: int = 0,
) -> Books:
    return Books(orders, {payment.key: payment for payment in payments}, charges, wrong_stock)


def broken(seen: Books, promises: Promises | None = None) -> dict[str, list[str]]:
    found = wrongs(seen, promises or Promises(SENT, PROMISED, TURNED_AWAY))
    assert tuple(found) == RULES
    return {rule: cases for rule, cases in found.items() if cases}


def test_good_books_are_good() -> None:
    assert broken(books()) == {}
    assert in_words(wrongs(books(), Promises(SENT, PROMISED, TURNED_AWAY))) == []


SECOND = Order("aa-4", "EU-4", "ada@example.org", "declined", 2490, "EUR")
NOBODYS = Order("aa-4", "EU-4", "eve@example.org", "declined", 2490, "EUR")
AGAIN = Charge("ch_9", "order-aa9", "EU-1", "captured", 2490, "EUR")


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (books((PAID, OTHER)), {"lost": ["aa-2"]}),
        (books((PAID, DECLINED, OTHER, SECOND)), {"doubled": ["ada@example.org"]}),
        (books((PAID, DECLINED, OTHER, NOBODYS)), {"never_asked_for": ["eve@example.org"]}),
        (
            books(charges=(*CHARGES, AGAIN)),  # the same order under another key
            {"doubled": ["EU-1"], "charged_without_record": ["order-aa9"]},
        ),
        (
            books(charges=(*CHARGES, replace(CHARGES[0], id="ch_9"))),  # the same key
            {"doubled": ["order-aa1", "EU-1"], "charged_without_record": ["order-aa1"]},
        ),
        (
            books(payments=(replace(PAYMENTS[0], transfers=2, booked_minor=4980), *PAYMENTS[1:])),
            {"doubled": ["order-aa1"], "charged_without_record": ["order-aa1"]},
        ),
        (books(payments=PAYMENTS[1:]), {"charged_without_record": ["order-aa1"]}),
        (
            books(payments=(replace(PAYMENTS[0], state="declined", charge=None, transfers=0), *PAYMENTS[1:])),
            {"charged_without_record": ["order-aa1"]},
        ),
        (
            books(payments=(replace(PAYMENTS[0], booked_minor=2489), *PAYMENTS[1:])),
            {"charged_without_record": ["order-aa1"]},
        ),
        (
            books((DECLINED, OTHER)),
            {"lost": ["aa-1"], "charged_without_record": ["order-aa1"]},
        ),
        (
            books((PAID, DECLINED, replace(OTHER, state="declined")), charges=CHARGES[:3]),
            {"booked_without_charge": ["order-aa3"]},
        ),
        (
            books(charges=(*CHARGES[:2], replace(CHARGES[2], status="captured"), CHARGES[3])),
            {"charged_without_record": ["order-aa2"], "order_unlike_charge": ["order-aa2"]},
        ),
        (books((replace(PAID, state="pending_payment"), DECLINED, OTHER)), {"order_unlike_charge": ["order-aa1"]}),
        (books((replace(PAID, total_minor=2491), DECLINED, OTHER)), {"order_unlike_charge": ["order-aa1"]}),
        (books((replace(PAID, currency="CHF"), DECLINED, OTHER)), {"order_unlike_charge": ["order-aa1"]}),
        (books((replace(PAID, number="EU-7"), DECLINED, OTHER)), {"order_unlike_charge": ["order-aa1"]}),
        (books(wrong_stock=2), {"wrong_stock": ["2 articles", "2 articles"]}),
    ],
)
def test_what_was_planted_in_the_books_is_found(seen: Books, expected: dict[str, list[str]]) -> None:
    assert broken(seen) == expected


@pytest.mark.parametrize(
    ("promises", "expected"),
    [
        (Promises(SENT, (*PROMISED, ("dora@example.org", "aa-8")), ()), {"lost": ["aa-8"]}),
        (Promises(SENT, (*PROMISED, ("dora@example.org", "aa-3"))), {"same_order_for_two_customers": ["aa-3"]}),
        (Promises(SENT, PROMISED[:3], ("cleo@example.org",)), {"refused_but_placed": ["cleo@example.org"]}),
        (Promises(SENT[1:], PROMISED[2:]), {"never_asked_for": ["ada@example.org"]}),
        (Promises(SENT, PROMISED[:3]), {}),  # ordered, and the answer was lost: nobody was promised anything
    ],
)
def test_what_customers_were_promised_wrongly_is_found(promises: Promises, expected: dict[str, list[str]]) -> None:
    assert broken(books(), promises) == expected


def test_a_violation_says_how_often_and_where() -> None:
    found = wrongs(books((PAID, OTHER)), Promises(SENT, PROMISED))
    assert in_words(found) == ["lost: 1, as aa-2"]
