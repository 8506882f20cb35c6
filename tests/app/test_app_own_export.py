"""Customers download all that the shop keeps about them, by themselves."""

import json
import re
from pathlib import Path

import pytest
from account_holder import Holder, sign_in, sign_up
from postgres_cluster import Cluster
from running_shop import Shop
from shop_processes import serve
from shopper import Shopper, order_of

from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("customers take their data with them, without asking anybody")

DATA = "/account/my-data.json"


@pytest.fixture
def grace(shop: Shop) -> Holder:
    return sign_up(shop.shopper())


def test_the_account_page_leads_to_both_doors_and_strangers_to_sign_in(shop: Shop, grace: Holder) -> None:
    page = grace.shopper.get("/account").text
    assert '<h1 class="page">Your account</h1>' in page
    assert "Grace Hopper" in page
    assert f'href="{DATA}"' in page
    assert 'href="/account/erase"' in page
    assert 'href="/account"' in grace.shopper.get("/").text
    for path in ("/account", DATA, "/account/erase"):
        answer = shop.shopper().http.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/sign-in")


def test_the_file_has_everything_and_no_secret(shop: Shop, grace: Holder) -> None:
    location = grace.shopper.buy(text="For Ada")
    order = order_of(location)
    wait_until(lambda: shop.order(order) == "paid", what="the payment", seconds=60)
    grace.shopper.add("low-sun-tote")
    other = shop.shopper()
    assert other.send(other.form("/account/sign-in", "/account/sign-in"), email=grace.email,
                      password="a wrong password").status_code == 401  # fmt: skip
    answer = grace.shopper.get(DATA)
    assert answer.headers["content-type"].startswith("application/json")
    assert re.fullmatch(
        r'attachment; filename="shopsphere-my-data-\d{4}-\d\d-\d\d\.json"', answer.headers["content-disposition"]
    )
    assert "no-store" in answer.headers["cache-control"]
    kept = json.loads(answer.text)
    assert (kept["account"]["name"], kept["account"]["email"]) == ("Grace Hopper", grace.email)
    assert [(address["street"], address["city"]) for address in kept["addresses"]] == [("Ring 1", "Berlin")]
    assert [(each["id"], each["state"]) for each in kept["orders"]] == [(order, "paid")]
    rows = shop.cluster.query("commerce", 'SELECT payment_id FROM orders."order" WHERE id = %s', order)
    assert kept["orders"][0]["payment_id"] == rows[0][0]
    assert rows[0][0]
    line = kept["orders"][0]["lines"][0]
    assert (line["product_name"], line["quantity"], line["customisation"]["Words"]) == (
        "Tidal Rings Tee", 1, "For Ada",
    )  # fmt: skip
    assert [line["quantity"] for line in kept["cart"]] == [1]
    assert {*kept["sessions"][0]} == {"created_at", "expires_at"}
    assert kept["wrong_passwords"]["number"] == 1
    assert kept["kept_for"]["recipient_years"] == 8
    session = grace.shopper.http.cookies["session"].partition(".")[0]
    sessions = shop.cluster.query("commerce", 'SELECT session_id FROM orders."order" WHERE id = %s', order)
    for secret in ("scrypt", "tok_visa", "password_hash", session, str(sessions[0][0])):
        assert secret not in answer.text


def test_a_file_is_made_three_times_and_then_once_a_minute(shop: Shop, grace: Holder) -> None:
    customer = grace.customer(shop)
    assert [grace.shopper.http.get(DATA).status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = grace.shopper.http.get(DATA)
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert "content-disposition" not in refused.headers
    assert "Grace" in refused.text, "the page knows the customer"
    other = sign_up(shop.shopper())
    assert other.shopper.http.get(DATA).status_code == 200
    lines = [json.loads(line) for line in shop.storefront.log().splitlines() if line.startswith("{")]
    noted = [line for line in lines if line.get("log") == "security" and line["event"] == "export"]
    assert [line["outcome"] for line in noted if line["customer"] == customer] == [
        "given", "given", "given", "customer waits", "customer waits",
    ]  # fmt: skip
    assert not any(grace.email in json.dumps(line) or "Grace" in json.dumps(line) for line in noted)


def test_nobody_gets_what_another_one_has(shop: Shop, grace: Holder) -> None:
    bought = shop.shopper()
    assert bought.add().status_code == 303
    form = bought.checkout_form()
    form.fields["email"] = grace.email
    location = bought.send(form, payment_method="tok_visa").headers["location"]
    assert order_of(location) not in grace.shopper.get(DATA).text
    assert bought.http.get(DATA).status_code == 303


def test_a_session_that_has_ended_gets_nothing(shop: Shop, grace: Holder) -> None:
    cookie = grace.shopper.http.cookies["session"]
    grace.shopper.send(grace.shopper.form("/account", "/account/sign-out"))
    thief = shop.shopper()
    thief.http.cookies.set("session", cookie)
    assert thief.http.get(DATA).status_code == 303
    assert grace.elsewhere(shop.shopper()).http.get(DATA).status_code == 200


@pytest.mark.requirement("what a customer asks for works at either site of the pair")
def test_the_file_can_be_had_at_a_site_that_takes_no_writes(shop: Shop, rendered: Path) -> None:
    """A standby of its own: what the first site wrote is there, and this one only reads."""
    grace = sign_up(shop.shopper())
    standby, storefront = Cluster(source=shop.cluster), None
    try:
        storefront = serve(standby, shop.payments.url, rendered)
        there = Shopper(storefront.url)
        there.http.cookies.update(grace.shopper.http.cookies)
        assert json.loads(there.get(DATA).text)["account"]["email"] == grace.email
        refused = Holder(there, grace.email).erase()
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        standby.promote()
        done = Holder(there, grace.email).erase()
        assert (done.status_code, done.headers["location"]) == (303, "/account/erased")
        assert sign_in(Shopper(storefront.url), grace.email).status_code == 401
    finally:
        if storefront:
            storefront.stop()
        standby.remove()
