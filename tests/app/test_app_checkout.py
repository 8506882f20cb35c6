"""A customer without JavaScript gets from a product to a receipt, and finds it again."""

import re
from pathlib import Path

import httpx
import pytest
from postgres_cluster import Cluster
from running_shop import Shop
from shop_processes import FACTS, SECRET, Process
from shopper import ADDRESS, Shopper, order_of

pytestmark = pytest.mark.requirement(
    "storefront: home, category, search, product, cart, checkout, receipt, order history"
)


def test_guest_buys_a_printed_shirt(shop: Shop, shopper: Shopper) -> None:
    answer = shopper.add(colour="clay", size="L", text="Hello", placement="back", motif="orion-rising", quantity="2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    cart = shopper.get("/cart").text
    assert "Tidal Rings Tee" in cart
    assert "Orion Rising" in cart
    answer = shopper.send(shopper.checkout_form(), payment_method="tok_visa")
    assert answer.status_code == 303
    receipt = shopper.get(answer.headers["location"]).text
    assert "Thank you, Ada" in receipt
    assert "Hello" in receipt
    order = order_of(answer.headers["location"])
    assert shop.order(order) == "paid"
    assert shop.payment(order) == [("captured", 2)]
    assert shop.charges(order).json()["status"] == "captured"
    assert "Nothing in here yet" in shopper.get("/cart").text
    assert answer.headers["location"] in shopper.get("/orders").text


def test_receipt_says_where_the_order_is(shop: Shop, shopper: Shopper) -> None:
    location = shopper.buy()
    assert "start making it now" in shopper.get(location).text
    for state, says in (
        ("in_production", "your order is being made"),
        ("dispatched", "on its way to you"),
        ("delivered", "has been delivered"),
    ):
        shop.cluster.query("commerce", 'UPDATE orders."order" SET state = %s WHERE id = %s', state, order_of(location))
        page = shopper.get(location).text
        assert says in page
        assert "start making it now" not in page


def test_receipt_is_for_the_customer_only(shop: Shop, shopper: Shopper) -> None:
    location = shopper.buy()
    assert shop.shopper().http.get(location).status_code == 404


def test_account_keeps_cart_and_orders(shop: Shop, shopper: Shopper) -> None:
    shopper.add(slug="aurel-one-lamp")
    email = f"{shopper.form('/checkout', '/checkout').fields['idempotency_key'][:12]}@example.org"
    form = shopper.form("/account/sign-up", "/account/sign-up")
    signed_up = shopper.send(form, name="Grace Hopper", email=email, password="correct horse battery")
    assert signed_up.status_code == 303
    assert "Aurel One Lamp" in shopper.get("/cart").text
    assert shopper.get("/checkout").text.count("Grace Hopper") == 1
    location = shopper.send(shopper.checkout_form(), payment_method="tok_mastercard").headers["location"]
    assert shopper.send(shopper.form("/", "/account/sign-out")).status_code == 303
    assert shopper.http.get(location).status_code == 404
    elsewhere = shop.shopper()
    form = elsewhere.form("/account/sign-in", "/account/sign-in")
    assert elsewhere.send(form, email=email, password="a wrong password").status_code == 401
    assert elsewhere.send(form, email=email.upper(), password="correct horse battery").status_code == 303
    assert location in elsewhere.get("/orders").text
    assert elsewhere.get(location).status_code == 200


@pytest.mark.parametrize("question", ["moon", "organic cotton hoodie", "hoodei", "turntabel", "brass lamp"])
def test_search_finds_words_and_slips_of_the_finger(shopper: Shopper, question: str) -> None:
    assert 'class="card"' in shopper.http.get("/search", params={"q": question}).text


@pytest.mark.parametrize("question", ["", "zzzzqqqq", "'; DROP TABLE x --", "a" * 500, "\u0000", "%_\\", "<script>"])
def test_search_survives_anything(shopper: Shopper, question: str) -> None:
    answer = shopper.http.get("/search", params={"q": question})
    assert answer.status_code == 200
    assert "<script>" not in answer.text


def test_category_pages_hold_the_whole_shelf(shopper: Shopper) -> None:
    first, second = shopper.get("/categories/hoodies").text, shopper.get("/categories/hoodies?page=2&sort=-price").text
    assert first.count('class="card"') == 24
    assert second.count('class="card"') == 12


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"email": "nobody"}, 422),
        ({"name": ""}, 422),
        ({"country": "US"}, 422),
        ({"payment_method": "4242424242424242"}, 422),
        ({"idempotency_key": ""}, 422),
    ],
)
def test_wrong_checkout_forms_order_nothing(shop: Shop, shopper: Shopper, changes: dict[str, str], status: int) -> None:
    shopper.add()
    before = shop.cluster.query("commerce", 'SELECT count(*) FROM orders."order"')
    assert shopper.send(shopper.checkout_form(), **{"payment_method": "tok_visa", **changes}).status_code == status
    assert shop.cluster.query("commerce", 'SELECT count(*) FROM orders."order"') == before


