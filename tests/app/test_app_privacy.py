"""What is kept of customers, for how long, and how it is given out and erased."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from postgres_cluster import Cluster
from running_shop import Shop
from shop_processes import FACTS, serve
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


@pytest.mark.parametrize(
    "function",
    [
        "customers.export_customer(gen_random_uuid())",
        "customers.erase_customer(gen_random_uuid())",
        "customers.customer_of(gen_random_uuid())",
        "orders.remove_person(ARRAY[gen_random_uuid()])",
    ],
)
def test_the_storefront_may_neither_export_nor_erase_whom_it_likes(cluster: Cluster, function: str) -> None:
    with (
        psycopg.connect(cluster.dsn("commerce"), options="-c role=shop_app") as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"SELECT {function}")


def test_the_storefront_may_do_it_for_a_customer_whose_session_goes_on(shop: Shop) -> None:
    guest = shop.shopper()
    guest.add()
    customer, email = _customer(shop)
    guest_session, session = (each.http.cookies["session"].split(".")[0] for each in (guest, customer))
    with psycopg.connect(shop.cluster.dsn("commerce"), options="-c role=shop_app", autocommit=True) as connection:

        def ask(function: str, of: str) -> object:
            row = connection.execute(f"SELECT customers.{function}(%s)", (of,)).fetchone()
            return None if row is None else row[0]

        assert (ask("export_own", guest_session), ask("erase_own", guest_session)) == (None, None)
        shop.cluster.query("commerce", "UPDATE customers.session SET expires_at = now() WHERE id = %s", session)
        assert (ask("export_own", session), ask("erase_own", session)) == (None, None)
        later = "UPDATE customers.session SET expires_at = now() + interval '1 day' WHERE id = %s"
        shop.cluster.query("commerce", later, session)
        kept = ask("export_own", session)
        assert isinstance(kept, dict)
        assert kept["account"]["email"] == email
        assert ask("erase_own", session) is not None
        assert ask("erase_own", session) is None
        # However few years it asks for, no order of the last year loses anything.
        order = order_of(guest.buy())
        connection.execute("SELECT orders.remove_old_recipients(0, 500)")
        rows = shop.cluster.query("commerce", 'SELECT name FROM orders."order" WHERE id = %s', order)
        assert rows == [("Ada Lovelace",)]


@pytest.mark.parametrize(("placed", "stays"), [("2018-01-01 00:00:00+00", True), ("2017-12-31 23:59:59+00", False)])
def test_an_order_loses_its_recipient_when_the_books_may_be_closed(shop: Shop, placed: str, stays: bool) -> None:
    """Eight years from the end of its year, as the topology says for Europe; this test knows that it is 2026."""
    shopper, _ = _customer(shop)
    order = order_of(shopper.buy(text="For Ada"))
    wait_until(lambda: shop.order(order) == "paid", what="the payment", seconds=60)
    shop.cluster.query(
        "commerce",
        'UPDATE orders."order" SET placed_at = %s::timestamptz + make_interval(years => '
        "extract(year FROM now())::int - 2026) WHERE id = %s",
        placed,
        order,
    )
    marker = order_of(shopper.buy())
    shop.cluster.query("commerce", """UPDATE orders."order" SET placed_at = '1999-01-01' WHERE id = %s""", marker)

    def person(of: str) -> tuple[object, ...]:
        return shop.cluster.query(
            "commerce",
            "SELECT email || name || street || postcode || city, customer_id IS NULL, country, state, "
            "(SELECT customisation ? 'Words' FROM orders.line WHERE order_id = id) FROM orders.\"order\" WHERE id = %s",
            of,
        )[0]

    wait_until(lambda: person(marker)[0] == "", what="the next turn of retention", seconds=60)
    if stays:
        assert person(order) == ("ada@example.orgAda LovelaceRing 110115Berlin", False, "DE", "paid", True)
    else:
        assert person(order) == ("", True, "DE", "paid", False)


def test_sessions_and_carts_live_as_long_as_the_topology_says(shop: Shop, rendered: Path) -> None:
    facts = json.loads(FACTS)
    facts["retention"] |= {"session_days": 5, "unused_session_days": 1, "cart_days": 60}
    storefront = serve(shop.cluster, shop.payments.url, rendered, facts=json.dumps(facts))
    try:
        shopper = Shopper(storefront.url)
        answer = shopper.add()
        session = shopper.http.cookies["session"].split(".")[0]

        def days_left() -> int:
            rows = shop.cluster.query(
                "commerce",
                "SELECT round(extract(epoch FROM expires_at - now()) / 86400)::int FROM customers.session "
                "WHERE id = %s",
                session,
            )
            return int(rows[0][0])

        assert days_left() == 1
        renewed = shopper.get("/cart")
        for each in (answer, renewed):
            assert "max-age=432000" in each.headers["set-cookie"].lower()
        wait_until(lambda: days_left() == 5, what="the renewal", seconds=90)
        assert "ends after 5 days without a visit" in shopper.get("/legal/privacy").text
        change = "UPDATE carts.cart SET changed_at = now() - make_interval(days => %s) WHERE session_id = %s"
        count = "SELECT count(*) FROM carts.cart WHERE session_id = %s"
        shop.cluster.query("commerce", change, 59, session)
        fresh = shopper.http.get("/cart").text
        assert "pieces: </span>1" in fresh
        shop.cluster.query("commerce", change, 61, session)
        wait_until(lambda: shop.cluster.query("commerce", count, session) == [(0,)], what="its removal", seconds=60)
    finally:
        storefront.stop()


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
