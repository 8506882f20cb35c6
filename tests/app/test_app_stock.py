"""What is not there is not sold."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from running_shop import Shop
from shopper import Shopper, order_of

pytestmark = pytest.mark.requirement("inventory never oversells")

SLUG, SKU = "growth-rings-tee", "0032-{}"


@pytest.fixture
def sku(shop: Shop) -> str:
    rows = shop.cluster.query(
        "commerce",
        "SELECT v.sku FROM catalogue.variant v JOIN catalogue.product p ON p.id = v.product_id WHERE p.slug = %s "
        "AND v.size = 'M' ORDER BY v.position LIMIT 1",
        SLUG,
    )
    return str(rows[0][0])


def test_more_than_there_is_cannot_enter_the_cart(shop: Shop, shopper: Shopper, sku: str) -> None:
    shop.set_free(sku, 3)
    answer = shopper.add(SLUG, quantity="4")
    assert answer.status_code == 409
    assert "Only 3 of these are left" in answer.text


def test_stock_gone_between_cart_and_checkout_orders_nothing(shop: Shop, shopper: Shopper, sku: str) -> None:
    shop.set_free(sku, 5)
    shopper.add(SLUG, quantity="5")
    shop.set_free(sku, 4)
    answer = shopper.send(shopper.checkout_form(), payment_method="tok_visa")
    assert answer.status_code == 409
    assert "Growth Rings Tee (4 left)" in answer.text
    assert '<a href="/cart">Change your cart</a>' in answer.text
    assert shop.free(sku) == 4
    assert "Growth Rings Tee" in shopper.get("/cart").text


def test_last_pieces_are_sold_once(shop: Shop, sku: str) -> None:
    shop.set_free(sku, 3)
    shoppers = [shop.shopper() for _ in range(6)]
    for shopper in shoppers:
        assert shopper.add(SLUG).status_code == 303
    forms = [shopper.checkout_form() for shopper in shoppers]
    with ThreadPoolExecutor(6) as pool:
        answers = list(
            pool.map(lambda pair: pair[0].send(pair[1], payment_method="tok_visa"), zip(shoppers, forms, strict=True))
        )
    assert sorted(answer.status_code for answer in answers) == [303, 303, 303, 409, 409, 409]
    assert shop.free(sku) == 0
    assert {shop.order(order_of(answer.headers["location"])) for answer in answers if answer.status_code == 303} == {
        "paid"
    }
