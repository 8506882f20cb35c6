"""What a customer agreed to is what is ordered and charged, once."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from running_shop import Shop
from shopper import Shopper, order_of

from shopsphere.clients.html_forms import Form, form_in

pytestmark = pytest.mark.requirement("what is charged is what the customer agreed to; a cart is ordered once")

TEE, LAMP = "tidal-rings-tee", "aurel-one-lamp"


def orders_of(shop: Shop, slug: str) -> int:
    """How many orders there are of a product, in whatever state."""
    rows = shop.cluster.query(
        "commerce",
        "SELECT count(DISTINCT l.order_id) FROM orders.line l JOIN catalogue.variant v ON v.sku = l.sku "
        "JOIN catalogue.product p ON p.id = v.product_id WHERE p.slug = %s",
        slug,
    )
    return int(rows[0][0])


def sku_of(shop: Shop, slug: str, size: str = "M") -> str:
    rows = shop.cluster.query(
        "commerce",
        "SELECT v.sku FROM catalogue.variant v JOIN catalogue.product p ON p.id = v.product_id "
        "WHERE p.slug = %s AND v.size = %s ORDER BY v.position LIMIT 1",
        slug,
        size,
    )
    return str(rows[0][0])


@contextmanager
def price(shop: Shop, slug: str, factor: int) -> Iterator[None]:
    """Let a product cost `factor` times as much."""
    change = (
        "UPDATE catalogue.price SET amount_minor = amount_minor {} %s "
        "WHERE product_id = (SELECT id FROM catalogue.product WHERE slug = %s)"
    )
    shop.cluster.query("commerce", change.format("*"), factor, slug)
    try:
        yield
    finally:
        shop.cluster.query("commerce", change.format("/"), factor, slug)


@contextmanager
def off_sale(shop: Shop, slug: str) -> Iterator[None]:
    change = "UPDATE catalogue.product SET on_sale = {} WHERE slug = %s"
    shop.cluster.query("commerce", change.format("false"), slug)
    try:
        yield
    finally:
        shop.cluster.query("commerce", change.format("true"), slug)


def pay(shopper: Shopper, form: Form, **changes: str) -> httpx.Response:
    return shopper.send(form, payment_method="tok_visa", **changes)


def test_a_line_that_came_after_the_form_is_not_charged_unseen(shop: Shop, shopper: Shopper) -> None:
    slug = "low-sun-tote"
    shopper.add(slug, size="One size")
    form = shopper.checkout_form()
    shopper.add(TEE, size="M")
    before = orders_of(shop, slug)
    answer = pay(shopper, form)
    assert answer.status_code == 409
    assert "Your cart or a price has changed" in answer.text
    assert "Tidal Rings Tee" in answer.text
    assert orders_of(shop, slug) == before
    # The page that came back shows the new total, and its form orders that.
    again = form_in(answer.text, "/checkout")
    assert again.fields["street"] == "Ring 1"
    assert pay(shopper, again).status_code == 303
    assert orders_of(shop, slug) == before + 1


@pytest.mark.parametrize("quantity", ["1", "3"])
def test_another_number_of_pieces_is_not_charged_unseen(shop: Shop, shopper: Shopper, quantity: str) -> None:
    shopper.add(TEE, size="M", quantity="2")
    form = shopper.checkout_form()
    line = next(iter(lines_of(shopper.get("/cart").text)))
    assert shopper.send(form_in(shopper.get("/cart").text, line), quantity=quantity).status_code == 303
    before = orders_of(shop, TEE)
    assert pay(shopper, form).status_code == 409
    assert orders_of(shop, TEE) == before


def lines_of(page: str) -> list[str]:
    """The addresses of the forms of a cart's lines."""
    return [part.split('"')[0] for part in page.split('action="')[1:] if part.startswith("/cart/items/")]


def test_a_price_that_rose_after_the_form_is_not_charged(shop: Shop, shopper: Shopper) -> None:
    shopper.add(TEE, size="M")  # €39, and €5.90 for shipping
    form = shopper.checkout_form()
    before = orders_of(shop, TEE)
    with price(shop, TEE, 10):
        answer = pay(shopper, form)
    assert answer.status_code == 409
    assert "€390" in answer.text
    assert orders_of(shop, TEE) == before
    assert pay(shopper, form).status_code == 303  # the price is again what the form said


def test_a_form_that_names_no_total_orders_nothing(shop: Shop, shopper: Shopper) -> None:
    shopper.add(TEE, size="M")
    form = shopper.checkout_form()
    before = orders_of(shop, TEE)
    for name in ("agreed_total", "agreed_cart"):
        fields = {key: value for key, value in form.fields.items() if key != name}
        assert pay(shopper, Form(form.action, form.method, fields)).status_code == 409
    assert orders_of(shop, TEE) == before


