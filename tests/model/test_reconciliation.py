"""What a reconciliation calls a difference, and what it does not."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest

from app.payments.comparing import ACTIONS, Booked, DifferenceKind, of_line, of_payment
from app.payments.provider import SettlementLine

pytestmark = pytest.mark.requirement("reconciliation against the payment provider finds every difference")

KEY = "order-0123456789abcdef"
LINE = SettlementLine(charge="ch_1", key=KEY, reference="EU-2", amount_minor=500, currency="EUR")
BOOKED = Booked(
    key=KEY, reference="EU-2", amount_minor=500, currency="EUR", state="captured", charge="ch_1", entries_minor=500,
    age_seconds=3600.0, problem=None,
)  # fmt: skip
OPEN: dict[str, Any] = {"state": "unknown", "charge": None, "entries_minor": 0}


def kinds(**payment: Any) -> list[str]:
    return [found.kind.value for found in of_line(LINE, dataclasses.replace(BOOKED, **payment))]


def test_equal_books_have_no_difference() -> None:
    assert kinds() == []
    assert of_payment(BOOKED) == []


def test_a_charge_without_a_payment() -> None:
    assert [found.kind.value for found in of_line(LINE, None)] == ["charge without payment"]


@pytest.mark.parametrize(
    ("payment", "expected"),
    [
        ({"amount_minor": 501, "entries_minor": 501}, ["amount"]),
        ({"amount_minor": 501, **OPEN}, ["amount"]),
        ({"currency": "USD"}, ["currency"]),
        ({"currency": "USD", "amount_minor": 501}, ["amount", "currency"]),
        ({"reference": "EU-3"}, ["reference"]),
        ({"charge": "ch_2"}, ["doubled"]),
        ({**OPEN, "state": "declined"}, ["charge of a declined payment"]),
        (OPEN, ["state"]),
        ({**OPEN, "state": "created"}, ["state"]),
        ({**OPEN, "age_seconds": 60.0}, []),
        ({**OPEN, "state": "declined", "amount_minor": 501}, ["charge of a declined payment"]),
        ({**OPEN, "state": "declined", "age_seconds": 1.0}, ["charge of a declined payment"]),
    ],
)
def test_a_charge_and_its_payment(payment: dict[str, Any], expected: list[str]) -> None:
    assert kinds(**payment) == expected


@pytest.mark.parametrize(
    ("payment", "expected"),
    [
        ({"entries_minor": 0}, ["booking"]),
        ({"entries_minor": 499}, ["booking"]),
        (OPEN, ["state"]),
        ({**OPEN, "age_seconds": 60.0}, []),
        ({**OPEN, "state": "declined"}, []),
    ],
)
def test_a_payment_on_its_own(payment: dict[str, Any], expected: list[str]) -> None:
    assert [found.kind.value for found in of_payment(dataclasses.replace(BOOKED, **payment))] == expected


VOIDED: dict[str, Any] = {"void_seconds": 3600.0}
BACK: dict[str, Any] = {**VOIDED, "is_refunded": True, "entries_minor": 0}


@pytest.mark.parametrize(
    ("given_back", "payment", "expected"),
    [
        (500, BACK, []),
        (0, BACK, ["refund"]),
        (500, {}, ["refund"]),
        (200, {}, ["refund"]),
        (500, VOIDED, ["refund"]),
        (500, {"void_seconds": 60.0}, []),
        (0, {**BACK, "void_seconds": 60.0}, []),
        (500, {**OPEN, "state": "declined"}, []),
        (200, {**OPEN, "state": "declined"}, ["charge of a declined payment"]),
    ],
)
def test_a_charge_that_was_given_back(given_back: int, payment: dict[str, Any], expected: list[str]) -> None:
    line = msgspec.structs.replace(LINE, refunded_minor=given_back)
    assert [found.kind.value for found in of_line(line, dataclasses.replace(BOOKED, **payment))] == expected


@pytest.mark.parametrize(
    ("payment", "expected"),
    [
        (BACK, []),
        ({**BACK, "entries_minor": 500}, ["booking"]),
        ({"is_refunded": False, "entries_minor": 0}, ["booking"]),
        (VOIDED, ["state"]),
        ({"void_seconds": 60.0}, []),
    ],
)
def test_a_payment_that_is_given_back(payment: dict[str, Any], expected: list[str]) -> None:
    assert [found.kind.value for found in of_payment(dataclasses.replace(BOOKED, **payment))] == expected


def test_a_stray_charge_that_was_given_back_is_no_difference_any_more() -> None:
    assert of_line(msgspec.structs.replace(LINE, refunded_minor=500), None) == []
    assert len(of_line(msgspec.structs.replace(LINE, refunded_minor=499), None)) == 1


def test_money_of_a_declined_payment_does_not_settle_by_itself() -> None:
    (found,) = of_line(
        msgspec.structs.replace(LINE, refunded_minor=200), dataclasses.replace(BOOKED, **OPEN | {"state": "declined"})
    )
    assert found.found == "300 EUR"
    assert "refund this charge at the provider" in str(found.document()["action"])


def test_each_difference_says_what_to_do() -> None:
    assert set(ACTIONS) == set(DifferenceKind)
    (found,) = of_line(LINE, None)
    assert found.document()["action"] == ACTIONS[DifferenceKind.CHARGE_WITHOUT_PAYMENT]