def test_foreign_forms_are_refused(shopper: Shopper) -> None:
    form = shopper.form("/products/tidal-rings-tee", "/cart/items")
    for headers in (
        {"origin": "https://evil.example"},
        {"referer": "https://evil.example/x"},
        {"sec-fetch-site": "cross-site"},
    ):
        assert shopper.http.post(form.action, data=form.fields, headers=headers).status_code == 403
    same = {"origin": str(shopper.http.base_url).rstrip("/")}
    assert shopper.http.post(form.action, data=form.fields, headers=same).status_code == 303


@pytest.mark.parametrize(
    "path", ["/", "/categories/cameras", "/search?q=moon", "/products/aurel-one-watch", "/cart", "/nowhere"]
)
def test_pages_run_nothing_inline_and_load_only_from_the_cdn(shop: Shop, shopper: Shopper, path: str) -> None:
    answer = shopper.http.get(path)
    policy = answer.headers["content-security-policy"]
    assert "'unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", answer.text)
    sources = re.findall(r'(?:src|href)="([^"]+\.(?:svg|css|js))"', answer.text)
    assert sources
    assert all(source.startswith(shop.storefront.url) for source in sources)


def test_static_files_never_change_under_their_names(shopper: Shopper) -> None:
    page = shopper.get("/").text
    for source in set(re.findall(r'(?:src|href)="([^"]+\.(?:svg|css|js))"', page)):
        answer = httpx.get(source, trust_env=False)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


def test_logs_hold_no_personal_data(shop: Shop, shopper: Shopper) -> None:
    location = shopper.buy(text="Very Private")
    shopper.get(location)
    shopper.get("/search?q=secretword")
    logs = shop.storefront.log() + shop.payments.log() + shop.psp.log()
    for word in (ADDRESS["email"], "Lovelace", "Very Private", "tok_visa", "secretword", order_of(location)):
        assert word not in logs
    assert '"route": "/orders/{order}/receipt"' in logs


def test_every_order_is_on_some_page_of_the_orders(shop: Shop, shopper: Shopper) -> None:
    order = order_of(shopper.buy())
    copied = shop.cluster.query(
        "commerce",
        'INSERT INTO orders."order" (id, number, session_id, state, currency, goods_minor, shipping_minor, '
        "payment_token, email, name, street, postcode, city, country, placed_at, settle_due_at) "
        "SELECT gen_random_uuid(), number || '-' || n, session_id, 'pending_payment', currency, goods_minor, "
        "shipping_minor, '', email, name, street, postcode, city, country, placed_at - n * interval '1 second', "
        "now() + interval '1 day' FROM orders.\"order\", generate_series(1, 50) AS n WHERE id = %s "
        "RETURNING id, number",
        order,
    )
    ended = [str(each) for each, _ in copied]
    shop.cluster.query("commerce", "UPDATE orders.\"order\" SET state = 'declined' WHERE id = ANY(%s::uuid[])", ended)
    first = shopper.get("/orders").text
    assert (first.count('/receipt"'), "Page 1 of 2" in first) == (50, True)
    for address in ("/orders?page=2", "/orders?page=77"):
        second = shopper.get(address).text
        assert re.findall(r"<b>(E-[^<]+)</b>", second) == [copied[-1][1]]


def test_only_cards_for_tests_are_called_that(cluster: Cluster, shop: Shop, rendered: Path) -> None:
    storefront = Process(
        "serve",
        {
            "COMMERCE_DSN": cluster.service_dsn("commerce"),
            "SHOP_SESSION_SECRET": SECRET,
            "PAYMENTS_URL": shop.payments.url,
            "SHOP_RENDERED": str(rendered),
            "SHOP_REGION_FACTS": FACTS,
            "SHOP_PAYMENT_METHODS": '{"tok_card_one": "Card ending in 1881"}',
        },
    )
    try:
        shopper = Shopper(storefront.url)
        shopper.add()
        page = shopper.get("/checkout").text
    finally:
        storefront.stop()
    assert "Card ending in 1881" in page
    assert "test card" not in page
    shopper = shop.shopper()
    shopper.add()
    assert "These are test cards." in shopper.get("/checkout").text
