"""No order keeps stock without end: after its reservation it is over, and money that comes late goes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID, uuid4

import httpx
import pytest
from running_shop import Shop
from shop_processes import SEALED
from shopper import Shopper, order_of
from test_app_settling import SKU, insert_pending, make_due

from app.database import Database
from app.orders import turns
from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("an order that is not paid in time gives its stock back")


@pytest.fixture(autouse=True)
def provider_works_again(shop: Shop) -> Iterator[None]:
    yield
    shop.break_provider()


def bought_in_silence(shop: Shop, shopper: Shopper, **faults: int) -> tuple[str, str]:
    """Buy while the provider makes the charge and says nothing; return receipt and order."""
    shop.break_provider(**{"lose_answers": 1, "lose_lookups": 1000, **faults})
    location = shopper.buy()
    assert shop.order(order_of(location)) == "pending_payment"
    return location, order_of(location)


def end_reservation(shop: Shop, order: str, minutes: int = 16) -> None:
    shop.cluster.query(
        "commerce",
        'UPDATE orders."order" SET placed_at = now() - make_interval(mins => %s), settle_due_at = now() WHERE id = %s',
        minutes,
        order,
    )


def state(shop: Shop, order: str) -> tuple[str, str | None]:
    rows = shop.cluster.query("commerce", 'SELECT state, lapse FROM orders."order" WHERE id = %s', order)
    return rows[0][0], rows[0][1]


def attempts(shop: Shop, order: str) -> int:
    return int(shop.cluster.query("commerce", 'SELECT settle_attempts FROM orders."order" WHERE id = %s', order)[0][0])


def wait_for(shop: Shop, order: str, lapse: str) -> None:
    wait_until(
        lambda: state(shop, order) == ("declined", lapse),
        what=f"the order to be over, {lapse}",
        seconds=60,
        explain=lambda: f"{state(shop, order)} {shop.payment(order)}",
    )


def end_wait_of_payment(shop: Shop, order: str) -> None:
    shop.cluster.query(
        "ledger", "UPDATE payments.payment SET due_at = now() WHERE key = %s", f"order-{order.replace('-', '')}"
    )


def entries(shop: Shop, order: str) -> list[tuple[str, str, int]]:
    rows = shop.cluster.query(
        "ledger",
        "SELECT t.kind, e.account, e.amount_minor FROM ledger.transfer t JOIN ledger.entry e ON e.transfer_id = t.id "
        "JOIN payments.payment p ON p.id = t.payment_id WHERE p.key = %s ORDER BY t.kind, e.position",
        f"order-{order.replace('-', '')}",
    )
    return [(kind, account, int(amount)) for kind, account, amount in rows]


def test_an_order_that_nobody_answers_for_gives_its_stock_back_and_late_money_is_returned(
    shop: Shop, shopper: Shopper
) -> None:
    free = shop.free(SKU)
    location, order = bought_in_silence(shop, shopper)
    assert shop.free(SKU) == free - 1
    end_reservation(shop, order, minutes=14)
    wait_until(lambda: attempts(shop, order) > 0, what="the order's turn", seconds=90)
    assert state(shop, order) == ("pending_payment", None)

    end_reservation(shop, order)
    wait_for(shop, order, "open")
    assert shop.free(SKU) == free, "the provider is still silent, and nobody waits for it"
    page = shopper.get(location).text
    assert "This order was not paid in time" in page
    assert "you get it back without asking" in page
    assert "Tidal Rings Tee" in shopper.get("/cart").text

    shop.break_provider()
    make_due(shop.cluster, [order])
    end_wait_of_payment(shop, order)
    wait_for(shop, order, "refunded")
    assert shop.charges(order).json()["status"] == "refunded"
    (kind, account, amount), *others = entries(shop, order)
    assert (kind, account) == ("capture", "psp-receivable")
    assert others == [
        ("capture", "order-sales", -amount), ("refund", "order-sales", amount), ("refund", "psp-receivable", -amount),
    ]  # fmt: skip
    assert "we have given all of it back" in shopper.get(location).text
    assert shop.free(SKU) == free


def test_money_that_is_on_record_when_the_reservation_ends_counts(shop: Shop, shopper: Shopper) -> None:
    shop.break_provider(lose_answers=1)
    order = order_of(shopper.buy())
    shop.break_provider()
    end_wait_of_payment(shop, order)
    wait_until(lambda: shop.payment(order) == [("captured", 2)], what="the payment to be found captured", seconds=90)
    end_reservation(shop, order)
    wait_until(lambda: state(shop, order) == ("paid", None), what="the order to be paid", seconds=90)
    assert shop.charges(order).json()["status"] == "captured"


def test_a_charge_of_another_amount_that_was_given_back_is_over(shop: Shop, shopper: Shopper) -> None:
    shop.break_provider(other_amount=1)
    order = order_of(shopper.buy())
    end_reservation(shop, order)
    wait_for(shop, order, "open")
    charge = shop.charges(order).json()
    assert (charge["status"], shop.payment(order)) == ("captured", [("unknown", 0)])
    httpx.post(f"{shop.psp.url}/v1/charges/{charge['id']}/refund", trust_env=False).raise_for_status()
    end_wait_of_payment(shop, order)
    wait_until(lambda: shop.payment(order) == [("declined", 0)], what="the payment to be over", seconds=60)
    make_due(shop.cluster, [order])
    wait_for(shop, order, "unpaid")


def test_a_payment_that_was_never_asked_for_never_will_be(shop: Shop) -> None:
    free = shop.free(SKU)
    order = insert_pending(shop.cluster, goods_minor=500, placed="16 minutes")
    make_due(shop.cluster, [order])
    wait_for(shop, order, "unpaid")
    assert shop.free(SKU) == free + 1
    late = httpx.post(
        f"{shop.payments.url}/v1/payments",
        headers={"idempotency-key": f"order-{order.replace('-', '')}"},
        json={"reference": f"EU-{order[:8]}", "amount_minor": 500, "currency": "EUR", "token": "tok_visa"},
        trust_env=False,
        auth=SEALED,
    )
    assert late.status_code == 409
    assert shop.charges(order).status_code == 404
    assert shop.payment(order) == [("declined", 0)]


def test_a_charge_that_the_provider_never_got_is_given_up(shop: Shop, shopper: Shopper) -> None:
    shop.break_provider(refuse=1000)
    order = order_of(shopper.buy())
    end_reservation(shop, order)
    wait_for(shop, order, "open")
    make_due(shop.cluster, [order])
    end_wait_of_payment(shop, order)
    wait_for(shop, order, "unpaid")
    shop.break_provider()
    assert shop.charges(order).status_code == 404
    assert shop.payment(order) == [("declined", 0)]


def test_a_hold_is_released(shop: Shop, shopper: Shopper) -> None:
    _, order = bought_in_silence(shop, shopper, authorise_only=1)
    end_reservation(shop, order)
    wait_for(shop, order, "open")
    shop.break_provider()
    make_due(shop.cluster, [order])
    end_wait_of_payment(shop, order)
    wait_for(shop, order, "unpaid")
    assert shop.charges(order).json()["status"] == "voided"
    assert entries(shop, order) == []


def test_a_refund_whose_answer_is_lost_is_booked_once(shop: Shop, shopper: Shopper) -> None:
    _, order = bought_in_silence(shop, shopper)
    end_reservation(shop, order)
    wait_for(shop, order, "open")
    shop.break_provider(lose_refunds=1)
    make_due(shop.cluster, [order])
    end_wait_of_payment(shop, order)
    wait_for(shop, order, "refunded")
    assert [kind for kind, *_ in entries(shop, order)] == ["capture", "capture", "refund", "refund"]


def void(shop: Shop, key: str, **changed: object) -> httpx.Response:
    body = {"reference": "EU-7", "amount_minor": 300, "currency": "EUR", **changed}
    url = f"{shop.payments.url}/v1/payments/void"
    return httpx.post(url, headers={"idempotency-key": key}, json=body, trust_env=False, auth=SEALED, timeout=20)


def test_only_the_payment_that_is_meant_is_given_up(shop: Shop) -> None:
    key = f"order-{uuid4().hex}"
    request = {"reference": "EU-7", "amount_minor": 300, "currency": "EUR", "token": "tok_visa"}
    url = f"{shop.payments.url}/v1/payments"
    assert (
        httpx.post(url, headers={"idempotency-key": key}, json=request, trust_env=False, auth=SEALED).status_code == 201
    )
    others = [void(shop, key, amount_minor=301), void(shop, key, currency="USD"), void(shop, key, reference="EU-8")]
    assert [answer.status_code for answer in others] == [409, 409, 409]
    assert void(shop, key, amount_minor="300").status_code == 422
    assert void(shop, "short").status_code == 422
    answers = [void(shop, key), void(shop, key)]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "refunded")] * 2
    assert httpx.get(f"{url}/by-key/{key}", trust_env=False, auth=SEALED).json()["state"] == "refunded"


@pytest.mark.parametrize(("minutes", "low", "high"), [(14, 40, 61), (20, 3500, 3601)])
def test_an_order_that_is_set_aside_is_looked_at_when_its_reservation_ends(
    shop: Shop, minutes: int, low: int, high: int
) -> None:
    order = insert_pending(shop.cluster, goods_minor=500, placed=f"{minutes} minutes")
    shop.cluster.query("commerce", 'UPDATE orders."order" SET settle_attempts = 10 WHERE id = %s', order)

    async def note() -> None:
        commerce = Database(shop.cluster.dsn("commerce"), role="shop_app", application="test", size=1)
        async with commerce.write() as connection:
            await turns.note_problem(connection, UUID(order), "unexpected: ValueError")
        await commerce.close()

    asyncio.run(note())
    seconds = shop.cluster.query(
        "commerce",
        'SELECT extract(epoch FROM settle_due_at - now())::int FROM orders."order" WHERE id = %s',
        order,
    )[0][0]
    assert low <= seconds <= high
    end_reservation(shop, order, minutes=20)
    wait_for(shop, order, "unpaid")
