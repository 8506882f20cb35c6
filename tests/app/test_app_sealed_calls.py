"""Storefront and payments service know each other: unsealed, changed, late and foreign questions are not answered."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx
import pytest
from raw_http import ask as ask_raw
from running_shop import Shop
from sealed_by_tests import SealedByTests, sealed_headers
from shop_processes import CALL_KEY, SEALED

pytestmark = pytest.mark.requirement("between shop and payments both sides are authenticated, and the order is signed")

TERMS = {"reference": "EU-SEALED", "amount_minor": 900, "currency": "EUR", "token": "tok_visa"}


def key() -> str:
    return f"order-{uuid4().hex}"


def asked(shop: Shop, name: str, body: bytes, headers: dict[str, str], path: str = "/v1/payments") -> httpx.Response:
    return httpx.post(
        f"{shop.payments.url}{path}", content=body, headers={"idempotency-key": name, **headers}, trust_env=False
    )


def nothing_is_known_of(shop: Shop, name: str) -> bool:
    return shop.cluster.query("ledger", "SELECT count(*) FROM payments.payment WHERE key = %s", name) == [(0,)]


def test_a_sealed_question_is_answered_with_a_seal(shop: Shop) -> None:
    answer = httpx.post(
        f"{shop.payments.url}/v1/payments", json=TERMS, headers={"idempotency-key": key()}, auth=SEALED, trust_env=False
    )
    assert (answer.status_code, answer.json()["state"]) == (201, "captured")


@pytest.mark.parametrize(
    "change",
    ["no seal", "amount", "order's number", "card", "idempotency key", "path", "moment", "nonce", "another key"],
)
def test_a_question_that_is_not_what_was_sealed_is_refused(shop: Shop, change: str) -> None:
    name, sent = key(), dict(TERMS)
    body, path = json.dumps(sent).encode(), "/v1/payments"
    by = "a-key-of-somebody-else-that-is-long-enough" if change == "another key" else CALL_KEY
    headers = sealed_headers(by, "POST", path, name, body)
    if change == "no seal":
        headers = {}
    elif change == "idempotency key":
        name = key()
    elif change == "path":
        path = "/v1/payments/void"
    elif change == "moment":
        headers["x-call-moment"] = str(int(headers["x-call-moment"]) + 1)
    elif change == "nonce":
        headers["x-call-nonce"] = "f" * 32
    elif change != "another key":
        field, value = {"amount": ("amount_minor", 1), "order's number": ("reference", "EU-OTHER"),
                        "card": ("token", "tok_mastercard")}[change]  # fmt: skip
        body = json.dumps({**sent, field: value}).encode()
    answer = asked(shop, name, body, headers, path)
    assert answer.status_code == 401
    assert "x-call-seal" not in answer.headers
    assert nothing_is_known_of(shop, name)


@pytest.mark.parametrize(("late_seconds", "status"), [(90, 201), (125, 401), (-180, 401), (-100, 201)])
def test_a_seal_is_good_for_two_minutes(shop: Shop, late_seconds: float, status: int) -> None:
    seal = SealedByTests(CALL_KEY, late_seconds=late_seconds)
    answer = httpx.post(
        f"{shop.payments.url}/v1/payments", json=TERMS, headers={"idempotency-key": key()}, auth=seal, trust_env=False,
        timeout=20,
    )  # fmt: skip
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/v1/payments/by-key/order-{'0' * 32}"),
        ("GET", "/v1/statements?since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z"),
        ("POST", "/v1/statements/by-keys"),
        ("POST", "/v1/payments/void"),
        ("HEAD", "/v1/payments"),
        ("POST", "//v1/payments"),
        ("POST", "/%2Fv1/payments"),
        ("POST", "///v1//payments/"),
        ("POST", "/%2fv1/payments/void"),
        ("GET", f"//v1/payments/by-key/order-{'0' * 32}"),
        ("POST", "/livez/../v1/payments"),
        ("GET", "/anything"),
    ],
)
def test_nothing_about_payments_is_answered_to_anybody_else(shop: Shop, method: str, path: str) -> None:
    answer = ask_raw(shop.payments.url, path.encode(), method=method.encode())
    assert answer.status == 401


@pytest.mark.parametrize("name", ["idempotency-key", "x-call-moment", "x-call-nonce", "x-call-seal"])
@pytest.mark.parametrize("comes_first", [True, False])
def test_a_header_that_is_sealed_comes_once(shop: Shop, name: str, comes_first: bool) -> None:
    own, other, body = key(), key(), json.dumps(TERMS).encode()
    sealed = sealed_headers(CALL_KEY, "POST", "/v1/payments", own, body)
    headers = [(each.encode(), value.encode()) for each, value in {"idempotency-key": own, **sealed}.items()]
    second = (name.encode(), (other if name == "idempotency-key" else sealed[name]).encode())
    headers = [second, *headers] if comes_first else [*headers, second]
    typed = [*headers, (b"content-type", b"application/json")]
    answer = ask_raw(shop.payments.url, b"/v1/payments", method=b"POST", headers=typed, body=body)
    assert answer.status == 401
    assert nothing_is_known_of(shop, own)
    assert nothing_is_known_of(shop, other)


def test_the_same_question_twice_is_one_payment(shop: Shop) -> None:
    name, body = key(), json.dumps(TERMS).encode()
    headers = sealed_headers(CALL_KEY, "POST", "/v1/payments", name, body)
    first, again = (asked(shop, name, body, headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()


def test_a_body_beyond_the_bound_is_not_read_to_its_end(shop: Shop) -> None:
    body = b"x" * (17 * 1024)
    answer = asked(shop, key(), body, sealed_headers(CALL_KEY, "POST", "/v1/payments", key(), body))
    assert answer.status_code == 413
