"""A cart, orders and a late decline follow their customer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest
from running_shop import Shop
from shopper import Shopper, order_of
from test_app_agreement import lines_of, off_sale, price, sku_of

from shopsphere.clients.html_forms import Form, form_in
from shopsphere.foundation.clock import wait_until

pytestmark = pytest.mark.requirement("one cart per customer; orders and declined orders follow their customer")

TEE, LAMP, PASSWORD = "tidal-rings-tee", "aurel-one-lamp", "correct horse battery"


def sign_up(shopper: Shopper) -> str:
    email = f"{uuid4().hex[:16]}@example.org"
    form = shopper.form("/account/sign-up", "/account/sign-up")
    assert shopper.send(form, name="Grace Hopper", email=email, password=PASSWORD).status_code == 303
    return email


def sign_in(shopper: Shopper, email: str) -> None:
    form = shopper.form("/account/sign-in", "/account/sign-in")
    assert shopper.send(form, email=email, password=PASSWORD).status_code == 303


def sign_out(shopper: Shopper) -> None:
    assert shopper.send(shopper.form("/", "/account/sign-out")).status_code == 303


def quantities(shopper: Shopper) -> list[int]:
    """The numbers of pieces that the cart's page offers to change, line by line."""
    page = shopper.get("/cart").text
    actions = dict.fromkeys(lines_of(page))
    return [int(form_in(page, action).fields["quantity"]) for action in actions]


def test_cart_is_there_after_sign_out_and_on_a_second_device(shop: Shop, shopper: Shopper) -> None:
    email = sign_up(shopper)
    shopper.add(TEE, quantity="2")
    sign_out(shopper)
    assert "Nothing in here yet" in shopper.get("/cart").text
    sign_in(shopper, email)
    assert quantities(shopper) == [2]
    phone = shop.shopper()
    sign_in(phone, email)
    assert quantities(phone) == [2]
    phone.add(LAMP)
    assert "Aurel One Lamp" in shopper.get("/cart").text
    assert ">3</span>" in shopper.get("/").text.replace('<span class="hidden">, pieces: </span>', "")


def test_carts_are_merged_at_sign_in_up_to_the_bound(shop: Shop, shopper: Shopper) -> None:
    email = sign_up(shopper)
    shopper.add(TEE, quantity="15")
    sign_out(shopper)
    shopper.add(TEE, quantity="8")
    shopper.add(TEE, quantity="3", text="Hello")
    sign_in(shopper, email)
    assert quantities(shopper) == [20, 3]


def test_two_devices_at_once_lose_no_piece(shop: Shop, shopper: Shopper) -> None:
    email = sign_up(shopper)
    devices = [shop.shopper() for _ in range(4)]
    for device in devices:
        device.add(TEE, quantity="2")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda device: sign_in(device, email), devices))
    assert quantities(shopper) == [8]


def test_a_guests_orders_follow_to_the_account_at_sign_up_and_sign_in(shop: Shop, shopper: Shopper) -> None:
    first = shopper.buy()
    email = sign_up(shopper)
    assert first in shopper.get("/orders").text
    assert shopper.get(first).status_code == 200
    sign_out(shopper)
    assert shopper.http.get(first).status_code == 404
    second = shopper.buy()
    sign_in(shopper, email)
    assert {first, second} <= set(_links(shopper.get("/orders").text))
    stranger = shop.shopper()
    sign_up(stranger)
    assert stranger.http.get(first).status_code == 404


def _links(page: str) -> list[str]:
    return [part.split('"')[0] for part in page.split('href="')[1:]]


@contextmanager
def _late_decline(shop: Shop, shopper: Shopper) -> Iterator[None]:
    """Place an order whose decline is known only when the block ends, however long that takes."""
    shop.break_provider(refuse=1000)
    try:
        answer = shopper.send(shopper.checkout_form(), payment_method="tok_declined")
        order = order_of(str(answer.headers["location"]))
        assert shop.order(order) == "pending_payment"
        yield
        assert shop.order(order) == "pending_payment"
    finally:
        shop.break_provider()
    shop.end_wait(order)
    wait_until(lambda: shop.order(order) == "declined", what="the decline", seconds=60, interval=0.2)


def test_a_late_decline_comes_back_to_the_customers_cart(shop: Shop, shopper: Shopper) -> None:
    sku = sku_of(shop, TEE)
    free = shop.free(sku)
    email = sign_up(shopper)
    shopper.add(TEE, size="M", quantity="3")
    with _late_decline(shop, shopper):
        shopper.add(TEE, size="M", quantity="2")  # the same thing again while the order is pending
        sign_out(shopper)
    assert "Nothing in here yet" in shopper.get("/cart").text
    sign_in(shopper, email)
    assert quantities(shopper) == [5]
    assert shop.free(sku) == free


