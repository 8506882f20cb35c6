"""What is kept of customers, for how long, and how it is given out and erased."""

import json
import os
import subprocess
import sys
from uuid import uuid4

import psycopg
import pytest
from postgres_cluster import Cluster
from running_shop import Shop
from shopper import Shopper, order_of

from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import REPOSITORY

pytestmark = pytest.mark.requirement("personal data has an exit: retention, export, erasure")


def _customer(shop: Shop) -> tuple[Shopper, str]:
    shopper, email = shop.shopper(), f"{uuid4().hex}@example.org"
    form = shopper.form("/account/sign-up", "/account/sign-up")
    answer = shopper.send(form, name="Grace Hopper", email=email, password="correct horse battery")
    assert answer.status_code == 303
    return shopper, email


def _command(shop: Shop, verb: str, email: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", verb, email],
        cwd=REPOSITORY,
        text=True,
        capture_output=True,
        env={**os.environ, "COMMERCE_DSN": shop.cluster.dsn("commerce")},
        timeout=60,
        check=False,
    )


def _deliver(shop: Shop, order: str) -> None:
    wait_until(lambda: shop.order(order) == "paid", what="the payment", seconds=60)
    for state in ("in_production", "dispatched", "delivered"):
        shop.cluster.query("commerce", 'UPDATE orders."order" SET state = %s WHERE id = %s', state, order)


def test_a_customer_gets_all_that_is_kept_and_no_hash(shop: Shop) -> None:
    shopper, email = _customer(shop)
    location = shopper.buy(text="For Ada")
    shopper.add("low-sun-tote")
    done = _command(shop, "export-customer", email.upper())
    assert done.returncode == 0, done.stderr
    kept = json.loads(done.stdout)
    assert kept["account"]["name"] == "Grace Hopper"
    assert [order["id"] for order in kept["orders"]] == [order_of(location)]
    assert kept["orders"][0]["street"] == "Ring 1"
    assert "For Ada" in kept["orders"][0]["lines"][0]["customisation"].values()
    assert [line["quantity"] for line in kept["cart"]] == [1]
    assert "scrypt" not in done.stdout
    assert "tok_visa" not in done.stdout


def test_an_erased_customer_is_nowhere_and_the_books_are_whole(shop: Shop) -> None:
    shopper, email = _customer(shop)
    order = order_of(shopper.buy(text="Only for Grace"))
    shopper.add("low-sun-tote")
    refused = _command(shop, "erase-customer", email)
    assert refused.returncode == 1
    assert "1 orders of this customer are not delivered yet" in refused.stderr
    _deliver(shop, order)
    done = _command(shop, "erase-customer", email)
    assert done.returncode == 0, done.stderr
    rows = shop.cluster.query(
        "commerce",
        "SELECT state, goods_minor > 0, country, email || name || street || postcode || city || payment_token, "
        'customer_id FROM orders."order" WHERE id = %s',
        order,
    )
    assert rows == [("delivered", True, "DE", "", None)]
    assert shop.payment(order) == [("captured", 2)]
    dump = subprocess.run(
        ["pg_dump", "--data-only", "--inserts", "-n", "customers", "-n", "orders", "-n", "carts",
         shop.cluster.dsn("commerce")],
        text=True, capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert email not in dump
    assert "Only for Grace" not in dump
    assert json.loads(done.stdout)["customer"] in dump  # the erasure itself, to be done again after a restore
    assert "Sign in" in shopper.get("/").text
    form = shopper.form("/account/sign-in", "/account/sign-in")
    assert shopper.send(form, email=email, password="correct horse battery").status_code == 401
    assert "no such customer" in _command(shop, "erase-customer", email).stderr


def test_the_storefront_may_neither_export_nor_erase(cluster: Cluster) -> None:
    for function in ("export_customer", "erase_customer"):
        with (
            psycopg.connect(cluster.dsn("commerce"), options="-c role=shop_app") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"SELECT customers.{function}(gen_random_uuid())")


def test_what_is_over_is_removed_and_what_is_used_stays(shop: Shop) -> None:
    guest, other = shop.shopper(), shop.shopper()
    guest.add()
    other.add()
    customer, _ = _customer(shop)
    customer.add()
    order = order_of(customer.buy())
    customer.add("low-sun-tote")
    key = f"retention-{uuid4().hex}"
    sessions = [shopper.http.cookies["session"].split(".")[0] for shopper in (guest, other, customer)]
    query = shop.cluster.query
    query("commerce", "UPDATE customers.session SET expires_at = now() - interval '2 hours' WHERE id = ANY(%s::uuid[])",
          [sessions[0], sessions[2]])  # fmt: skip
    query("commerce", "INSERT INTO requests.completed VALUES (%s, '', NULL, NULL, '/', now() - interval '8 days')", key)
    query("commerce", "INSERT INTO customers.failed_sign_in VALUES (%s, 3, now(), now() - interval '25 hours')",
          uuid4().bytes)  # fmt: skip
    query("commerce", 'ALTER TABLE orders."order" DISABLE TRIGGER USER')
    query("commerce", """UPDATE orders."order" SET changed_at = now() - interval '3 days' WHERE id = %s""", order)
    query("commerce", 'ALTER TABLE orders."order" ENABLE TRIGGER USER')

    def left() -> list[int]:
        return [
            int(query("commerce", statement, *values)[0][0])
            for statement, values in (
                ("SELECT count(*) FROM customers.session WHERE id = ANY(%s::uuid[])", ([sessions[0], sessions[2]],)),
                ("SELECT count(*) FROM carts.cart WHERE session_id = %s", (sessions[0],)),
                ("SELECT count(*) FROM requests.completed WHERE key = %s", (key,)),
                ("SELECT count(*) FROM customers.failed_sign_in WHERE failed_at < now() - interval '1 day'", ()),
                ("""SELECT count(*) FROM orders."order" WHERE id = %s AND payment_token <> ''""", (order,)),
            )
        ]

    wait_until(lambda: left() == [0, 0, 0, 0, 0], what="the next turn of retention", seconds=150)
    assert "pieces: </span>1" in other.get("/").text
    kept = query("commerce", "SELECT count(*) FROM carts.cart k JOIN carts.line l ON l.cart_id = k.id "
                 'WHERE k.customer_id = (SELECT customer_id FROM orders."order" WHERE id = %s)', order)  # fmt: skip
    assert kept == [(1,)]
