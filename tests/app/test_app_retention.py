"""Carts and sessions that nobody uses any more: removed after their time, and not before."""

from __future__ import annotations

from uuid import uuid4

import pytest
from running_shop import Shop
from shopper import Shopper
from test_app_carts import LAMP, TEE, quantities, sign_up

from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("sessions and carts end with their time, and live on by use")


def session_of(shopper: Shopper) -> str:
    return str(shopper.http.cookies["session"].split(".")[0])


def cart_of(shop: Shop, email: str) -> str:
    rows = shop.cluster.query(
        "commerce",
        "SELECT k.id FROM carts.cart k JOIN customers.customer c ON c.id = k.customer_id WHERE c.email = %s",
        email,
    )
    return str(rows[0][0])


def age_cart(shop: Shop, cart: str, days: int) -> None:
    change = "UPDATE carts.cart SET changed_at = now() - make_interval(days => %s) WHERE id = %s"
    shop.cluster.query("commerce", change, days, cart)


def counted(shop: Shop, statement: str, *values: object) -> int:
    return int(shop.cluster.query("commerce", f"SELECT count(*) FROM {statement}", *values)[0][0])


def test_a_customers_cart_goes_half_a_year_after_its_last_change(shop: Shop) -> None:
    old, young = shop.shopper(), shop.shopper()
    carts = []
    for shopper, days in ((old, 181), (young, 179)):
        email = sign_up(shopper)
        shopper.add(TEE, size="M")
        carts.append(cart_of(shop, email))
        age_cart(shop, carts[-1], days)
    wait_until(lambda: not counted(shop, "carts.cart WHERE id = %s", carts[0]), what="the old cart to go", seconds=60)
    assert not counted(shop, "carts.line WHERE cart_id = %s", carts[0])
    assert counted(shop, "carts.cart WHERE id = %s", carts[1])
    assert "Nothing in here yet" in old.get("/cart").text
    assert old.add(LAMP).status_code == 303, "the account goes on"
    assert quantities(young) == [1]


def test_a_change_of_a_cart_counts_as_its_use(shop: Shop, shopper: Shopper) -> None:
    email = sign_up(shopper)
    shopper.add(TEE, size="M")
    cart = cart_of(shop, email)
    age_cart(shop, cart, 179)
    shopper.add(LAMP)
    assert counted(shop, "carts.cart WHERE id = %s AND changed_at > now() - interval '1 minute'", cart) == 1


def test_an_ended_session_is_nobodys_before_it_is_removed(shop: Shop, shopper: Shopper) -> None:
    sign_up(shopper)
    assert "Grace" in shopper.get("/").text
    change = "UPDATE customers.session SET expires_at = now() - interval '1 second' WHERE id = %s"
    shop.cluster.query("commerce", change, session_of(shopper))
    assert "Grace" not in shopper.get("/").text
    assert "Sign in" in shopper.get("/").text


@pytest.mark.requirement("no session is opened before there is something to keep")
@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/account/sign-out", {}),
        ("/account/sign-in", {"email": "nobody@example.org", "password": "a wrong password"}),
        ("/cart/items", {"sku": "no-such-thing"}),
        ("/checkout", {"email": "nobody"}),
    ],
)
def test_a_form_that_leaves_nothing_to_keep_opens_no_session(
    shop: Shop, shopper: Shopper, path: str, fields: dict[str, str]
) -> None:
    def sessions() -> set[str]:
        return {str(row[0]) for row in shop.cluster.query("commerce", "SELECT id FROM customers.session")}

    before = sessions()
    for _ in range(3):
        shopper.http.post(path, data={**fields, "idempotency_key": uuid4().hex})
    assert sessions() <= before, "ended ones may be removed meanwhile"
    assert "session" not in shopper.http.cookies
