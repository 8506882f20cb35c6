"""Orders whose payment is not known yet: each ends, none keeps another waiting, and no answer ends the loop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from postgres_cluster import Cluster
from running_shop import Shop
from scripted_provider import Asked, Reply, ScriptedProvider, reply
from shop_processes import CALL_KEY, migrate, serve
from shopper import Shopper, order_of

from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("payments are exact, though services are asynchronous")

SKU = "0001-chalk-2"  # tidal-rings-tee, chalk, M
COMMERCE = "commerce_scripted"


def insert_pending(
    cluster: Cluster,
    *,
    goods_minor: int,
    database: str = "commerce",
    placed: str = "1 minute",
    token: str = "tok_visa",
    order: str = "",
) -> str:
    """Write a pending order of one shirt, as a checkout would, and return its id."""
    order, session = order or str(uuid4()), str(uuid4())
    cluster.query(
        database,
        "INSERT INTO customers.session (id, expires_at) VALUES (%s, now() + interval '1 day')",
        session,
    )
    cluster.query(
        database,
        'INSERT INTO orders."order" (id, number, session_id, state, currency, goods_minor, shipping_minor, '
        "payment_token, email, name, street, postcode, city, country, placed_at) VALUES (%s, %s, %s, "
        "'pending_payment', 'EUR', %s, 0, %s, 'a@example.org', 'A', 'B', '1', 'C', 'DE', now() - %s::interval)",
        order,
        f"EU-{order[:8]}",
        session,
        goods_minor,
        token,
        placed,
    )
    cluster.query(
        database,
        "INSERT INTO orders.line (order_id, position, sku, product_name, quantity, unit_minor, customisation) "
        "VALUES (%s, 1, %s, 'Tee', 1, %s, '{}')",
        order,
        SKU,
        goods_minor,
    )
    return order


def make_due(cluster: Cluster, orders: list[str], database: str = "commerce") -> None:
    """Let the background loop come to these orders now."""
    known = cluster.query(
        database,
        "SELECT 1 FROM information_schema.columns WHERE table_name = 'order' AND column_name = 'settle_due_at'",
    )
    if known:
        cluster.query(
            database, "UPDATE orders.\"order\" SET settle_due_at = now() - interval '1 hour' WHERE id = ANY(%s)", orders
        )


@pytest.fixture
def blocked(shop: Shop) -> Iterator[list[str]]:
    """51 orders that stay pending: their keys belong to other payments."""
    orders = [str(uuid4()) for _ in range(51)]
    for order in orders:  # the payment first: the background loop may come to an order at once
        shop.cluster.query(
            "ledger",
            "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, "
            "due_at) VALUES (gen_random_uuid(), %s, 'another', 'X', 5, 'EUR', 'tok_visa', 'declined', now())",
            f"order-{UUID(order).hex}",
        )
        insert_pending(shop.cluster, goods_minor=500, order=order)
    make_due(shop.cluster, orders)
    yield orders
    shop.cluster.query("commerce", "UPDATE orders.\"order\" SET state = 'declined' WHERE id = ANY(%s)", orders)


def test_orders_that_cannot_settle_keep_no_other_waiting(shop: Shop, shopper: Shopper, blocked: list[str]) -> None:
    shop.break_provider(lose_answers=1, lose_lookups=1)
    order = order_of(shopper.buy())
    shop.break_provider()
    shop.end_wait(order)
    wait_until(lambda: shop.order(order) == "paid", what="the order with the lost answer to be paid", seconds=90)
    assert {shop.order(each) for each in blocked} == {"pending_payment"}, "a conflict is no verdict"


def test_an_order_that_payments_rejects_ends_and_its_stock_returns(shop: Shop) -> None:
    free = shop.free(SKU)
    order = insert_pending(shop.cluster, goods_minor=100_000_001)
    make_due(shop.cluster, [order])
    wait_until(lambda: shop.order(order) == "declined", what="the rejected order to end", seconds=90)
    assert shop.free(SKU) == free + 1
    assert shop.payment(order) == []
    assert "order rejected by the payments service" in shop.storefront.log()


SHAPES = (
    reply(201, b"null"), reply(201, b"[]"), reply(202, b'"captured"'), reply(201, {"state": ["captured"], "id": 1}),
    reply(201, {"state": "captured", "id": "x"}), reply(201, b"[" * 50_000), reply(201, b"x" * 200_000),
    reply(201, {"state": "captured", "id": None}), reply(422, {"state": ["rejected"]}), reply(404, b""),
    reply(409, {}), reply(403, b"<html>"), reply(500, b"\xff"), reply(302, {}), reply(422, {"detail": "x"}),
)  # fmt: skip


def test_no_answer_of_payments_ends_the_loop_or_the_order(cluster: Cluster, rendered: Path) -> None:
    cluster.admin(f"CREATE DATABASE {COMMERCE} OWNER commerce")
    assert migrate("commerce", cluster, name_there=COMMERCE).returncode == 0
    payments = ScriptedProvider()
    payments.script = lambda _: SHAPES[len(payments.asked) % len(SHAPES)]
    storefront = serve(cluster, payments.url, rendered, commerce=COMMERCE)
    try:
        orders = [
            insert_pending(cluster, goods_minor=500, database=COMMERCE, placed=f"{seconds} seconds")
            for seconds in range(len(SHAPES))
        ]
        make_due(cluster, orders, COMMERCE)
        wait_until(lambda: len(payments.asked) > len(SHAPES), what="every shape to be played", seconds=60)
        assert httpx.get(f"{storefront.url}/livez", trust_env=False).status_code == 200
        states = cluster.query(COMMERCE, 'SELECT DISTINCT state FROM orders."order"')
        assert states == [("pending_payment",)]

        def sound(asked: Asked) -> Reply:
            return reply(201, {**asked.body, "state": "captured", "id": str(uuid4())})

        payments.key = "a-key-of-somebody-else-that-is-long-enough"  # first: nothing sound is ever sealed as ours
        payments.script = sound
        heard = len(payments.asked)
        make_due(cluster, orders, COMMERCE)
        wait_until(lambda: len(payments.asked) >= heard + len(orders), what="a foreign service to be asked", seconds=60)
        assert cluster.query(COMMERCE, 'SELECT DISTINCT state FROM orders."order"') == [("pending_payment",)]

        payments.key = CALL_KEY
        make_due(cluster, orders, COMMERCE)
        wait_until(
            lambda: cluster.query(COMMERCE, 'SELECT DISTINCT state FROM orders."order"') == [("paid",)],
            what="all orders to be paid",
            seconds=60,
        )
    finally:
        storefront.stop()
        payments.close()