def test_two_forms_of_one_cart_at_once_are_one_order(shop: Shop) -> None:
    slug = "growth-rings-tee"
    shop.set_free(sku_of(shop, slug), 200)
    for _ in range(15):
        shopper = shop.shopper()
        shopper.add(slug, size="M")
        forms = [shopper.checkout_form() for _ in range(2)]
        before = orders_of(shop, slug)
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(_send, (shopper, shopper), forms))
        assert sorted(answer.status_code for answer in answers) == [303, 409]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert "Your cart is empty" in refused.text
        assert orders_of(shop, slug) == before + 1


def _send(shopper: Shopper, form: Form) -> httpx.Response:
    """Send a form on a connection of its own, as a second tab does."""
    return httpx.post(
        shopper.http.base_url.join(form.action), data={"payment_method": "tok_visa", **form.fields},
        cookies=dict(shopper.http.cookies), timeout=30, trust_env=False,
    )  # fmt: skip


def test_a_line_added_during_checkout_is_ordered_or_stays(shop: Shop) -> None:
    for _ in range(25):
        shopper = shop.shopper()
        shopper.add(TEE, size="M")
        order, more = shopper.checkout_form(), shopper.form(f"/products/{LAMP}", "/cart/items")
        with ThreadPoolExecutor(2) as pool:
            placed, added = pool.map(_send, (shopper, shopper), (order, more))
        assert added.status_code == 303
        assert "Aurel One Lamp" in shopper.get("/cart").text
        if placed.status_code == 303:
            assert "Aurel One Lamp" not in shopper.get(placed.headers["location"]).text
        else:
            assert placed.status_code == 409
            assert "Your cart or a price has changed" in placed.text


def test_what_went_off_sale_is_named_and_not_ordered(shop: Shop, shopper: Shopper) -> None:
    shopper.add(TEE, size="M")
    shopper.add(LAMP)
    form = shopper.checkout_form()
    before = orders_of(shop, LAMP)
    with off_sale(shop, LAMP):
        answer = pay(shopper, form)
        assert answer.status_code == 409
        assert "Aurel One Lamp is no longer on sale" in answer.text
        assert "Aurel One Lamp is no longer on sale" in shopper.get("/cart").text
        assert orders_of(shop, LAMP) == before
        # Removing it is the way on.
        cart = shopper.get("/cart").text
        lines = list(dict.fromkeys(lines_of(cart)))
        assert shopper.send(form_in(cart, lines[1]), quantity="0").status_code == 303
        assert pay(shopper, shopper.checkout_form()).status_code == 303


def test_an_order_above_the_limit_is_refused_at_checkout(shop: Shop, shopper: Shopper) -> None:
    camera, size = shop.cluster.query(
        "commerce",
        "SELECT p.slug, v.size FROM catalogue.product p JOIN catalogue.variant v ON v.product_id = p.id "
        "JOIN catalogue.price c ON c.product_id = p.id AND c.size = v.size AND c.currency = 'EUR' "
        "WHERE p.category = 'cameras' ORDER BY c.amount_minor DESC LIMIT 1",
    )[0]
    shopper.add(camera, size=size)
    with price(shop, camera, 200):  # one piece then costs more than 1,000,000.00
        before = orders_of(shop, camera)
        answer = pay(shopper, shopper.checkout_form())
        assert answer.status_code == 422
        assert "more than one order may cost" in answer.text
        assert orders_of(shop, camera) == before


def test_the_receipt_is_of_what_was_agreed(shop: Shop, shopper: Shopper) -> None:
    shopper.add(TEE, size="M", quantity="2", text="Hello")
    form = shopper.checkout_form()
    location = pay(shopper, form).headers["location"]
    rows = shop.cluster.query(
        "commerce", 'SELECT goods_minor + shipping_minor FROM orders."order" WHERE id = %s', order_of(location)
    )
    assert int(rows[0][0]) == int(form.fields["agreed_total"]) == 8390  # two at €39, €5.90 for shipping


def test_the_tax_in_the_price_is_shown_and_kept(shop: Shop, shopper: Shopper) -> None:
    shopper.add(TEE, size="M")  # €39 and €5.90: 19 % of it is €7.17, 20 % €7.48
    for page in ("/cart", "/checkout"):
        assert "€7.17" in shopper.get(page).text
    location = pay(shopper, shopper.checkout_form(), country="AT", postcode="1010").headers["location"]
    assert "includes 20" in (receipt := shopper.get(location).text)
    assert "€7.48" in receipt
    rows = shop.cluster.query("commerce", 'SELECT taxes FROM orders."order" WHERE id = %s', order_of(location))
    assert rows[0][0] == [{"name": "VAT", "percent": "20", "country": "AT", "tax_minor": 748}]
