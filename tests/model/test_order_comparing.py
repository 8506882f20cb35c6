"""What a comparison of orders with payments calls a difference, and what it does not."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.orders.comparing import ACTIONS, Difference, DifferenceKind, Placed, of_order, without_order
from app.orders.payments_client import order_of_key, payment_key
from app.orders.reconciling import MOST_TOLD, Report
from app.statements import Statement

pytestmark = pytest.mark.requirement("reconciliation of orders with payments finds every difference")

KEY = "order-00000000000000000000000000000001"
ORDER = Placed(
    key=KEY, number="EU-2", state="paid", lapse=None, total_minor=500, currency="EUR", age_seconds=3600.0
)  # fmt: skip
PAYMENT = Statement(
    key=KEY, reference="EU-2", amount_minor=500, currency="EUR", state="captured", settled_seconds=3600.0,
    age_seconds=3600.0,
)  # fmt: skip


def kinds(order: dict[str, Any], payment: dict[str, Any] | None) -> list[str]:
    paid = None if payment is None else msgspec.structs.replace(PAYMENT, **payment)
    return [found.kind.value for found in of_order(dataclasses.replace(ORDER, **order), paid)]


PENDING, OVER = {"state": "pending_payment"}, {"state": "declined"}
OPEN, UNPAID = {"state": "declined", "lapse": "open"}, {"state": "declined", "lapse": "unpaid"}
MONEY = ["money of an order that is over"]


@pytest.mark.parametrize(
    ("order", "payment", "expected"),
    [
        ({}, {}, []),
        ({"state": "in_production"}, {}, []),
        ({"state": "delivered"}, {}, []),
        ({}, None, ["order without payment"]),
        ({"state": "dispatched"}, None, ["order without payment"]),
        (PENDING, None, ["order whose payment was never asked for"]),
        ({**PENDING, "age_seconds": 119.0}, None, []),
        (OVER, None, []),
        (UNPAID, None, []),
        ({"total_minor": 501}, {}, ["order amount"]),
        ({"currency": "USD"}, {}, ["order currency"]),
        ({"number": "EU-3"}, {}, ["order number"]),
        ({"total_minor": 501, "currency": "USD"}, {}, ["order amount", "order currency"]),
        ({"total_minor": 501, **OVER}, {"state": "declined"}, []),
        ({"total_minor": 501}, {"state": "refunded"}, ["order paid without money"]),
        (PENDING, {}, ["order not settled"]),
        (PENDING, {"state": "declined"}, ["order not settled"]),
        (PENDING, {"state": "refunded"}, ["order not settled"]),
        (PENDING, {"settled_seconds": 119.0}, []),
        (PENDING, {"state": "unknown"}, []),
        (OVER, {"state": "declined"}, []),
        (OVER, {"state": "refunded"}, []),
        (OVER, {}, MONEY),
        (OVER, {"settled_seconds": 5.0}, MONEY),
        (OVER, {"state": "unknown"}, MONEY),
        (UNPAID, {}, MONEY),
        (OPEN, {}, MONEY),
        (OPEN, {"settled_seconds": 119.0}, []),
        (OPEN, {"state": "unknown"}, []),
        (OPEN, {"state": "refunded"}, []),
        ({}, {"state": "declined"}, ["order paid without money"]),
        ({}, {"state": "unknown"}, ["order paid without money"]),
        ({"state": "in_production"}, {"state": "refunded"}, ["order paid without money"]),
    ],
)
def test_an_order_and_its_payment(order: dict[str, Any], payment: dict[str, Any] | None, expected: list[str]) -> None:
    assert kinds(order, payment) == expected


@pytest.mark.parametrize(
    ("payment", "expected"),
    [
        ({}, ["payment without order"]),
        ({"state": "unknown"}, ["payment without order"]),
        ({"state": "declined"}, []),
        ({"state": "refunded"}, []),
        ({"age_seconds": 119.0}, []),
    ],
)
def test_a_payment_without_an_order(payment: dict[str, Any], expected: list[str]) -> None:
    assert [found.kind.value for found in without_order(msgspec.structs.replace(PAYMENT, **payment))] == expected


def test_each_difference_says_what_to_do() -> None:
    assert set(ACTIONS) == set(DifferenceKind)
    (found,) = of_order(ORDER, None)
    assert found.document() == {
        "kind": "order without payment", "key": KEY, "order": "EU-2", "expected": "a payment of 500 EUR",
        "found": "none; the order is paid", "age_seconds": 3600,
        "action": "deliver nothing. Ask the provider for a charge with this key; without one, ask the customer to pay "
        "again",
    }  # fmt: skip


def test_the_key_of_a_payment_names_its_order_and_nothing_else_does() -> None:
    assert order_of_key(KEY) == UUID(int=1)
    assert payment_key(UUID(int=1)) == KEY
    for other in ("", "order-", "order-1", f"x-{KEY[6:]}", KEY.upper(), f"{KEY}0", "order-00000000-0000-0000-0000-1"):
        assert order_of_key(other) is None


def test_a_report_counts_all_and_keeps_a_thousand() -> None:
    report = Report(date(2026, 11, 26), date(2026, 11, 27))
    (found,) = of_order(ORDER, None)
    old: Difference = dataclasses.replace(found, age_seconds=9000.0)
    for _ in range(500):
        report.add([found, found, old])
    assert (report.found, len(report.differences), report.oldest_seconds) == (1500, MOST_TOLD, 9000.0)