def test_a_late_decline_of_a_guest_who_signed_in_comes_back_too(shop: Shop, shopper: Shopper) -> None:
    shopper.add(TEE, size="M", quantity="19")
    with _late_decline(shop, shopper):
        sign_up(shopper)
        shopper.add(TEE, size="M", quantity="4")
    assert quantities(shopper) == [20]


def test_the_cart_offers_no_more_than_there_is(shop: Shop, shopper: Shopper) -> None:
    slug = "growth-rings-tee"
    sku = sku_of(shop, slug)
    shop.set_free(sku, 6)
    shopper.add(slug, size="M", quantity="5")
    shop.set_free(sku, 3)
    page = shopper.get("/cart").text
    assert "Only 3 left" in page
    assert 'max="3"' in page
    form = form_in(page, lines_of(page)[0])
    answer = shopper.send(form, quantity="4")
    assert answer.status_code == 409
    assert "Only 3 of these are left" in answer.text
    assert shopper.send(form, quantity="3").status_code == 303
    assert quantities(shopper) == [3]


def test_pieces_already_in_the_cart_count(shop: Shop, shopper: Shopper) -> None:
    slug = "growth-rings-tee"
    shop.set_free(sku_of(shop, slug), 6)
    assert shopper.add(slug, size="M", quantity="4").status_code == 303
    assert shopper.add(slug, size="M", quantity="4").status_code == 409
    assert shopper.add(slug, size="M", quantity="3", text="Hello").status_code == 409  # the same stock
    assert quantities(shopper) == [4]


def test_one_article_is_bounded_over_all_its_lines(shop: Shop, shopper: Shopper) -> None:
    shop.cluster.query(
        "commerce",
        "UPDATE inventory.stock SET free = 60 FROM catalogue.variant v JOIN catalogue.product p ON p.id = v.product_id "
        "WHERE v.sku = stock.sku AND p.slug = %s",
        TEE,
    )
    form = shopper.form(f"/products/{TEE}", "/cart/items")
    form.fields.pop("idempotency_key")

    def add(number: int) -> int:
        key = {"idempotency-key": uuid4().hex}
        return shopper.http.post(form.action, data={**form.fields, "text": f"{number}"}, headers=key).status_code

    assert [add(number) for number in range(25)] == [303] * 20 + [409] * 5


def test_lines_of_many_articles_are_bounded_too(shop: Shop, shopper: Shopper) -> None:
    skus = [
        row[0]
        for row in shop.cluster.query(
            "commerce",
            "SELECT v.sku FROM catalogue.variant v JOIN inventory.stock s USING (sku) "
            "WHERE s.free > 5 ORDER BY v.sku DESC LIMIT 51",
        )
    ]
    answers = [
        shopper.http.post("/cart/items", data={"sku": sku, "idempotency_key": uuid4().hex}).status_code for sku in skus
    ]
    assert answers == [303] * 50 + [422]


def test_one_card_does_not_buy_without_end_in_a_short_time(shop: Shop, shopper: Shopper) -> None:
    slug = "aurel-one-headphones"  # €559 each
    sku = sku_of(shop, slug, "Standard")
    shop.set_free(sku, 400)
    shopper.buy(slug=slug, quantity="20")
    shopper.add(slug, quantity="20")
    answer = shopper.send(shopper.checkout_form(), payment_method="tok_visa")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "with this card" in answer.text
    assert shop.free(sku) == 380
    assert quantities(shopper) == [20]


def test_off_sale_in_the_cart_does_not_count(shop: Shop, shopper: Shopper) -> None:
    shopper.add(TEE, size="M")
    shopper.add(LAMP)
    with off_sale(shop, LAMP), price(shop, TEE, 2):
        page = shopper.get("/cart").text
    assert "€83.90" in page  # two times €39, €5.90 for shipping; the lamp is not in the sum


def test_quick_presses_end_at_the_last(shop: Shop, shopper: Shopper) -> None:
    shopper.add(TEE, size="M")
    page = shopper.get("/cart").text
    form: Form = form_in(page, lines_of(page)[0])
    answers: list[httpx.Response] = [shopper.send(form, quantity=quantity) for quantity in ("2", "3", "2")]
    assert [answer.status_code for answer in answers] == [303, 303, 303]
    assert quantities(shopper) == [2]


def test_quick_presses_on_add_never_say_that_nothing_changed(shopper: Shopper) -> None:
    form = shopper.form(f"/products/{TEE}", "/cart/items")
    assert shopper.send(form, quantity="1").status_code == 303
    answer = shopper.send(form, quantity="2")
    assert answer.status_code == 422
    assert "Nothing has been changed" not in answer.text
