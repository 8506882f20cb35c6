"""What each answer of the payment provider means: the table, written by hand, and everything outside of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest

from app.bounded_http import Answer
from app.payments.answers import VOIDING, Kind, judge
from app.payments.model import Payment

pytestmark = pytest.mark.requirement("payments are exact, though services are asynchronous")

KEY = "order-0123456789abcdef"
PAYMENT = Payment(
    id=UUID(int=1), key=KEY, fingerprint=b"", reference="EU-234", amount_minor=20_000, currency="EUR",
    token="tok_visa", state="created", charge_id=None, decline_reason=None, attempts=0, problem=None,
)  # fmt: skip
CHARGE: dict[str, Any] = {
    "id": "ch_1", "key": KEY, "reference": "EU-234", "amount_minor": 20_000, "currency": "EUR", "status": "captured",
}  # fmt: skip


def meaning(status: int, body: object) -> tuple[Kind, bool]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    outcome = judge(Answer(status, content), PAYMENT)
    return outcome.kind, outcome.is_alarm


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (201, CHARGE, Kind.CAPTURED),
        (200, CHARGE, Kind.CAPTURED),
        (201, {**CHARGE, "status": "declined", "decline_reason": "expired_card"}, Kind.DECLINED),
        (201, {**CHARGE, "status": "authorised"}, Kind.AUTHORISED),
        (402, {"code": "card_declined"}, Kind.DECLINED),
        (402, b"<html>", Kind.DECLINED),
        (402, {"error": {"code": "card_declined"}}, Kind.DECLINED),
        (404, {"status": 404, "detail": "no such charge"}, Kind.ABSENT),
        (400, {"detail": "no such currency"}, Kind.REFUSED),
        (422, {"status": 422, "detail": "key used"}, Kind.REFUSED),
    ],
)
def test_answers_in_the_table(status: int, body: object, expected: Kind) -> None:
    assert meaning(status, body) == (expected, False)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 599])
def test_passing_trouble_is_unknown_without_an_alarm(status: int) -> None:
    assert meaning(status, CHARGE) == (Kind.UNKNOWN, False)


@pytest.mark.parametrize("status", [100, 202, 204, 206, 301, 302, 307, 401, 403, 405, 410, 418, 451])
def test_other_codes_are_unknown_and_loud(status: int) -> None:
    assert meaning(status, CHARGE) == (Kind.UNKNOWN, True)


@pytest.mark.parametrize(
    "state",
    ["pending", "requires_action", "processing", "refunded", "partially_captured", "CAPTURED", "captured ", "", None,
     True, 1, ["captured"], {"captured": True}],
)  # fmt: skip
def test_a_status_outside_the_table_is_unknown_and_loud(state: object) -> None:
    assert meaning(201, {**CHARGE, "status": state}) == (Kind.UNKNOWN, True)


@pytest.mark.parametrize(("state", "expected"), [
    ("refunded", Kind.REFUNDED), ("voided", Kind.DECLINED), ("captured", Kind.CAPTURED), ("partially", Kind.UNKNOWN),
])  # fmt: skip
def test_money_given_back_is_understood_where_that_was_asked_for(state: str, expected: Kind) -> None:
    answer = Answer(200, json.dumps({**CHARGE, "status": state}).encode())
    assert judge(answer, PAYMENT, VOIDING).kind is expected


@pytest.mark.parametrize(("changes", "expected"), [
    ({"status": "refunded", "amount_minor": 19_999}, Kind.DECLINED),
    ({"status": "voided", "currency": "USD"}, Kind.DECLINED),
    ({"status": "declined", "amount_minor": 0}, Kind.DECLINED),
    ({"status": "captured", "amount_minor": 19_999}, Kind.UNKNOWN),
    ({"status": "authorised", "currency": "USD"}, Kind.UNKNOWN),
    ({"status": "refunded", "reference": "EU-235"}, Kind.UNKNOWN),
    ({"status": "refunded", "amount_minor": 1, "key": "order-of-somebody-else"}, Kind.UNKNOWN),
])  # fmt: skip
def test_a_wrong_charge_that_nobody_has_money_of_ends_a_payment_that_is_no_longer_wanted(
    changes: dict[str, object], expected: Kind
) -> None:
    answer = Answer(200, json.dumps({**CHARGE, **changes}).encode())
    assert judge(answer, PAYMENT, VOIDING).kind is expected
    assert judge(answer, PAYMENT).kind is Kind.UNKNOWN


@pytest.mark.parametrize("status", ["captured", "authorised", "declined"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount_minor", 10_000), ("amount_minor", 20_001), ("amount_minor", "20000"), ("amount_minor", 20_000.0),
        ("amount_minor", None), ("amount_minor", -20_000), ("currency", "USD"), ("currency", "eur"),
        ("currency", None), ("reference", "EU-235"), ("reference", 7), ("key", "order-of-somebody-else"), ("key", None),
        ("id", ""), ("id", None), ("id", 5), ("id", "ch_\n1"), ("id", "c" * 256),
    ],
)  # fmt: skip
def test_a_charge_of_something_else_is_never_booked(status: str, field: str, value: object) -> None:
    assert meaning(200, {**CHARGE, "status": status, field: value}) == (Kind.UNKNOWN, True)


@pytest.mark.parametrize("field", ["id", "reference", "amount_minor", "currency", "status"])
def test_a_charge_that_lacks_a_field_is_never_booked(field: str) -> None:
    assert meaning(200, {name: value for name, value in CHARGE.items() if name != field}) == (Kind.UNKNOWN, True)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"7", b'"captured"', b"{", b"[" * 60_000, b"\xff\xfe", b"NaN", b'{"id": 1}', b"true"]
)
def test_any_other_shape_is_unknown(body: bytes) -> None:
    assert meaning(200, body) == (Kind.UNKNOWN, True)


def test_a_refusal_that_contradicts_itself_is_unknown() -> None:
    assert meaning(402, CHARGE) == (Kind.UNKNOWN, True)
    assert meaning(402, {"reference": "EU-235"}) == (Kind.UNKNOWN, True)
    assert meaning(422, {"status": "captured"}) == (Kind.UNKNOWN, True)


def test_what_the_provider_says_stays_short_and_printable() -> None:
    answer = Answer(201, json.dumps({**CHARGE, "status": "declined", "decline_reason": "no\n" * 5000}).encode())
    reason = judge(answer, PAYMENT).reason
    assert len(reason) <= 100
    assert reason.isprintable()
