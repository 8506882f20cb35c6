"""A number of pieces may be sent again by whoever lost the answer: it never undoes what another window did since."""

from __future__ import annotations

import re

import pytest
from running_shop import Shop
from shopper import Shopper

from shopsphere.clients.html_forms import Form, form_in

pytestmark = pytest.mark.requirement("every POST may be sent again")

TEE = "tidal-rings-tee"


def forms(shopper: Shopper) -> tuple[Form, Form]:
    """The form that sets the pieces of the only line, and the one that removes it, of a page loaded now."""
    page = shopper.get("/cart").text
    action = str(re.findall(r'action="(/cart/items/[0-9a-f-]{36})"', page)[0])
    number = form_in(page, action)
    return number, form_in(page.replace(f'action="{action}"', 'action="/other"', 1), action)


def pieces(shopper: Shopper) -> list[int]:
    return [int(number) for number in re.findall(r'name="quantity" value="(\d+)" min="0"', shopper.get("/cart").text)]


def send(shopper: Shopper, form: Form, quantity: int) -> None:
    assert shopper.send(form, quantity=str(quantity)).status_code == 303


def test_a_repeat_does_not_undo_what_another_window_set(shopper: Shopper) -> None:
    shopper.add(TEE)
    (first, _), (other, _) = forms(shopper), forms(shopper)
    send(shopper, first, 3)
    send(shopper, other, 5)
    send(shopper, first, 3)
    assert pieces(shopper) == [5]
    send(shopper, first, 4)  # a number that this form never sent is a wish, not a repeat
    assert pieces(shopper) == [4]


def test_a_repeat_does_not_undo_what_was_added(shopper: Shopper) -> None:
    shopper.add(TEE)
    first, _ = forms(shopper)
    send(shopper, first, 3)
    shopper.add(TEE, quantity="2")
    send(shopper, first, 3)
    assert pieces(shopper) == [5]


def test_a_repeat_brings_nothing_back_and_takes_nothing_else_away(shopper: Shopper) -> None:
    shopper.add(TEE)
    (first, _), (_, remove) = forms(shopper), forms(shopper)
    send(shopper, first, 3)
    assert remove.fields["quantity"] == "0"
    send(shopper, remove, 0)
    send(shopper, first, 3)
    assert pieces(shopper) == []
    shopper.add(TEE)
    send(shopper, remove, 0)
    assert pieces(shopper) == [1]


def test_removing_twice_is_as_removing_once(shopper: Shopper) -> None:
    shopper.add(TEE)
    (_, one), (_, other) = forms(shopper), forms(shopper)
    for form in (one, one, other):
        send(shopper, form, 0)
    assert pieces(shopper) == []


def test_a_refused_number_is_no_first_time(shop: Shop, shopper: Shopper) -> None:
    shopper.add("growth-rings-tee", size="M")
    form, _ = forms(shopper)
    sku = str(shop.cluster.query("commerce", "SELECT sku FROM carts.line ORDER BY added_at DESC LIMIT 1")[0][0])
    free = shop.free(sku)
    shop.set_free(sku, 3)
    assert shopper.send(form, quantity="4").status_code == 409
    shop.set_free(sku, max(free, 20))
    send(shopper, form, 4)
    assert pieces(shopper) == [4]
