"""Customers erase their account by themselves: what goes, what stays, and what comes too late."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from account_holder import PASSWORD, Holder, sign_in, sign_up
from running_shop import Shop
from shop_processes import SECRET
from shopper import order_of

from app.customers.backoff import account_key
from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("customers erase their account by themselves, and know what stays")

SKU = "0001-chalk-2"  # tidal-rings-tee, chalk, M


@pytest.fixture
def grace(shop: Shop) -> Holder:
    return sign_up(shop.shopper())


@pytest.fixture
def silent_provider(shop: Shop) -> Iterator[None]:
    """A provider that takes orders for payments and never says what came of them."""
    shop.break_provider(lose_answers=50, lose_lookups=50)
    try:
        yield
    finally:
        shop.break_provider()


def person_of(shop: Shop, order: str) -> tuple[object, ...]:
    return shop.cluster.query(
        "commerce",
        "SELECT name || '/' || street || '/' || payment_token, customer_id IS NULL, "
        "(SELECT string_agg(customisation ->> 'Words', '') FROM orders.line WHERE order_id = id) "
        'FROM orders."order" WHERE id = %s',
        order,
    )[0]


def deliver(shop: Shop, order: str) -> None:
    wait_until(lambda: shop.order(order) == "paid", what="the payment", seconds=60)
    for state in ("in_production", "dispatched", "delivered"):
        shop.cluster.query("commerce", 'UPDATE orders."order" SET state = %s WHERE id = %s', state, order)


def problem_at(page: str, field: str) -> str:
    found = re.search(rf'id="{field}-problem"><span class="hidden">Error: </span>([^<]+)<', page)
    return found[1] if found else ""


def test_the_page_says_what_goes_and_what_stays(shop: Shop, grace: Holder) -> None:
    page = grace.shopper.get("/account/erase").text
    assert len(re.findall(r"<h1", page)) == 1
    assert re.findall(r"<h2>([^<]+)</h2>", page) == ["What goes at once", "What stays"]
    assert "8 years after the end of their year" in page
    assert "placed as a guest" in page
    assert "Orders under way" not in page
    assert '<label for="password">' in page
    assert '<label class="check" for="confirmed">' in page
    assert 'autocomplete="current-password"' in page
    order = order_of(grace.shopper.buy())
    number = shop.cluster.query("commerce", 'SELECT number FROM orders."order" WHERE id = %s', order)[0][0]
    page = grace.shopper.get("/account/erase").text
    assert f"Orders under way: {number}." in page


@pytest.mark.parametrize(
    ("changes", "status", "field", "says"),
    [
        ({"password": ""}, 422, "password", "Enter the password of your account."),
        ({"confirmed": ""}, 422, "confirmed", "Tick this box if you want your account erased."),
        ({"password": "a wrong password"}, 401, "password", "This is not the password of your account."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    shop: Shop, grace: Holder, changes: dict[str, str], status: int, field: str, says: str
) -> None:
    answer = grace.erase(**changes)
    assert answer.status_code == status
    assert says in problem_at(answer.text, field)
    assert f'<a href="#{field}">' in answer.text
    assert answer.text.index('class="problems"') < answer.text.index("What goes at once"), "the form is screens below"
    assert "a wrong password" not in answer.text
    assert ('value="yes" required checked' in answer.text) == ("confirmed" not in changes)
    assert sign_in(shop.shopper(), grace.email).status_code == 303, "nothing was erased"


def test_an_erased_customer_is_out_everywhere_and_cannot_come_back(shop: Shop, grace: Holder) -> None:
    order = order_of(grace.shopper.buy(text="Only for Grace"))
    deliver(shop, order)
    grace.shopper.add("low-sun-tote")
    customer, phone = grace.customer(shop), grace.elsewhere(shop.shopper())
    answer = grace.erase()
    assert (answer.status_code, answer.headers["location"]) == (303, "/account/erased")
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert "Your account is erased" in grace.shopper.get("/account/erased").text
    for shopper in (grace.shopper, phone):
        assert "Sign in" in shopper.get("/").text
        assert shopper.http.get(f"/orders/{order}/receipt").status_code == 404
    assert sign_in(shop.shopper(), grace.email).status_code == 401
    assert person_of(shop, order) == ("//", True, None)
    assert shop.payment(order) == [("captured", 2)]
    dump = subprocess.run(
        ["pg_dump", "--data-only", "--inserts", shop.cluster.dsn("commerce")],
        text=True, capture_output=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert grace.email not in dump
    assert "Only for Grace" not in dump
    named = shop.cluster.query("commerce", "SELECT orders FROM customers.erasure WHERE customer_id = %s", customer)
    assert named == [(1,)]


def test_the_log_says_that_it_was_done_and_names_nobody(shop: Shop, grace: Holder) -> None:
    customer = grace.customer(shop)
    assert grace.erase(password="a wrong password").status_code == 401
    assert grace.erase().status_code == 303
    lines = [json.loads(line) for line in shop.storefront.log().splitlines() if line.startswith("{")]
    noted = [line for line in lines if line.get("log") == "security" and line["customer"] == customer]
    assert [(line["event"], line["outcome"]) for line in noted if line["event"] == "erasure"] == [
        ("erasure", "refused"), ("erasure", "password was right"), ("erasure", "erased"),
    ]  # fmt: skip
    assert not any(word in shop.storefront.log() for word in (grace.email, "Grace Hopper", "a wrong password"))


def test_the_same_address_can_open_a_new_account_that_knows_nothing(shop: Shop, grace: Holder) -> None:
    location = grace.shopper.buy()
    deliver(shop, order_of(location))
    assert grace.erase().status_code == 303
    again = sign_up(shop.shopper(), grace.email)
    assert "No orders yet." in again.shopper.get("/orders").text
    kept = json.loads(again.shopper.get("/account/my-data.json").text)
    assert (kept["orders"], kept["addresses"], len(kept["sessions"])) == ([], [], 1)
    assert again.shopper.http.get(location).status_code == 404


def test_the_same_form_sent_again_finds_it_done_and_harms_nobody(shop: Shop, grace: Holder) -> None:
    form = grace.shopper.form("/account/erase", "/account/erase")
    meant = {"password": PASSWORD, "confirmed": "yes"}
    cookies = dict(grace.shopper.http.cookies)
    assert grace.shopper.send(form, **meant).status_code == 303
    again = sign_up(shop.shopper(), grace.email)  # with the same password, too
    lost_answer = shop.shopper()
    lost_answer.http.cookies.update(cookies)
    for shopper in (grace.shopper, lost_answer):
        answer = shopper.send(form, **meant)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/erased")
    stranger = shop.shopper()
    assert stranger.send(form, **{**meant, "password": "a wrong password"}).status_code == 422
    new_form = {**form.fields, **meant, "idempotency_key": "another-form-of-nobody"}
    refused = stranger.http.post("/account/erase", data=new_form)
    assert refused.status_code == 401
    assert '<a class="button" href="/account/sign-in">' in refused.text
    assert again.shopper.get("/account").status_code == 200
    assert sign_in(shop.shopper(), grace.email).status_code == 303


def test_two_windows_at_once_erase_once(shop: Shop, grace: Holder) -> None:
    forms = [grace.shopper.form("/account/erase", "/account/erase") for _ in range(2)]
    cookies = dict(grace.shopper.http.cookies)

    def send(number: int) -> httpx.Response:
        shopper = shop.shopper()
        shopper.http.cookies.update(cookies)
        return shopper.send(forms[number], password=PASSWORD, confirmed="yes")

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(send, (0, 0, 1)))
    assert {answer.status_code for answer in answers} <= {303, 401}
    assert answers[0].status_code == answers[1].status_code, "the same form has one result"
    assert 303 in {answer.status_code for answer in answers}


def test_an_order_under_way_is_paid_and_delivered_and_then_forgotten(
    shop: Shop, grace: Holder, silent_provider: None
) -> None:
    order = order_of(grace.shopper.buy(text="For Grace"))
    assert shop.order(order) == "pending_payment"
    assert grace.erase().status_code == 303
    assert person_of(shop, order) == ("Ada Lovelace/Ring 1/tok_visa", True, "For Grace")
    shop.break_provider()
    shop.end_wait(order)
    wait_until(lambda: shop.order(order) == "paid", what="the late answer", seconds=90)
    assert shop.payment(order) == [("captured", 2)]
    assert person_of(shop, order)[0] == "Ada Lovelace/Ring 1/tok_visa", "the parcel needs an address"
    deliver(shop, order)
    assert person_of(shop, order) == ("//", True, None)


def test_an_order_that_is_declined_later_leaves_no_cart_behind(shop: Shop, grace: Holder) -> None:
    shop.break_provider(refuse=1000)
    try:
        order = order_of(grace.shopper.buy("tok_declined", text="For Grace"))
        assert shop.order(order) == "pending_payment"
        free = shop.free(SKU)
        assert grace.erase().status_code == 303
    finally:
        shop.break_provider()
    carts = "SELECT count(*) FROM carts.cart"
    before = shop.cluster.query("commerce", carts)
    shop.end_wait(order)
    wait_until(lambda: shop.order(order) == "declined", what="the late answer", seconds=90)
    wait_until(lambda: shop.free(SKU) == free + 1, what="the stock", seconds=90)
    assert person_of(shop, order) == ("//", True, None)
    assert shop.cluster.query("commerce", carts) == before


def test_orders_of_guests_with_the_same_address_are_nobody_s(shop: Shop, grace: Holder) -> None:
    guest = shop.shopper()
    assert guest.add().status_code == 303
    form = guest.checkout_form()
    form.fields["email"] = grace.email
    location = guest.send(form, payment_method="tok_visa").headers["location"]
    assert grace.erase().status_code == 303
    assert "Thank you, Ada" in guest.get(location).text


def test_wrong_passwords_are_counted_with_those_at_the_sign_in(shop: Shop, grace: Holder) -> None:
    phone = Holder(grace.elsewhere(shop.shopper()), grace.email)
    tries = [(grace, phone)[number % 2].erase(password="a wrong password") for number in range(6)]
    assert [answer.status_code for answer in tries] == [401] * 5 + [429]
    assert 1 <= int(tries[-1].headers["retry-after"]) <= 15
    assert '<form class="sheet" method="post" action="/account/erase">' in tries[-1].text
    assert sign_in(shop.shopper(), grace.email).status_code == 429
    shop.cluster.query("commerce", "UPDATE customers.failed_sign_in SET blocked_until = now()")
    assert grace.erase().status_code == 303


def test_one_browser_has_a_number_of_tries_before_anything_is_hashed(shop: Shop, grace: Holder) -> None:
    form = grace.shopper.form("/account/erase", "/account/erase")
    with ThreadPoolExecutor(40) as pool:
        tries = [pool.submit(grace.shopper.send, form, password="a wrong", confirmed="yes") for _ in range(40)]
    refused = [answer for answer in (each.result() for each in tries) if answer.status_code == 429]
    assert all(1 <= int(answer.headers["retry-after"]) <= 300 for answer in refused)
    account = account_key(SECRET, grace.email).hex()
    lines = [json.loads(line) for line in shop.storefront.log().splitlines() if account in line]
    outcomes = [line["outcome"] for line in lines if line["event"] == "erasure"]
    assert len(outcomes) == 40
    assert outcomes.count("client waits") >= 10, "20 at once, and one more every 3 s"
    assert outcomes.count("refused") <= 16, "few were hashed: four wait, and each half a second one has its turn"


def test_forms_of_other_places_are_refused(grace: Holder) -> None:
    form = grace.shopper.form("/account/erase", "/account/erase")
    body = {**form.fields, "password": PASSWORD, "confirmed": "yes"}
    answer = grace.shopper.http.post("/account/erase", data=body, headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert grace.shopper.get("/account").status_code == 200
    without_key = {"password": PASSWORD, "confirmed": "yes"}
    assert grace.shopper.http.post("/account/erase", data=without_key).status_code == 422
    assert grace.shopper.get("/account").status_code == 200


@pytest.mark.parametrize("door", ["sign-in", "first line of a cart", "cart"])
def test_what_comes_while_an_account_is_erased_is_no_fault(shop: Shop, grace: Holder, door: str) -> None:
    if door == "cart":
        grace.shopper.add("low-sun-tote")
    form = grace.shopper.form("/products/tidal-rings-tee", "/cart/items")
    other = shop.shopper()
    sign_in_form = other.form("/account/sign-in", "/account/sign-in")

    def send() -> httpx.Response:
        if door == "sign-in":
            return other.send(sign_in_form, email=grace.email, password=PASSWORD)
        return grace.shopper.send(form)

    with ThreadPoolExecutor(1) as pool, psycopg.connect(shop.cluster.dsn("commerce")) as erasing:
        erasing.execute("SELECT customers.erase_customer(%s)", (grace.customer(shop),))
        answer = pool.submit(send)
        waiting = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_until(lambda: shop.cluster.query("commerce", waiting) == [(True,)], what="a wait", seconds=90)
        erasing.commit()
        assert answer.result().status_code == 409
        assert "has just been erased" in answer.result().text


def test_an_order_that_is_placed_in_the_same_moment_is_not_lost(shop: Shop, grace: Holder) -> None:
    """The erasure waits for the cart that is being ordered, and then finds the order."""
    grace.shopper.add()
    checkout, customer = grace.shopper.checkout_form(), grace.customer(shop)
    with ThreadPoolExecutor(2) as pool, psycopg.connect(shop.cluster.dsn("commerce")) as holding:
        holding.execute("SELECT FROM inventory.stock WHERE sku = %s FOR UPDATE", (SKU,))
        placing = pool.submit(grace.shopper.send, checkout, payment_method="tok_visa")
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        wait_until(lambda: shop.cluster.query("commerce", waiting) == [(1,)], what="the order", seconds=90)
        erasing = pool.submit(shop.cluster.query, "commerce", "SELECT customers.erase_customer(%s)", customer)
        wait_until(lambda: shop.cluster.query("commerce", waiting) == [(2,)], what="the erasure", seconds=90)
        holding.rollback()
        order = order_of(placing.result().headers["location"])
        assert erasing.result()[0][0]["orders_under_way"] == 1
    wait_until(lambda: shop.order(order) == "paid", what="the payment", seconds=60)
    assert person_of(shop, order)[0:2] == ("Ada Lovelace/Ring 1/tok_visa", True)
