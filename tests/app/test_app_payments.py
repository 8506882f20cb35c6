"""Declines, lost answers, refusals: money moves once or not at all."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from running_shop import Shop
from shop_processes import SEALED
from shopper import Shopper, order_of

from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("payments are exact, though services are asynchronous")

SKU = "0001-chalk-2"  # tidal-rings-tee, chalk, M: what the form offers first


@pytest.fixture(autouse=True)
def _sound_provider(shop: Shop) -> Iterator[None]:
    yield
    shop.break_provider()


def test_declined_payment_gives_everything_back(shop: Shop, shopper: Shopper) -> None:
    free = shop.free(SKU)
    location = shopper.buy("tok_declined")
    assert "Your payment was declined" in shopper.get(location).text
    assert shop.order(order_of(location)) == "declined"
    assert shop.payment(order_of(location)) == [("declined", 0)]
    assert shop.free(SKU) == free
    assert "Tidal Rings Tee" in shopper.get("/cart").text
    again = shopper.send(shopper.checkout_form(), payment_method="tok_visa")
    assert shop.order(order_of(again.headers["location"])) == "paid"


@pytest.mark.parametrize("faults", [{"lose_answers": 1}, {"lose_answers": 1, "lose_lookups": 2}, {"refuse": 2}])
def test_lost_answer_is_unknown_then_settled_once(shop: Shop, shopper: Shopper, faults: dict[str, int]) -> None:
    shop.break_provider(**faults)
    location = shopper.buy()
    order = order_of(location)
    page = shopper.get(location)
    assert "We are confirming your payment" in page.text
    assert "data-pending" in page.text, "the page asks again by itself"
    wait_until(lambda: shop.payment(order) == [("captured", 2)], what="the payment to be settled", seconds=60)
    shop.end_wait(order)
    wait_until(lambda: shop.order(order) == "paid", what="the order to be paid", seconds=60)
    settled = [line for line in _settlement(shop) if line["key"].endswith(order.replace("-", ""))]
    assert len(settled) == 1
    assert "Thank you" in shopper.get(location).text


@pytest.mark.requirement("the token of a card goes when its payment has ended")
def test_the_ledger_keeps_a_token_only_while_a_payment_is_open(shop: Shop, shopper: Shopper) -> None:
    def tokens(order: str) -> list[tuple[Any, ...]]:
        key = f"order-{order.replace('-', '')}"
        return shop.cluster.query("ledger", "SELECT token, state FROM payments.payment WHERE key = %s", key)

    shop.break_provider(refuse=1000)
    order = order_of(shopper.buy())
    assert tokens(order) == [("tok_visa", "unknown")]
    shop.break_provider()
    wait_until(lambda: shop.payment(order) == [("captured", 2)], what="the payment to be settled", seconds=60)
    assert tokens(order) == [("", "captured")]
    assert tokens(order_of(shopper.buy("tok_declined"))) == [("", "declined")]


def test_every_cent_of_the_provider_is_in_the_ledger(shop: Shop, shopper: Shopper) -> None:
    shopper.buy()
    provider = sum(line["amount_minor"] for line in _settlement(shop))
    booked = shop.cluster.query(
        "ledger",
        "SELECT sum(e.amount_minor) FROM ledger.entry e JOIN ledger.transfer t ON t.id = e.transfer_id "
        "JOIN payments.payment p ON p.id = t.payment_id WHERE e.account = 'psp-receivable' AND p.charge_id LIKE 'ch_%'",
    )
    assert booked == [(provider,)]


def test_provider_authorises_and_captures_by_key(shop: Shop) -> None:
    body = {"reference": "A", "amount_minor": 700, "currency": "EUR", "token": "tok_visa", "capture": False}
    answer = httpx.post(
        f"{shop.psp.url}/v1/charges", json=body, headers={"idempotency-key": "authorise-then-capture"}, trust_env=False
    )
    assert answer.json()["status"] == "authorised"
    for _ in range(2):
        captured = httpx.post(f"{shop.psp.url}/v1/charges/{answer.json()['id']}/capture", trust_env=False)
        assert captured.json()["status"] == "captured"
    # Not ours: keep the books of the other tests comparable.
    httpx.post(
        f"{shop.payments.url}/v1/payments", headers={"idempotency-key": "authorise-then-capture"}, trust_env=False,
        auth=SEALED, json={"reference": "A", "amount_minor": 700, "currency": "EUR", "token": "tok_visa"},
    ).raise_for_status()  # fmt: skip


def test_accounts_at_the_provider_know_nothing_of_each_other(shop: Shop) -> None:
    key, body = "one-key-in-two-accounts", {"reference": "A", "currency": "EUR", "token": "tok_visa"}
    made = {}
    for account, amount_minor in (("east", 700), ("west", 900)):
        answer = httpx.post(
            f"{shop.psp.url}/accounts/{account}/v1/charges", json={**body, "amount_minor": amount_minor},
            headers={"idempotency-key": key}, trust_env=False,
        )  # fmt: skip
        assert answer.status_code == 201
        made[account] = answer.json()

    def get(path: str) -> httpx.Response:
        return httpx.get(f"{shop.psp.url}{path}", trust_env=False)

    assert get("/accounts/east/v1/charges/by-key/" + key).json()["amount_minor"] == 700
    assert get("/v1/charges/by-key/" + key).status_code == 404
    day = made["west"]["captured_at"][:10]
    assert [line["charge"] for line in get(f"/accounts/west/v1/settlements/{day}").json()["lines"]] == [
        made["west"]["id"]
    ]
    others = httpx.post(f"{shop.psp.url}/accounts/east/v1/charges/{made['west']['id']}/refund", trust_env=False)
    assert others.status_code == 404
    for name in ("..%2Feast", "EAST", "a" * 41, "%00"):
        assert get(f"/accounts/{name}/v1/charges/by-key/{key}").status_code == 404


def _settlement(shop: Shop) -> list[dict[str, Any]]:
    days = {
        row[0]
        for row in shop.cluster.query(
            "ledger", "SELECT DISTINCT to_char(created_at, 'YYYY-MM-DD') FROM payments.payment"
        )
    }
    lines = []
    for day in days:
        lines += httpx.get(f"{shop.psp.url}/v1/settlements/{day}", trust_env=False).json()["lines"]
    return lines
