"""A refused form comes back: filled in, with the message at its field, under the customer's own header."""

import re

import pytest
from running_shop import Shop
from shopper import Shopper
from test_app_carts import LAMP, TEE, sign_up

from shopsphere.clients.html_forms import form_in

pytestmark = pytest.mark.requirement("a refused form comes back filled in, with the message at its field")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("email", "nobody", "name@example.org"),
        ("name", "", "Enter your name"),
        ("street", "", "Enter your street"),
        ("postcode", "XX", "12345"),
        ("city", "", "Enter your city"),
        ("country", "US", "country"),
        ("payment_method", "4242424242424242", "how to pay"),
    ],
)
def test_refused_checkout_comes_back_with_what_was_typed(
    shopper: Shopper, field: str, value: str, message: str
) -> None:
    sign_up(shopper)
    shopper.add(TEE)
    form = shopper.checkout_form()
    answer = shopper.send(form, **{"payment_method": "tok_mastercard", field: value})
    assert answer.status_code == 422
    assert message in answer.text
    assert f'id="{field}-problem"' in answer.text
    assert "Grace" in answer.text.split("</header>")[0]
    again = form_in(answer.text, "/checkout")
    expected = {**form.fields, "payment_method": "tok_mastercard", field: value}
    unchanged = {"email", "name", "street", "postcode", "city", "country", "payment_method"} - {field}
    assert {name: again.fields[name] for name in unchanged} == {name: expected[name] for name in unchanged}
    assert shopper.send(again, **{field: form.fields.get(field, "tok_visa")}).status_code == 303


def test_all_problems_are_told_at_once(shopper: Shopper) -> None:
    shopper.add(TEE)
    answer = shopper.send(shopper.checkout_form(), payment_method="tok_visa", street="", city="", email="x")
    assert [f'id="{name}-problem"' in answer.text for name in ("email", "street", "city", "name")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_all_problems_of_a_new_account_are_told_at_once(shopper: Shopper) -> None:
    form = shopper.form("/account/sign-up", "/account/sign-up")
    answer = shopper.send(form, name="", email="x", password="short")
    assert answer.status_code == 422
    assert [f'href="#{name}"' in answer.text for name in ("name", "email", "password")] == [True, True, True]
    assert "Your password needs 10 to 254 characters." in answer.text


@pytest.mark.parametrize(
    ("country", "postcode", "status"),
    [
        ("DE", "XX", 422), ("DE", "1011", 422), ("DE", "10115", 303), ("NL", "1012 ab", 303), ("NL", "1012", 422),
        ("IE", "D02 AF30", 303), ("PL", "00-950", 303), ("SE", "114 55", 303), ("PT", "1000", 422),
        ("LU", "L-1009", 303), ("MT", "VLT 1117", 303),
    ],
)  # fmt: skip
def test_postcodes_are_those_of_the_country(shopper: Shopper, country: str, postcode: str, status: int) -> None:
    shopper.add(TEE)
    answer = shopper.send(shopper.checkout_form(), payment_method="tok_visa", country=country, postcode=postcode)
    assert answer.status_code == status


def test_a_declined_card_keeps_the_address(shopper: Shopper) -> None:
    shopper.add(TEE)
    location = shopper.send(shopper.checkout_form(), payment_method="tok_declined", city="Potsdam").headers["location"]
    assert "Your payment was declined" in shopper.get(location).text
    fields = shopper.form("/checkout", "/checkout").fields
    assert (fields["street"], fields["postcode"], fields["city"]) == ("Ring 1", "10115", "Potsdam")


def test_the_address_is_remembered_for_a_customer_and_for_nobody_else(shop: Shop, shopper: Shopper) -> None:
    sign_up(shopper)
    shopper.add(TEE)
    form = shopper.checkout_form()
    assert shopper.send(form, payment_method="tok_visa", country="AT", postcode="1010", city="Wien").status_code == 303
    shopper.add(TEE)
    fields = shopper.form("/checkout", "/checkout").fields
    assert (fields["name"], fields["postcode"], fields["city"], fields["country"]) == (
        "Ada Lovelace", "1010", "Wien", "AT",
    )  # fmt: skip
    stranger = shop.shopper()
    stranger.add(TEE)
    assert stranger.form("/checkout", "/checkout").fields["street"] == ""


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"text": "x" * 25}, 422, "text"), ({"quantity": "99"}, 422, "quantity"), ({"motif": "none"}, 422, "motif"),
        ({"placement": "sleeve"}, 422, "placement"), ({"colour": "gold"}, 422, "colour"), ({"size": "9"}, 422, "size"),
    ],
)  # fmt: skip
def test_refused_product_comes_back_with_its_choices(
    shopper: Shopper, changes: dict[str, str], status: int, field: str
) -> None:
    typed = {"colour": "clay", "size": "L", "motif": "orion-rising", "placement": "back", "text": "Hello"}
    typed["quantity"] = "2"
    answer = shopper.add(TEE, **{**typed, **changes})
    assert answer.status_code == status
    assert f'id="{field}-problem"' in answer.text
    summary = answer.text.index('class="problems"')
    assert summary < answer.text.index('class="gallery"'), "on a phone the picture fills the first screen"
    again = form_in(answer.text, "/cart/items")
    kept = set(typed) - {field}
    assert {name: again.fields[name] for name in kept} == {name: typed[name] for name in kept}


def test_a_refused_form_of_no_product_is_a_page_of_its_own(shopper: Shopper) -> None:
    sign_up(shopper)
    answer = shopper.add(TEE, product="nothing")
    assert answer.status_code == 422
    assert "<h1>This is not on offer</h1>" in answer.text
    assert "Choose another colour or size." in answer.text
    assert "Grace" in answer.text.split("</header>")[0]


def test_what_is_no_fault_of_a_field_is_not_called_something_to_check(shopper: Shopper) -> None:
    form = shopper.form("/account/sign-in", "/account/sign-in")
    answer = shopper.send(form, email="nobody@example.org", password="a wrong password")
    assert "That did not work" in answer.text
    assert "Please check one thing" not in answer.text


def test_refused_cart_change_is_the_cart(shopper: Shopper) -> None:
    sign_up(shopper)
    shopper.add(LAMP)
    page = shopper.get("/cart").text
    action = page.split('action="/cart/items/')[1].split('"')[0]
    answer = shopper.send(form_in(page, f"/cart/items/{action}"), quantity="99")
    assert answer.status_code == 422
    assert "Grace" in answer.text.split("</header>")[0]
    assert "Aurel One Lamp" in answer.text
    assert "Choose 0 to" in answer.text


def test_error_pages_know_the_customer(shopper: Shopper) -> None:
    sign_up(shopper)
    for path in ("/nowhere", "/products/nothing", f"/orders/{'0' * 8}-0000-4000-8000-{'0' * 12}/receipt"):
        answer = shopper.http.get(path)
        assert answer.status_code == 404
        assert "Grace" in answer.text.split("</header>")[0]


@pytest.mark.requirement("the address of a page that a form led to can be opened again")
def test_the_address_of_a_page_that_a_form_led_to_leads_on(shopper: Shopper) -> None:
    shopper.add()
    line = re.findall(r'action="(/cart/items/[^"]+)"', shopper.get("/cart").text)[0]
    for address, expected in (
        ("/cart/items", "/cart"),
        (line, "/cart"),
        ("/products/tidal-rings-tee/design", "/products/tidal-rings-tee"),
    ):
        answer = shopper.http.get(address)
        assert (answer.status_code, answer.headers.get("location")) == (303, expected), address
        assert answer.headers["cache-control"] == "private, no-store"
