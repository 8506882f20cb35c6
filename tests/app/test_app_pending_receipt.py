"""A receipt that waits for its payment stays under its reader's hands: it is never loaded anew by itself."""

from __future__ import annotations

import re

import pytest
from present import matched
from running_shop import Shop
from shopper import Shopper

pytestmark = pytest.mark.requirement("a pending receipt keeps focus")


def test_a_pending_receipt_does_not_reload_and_has_a_link(shop: Shop, shopper: Shopper) -> None:
    shopper.add()
    form = shopper.checkout_form()
    shop.break_provider(lose_answers=50, lose_lookups=50)
    try:
        location = shopper.send(form, payment_method="tok_visa").headers["location"]
        answer = shopper.get(location)
    finally:
        shop.break_provider()
    assert "refresh" not in answer.headers
    assert "http-equiv" not in answer.text
    outcome = matched(r'<div class="outcome"([^>]*)>(.*?)</div>', answer.text, re.DOTALL)
    assert "data-pending" in outcome[1]
    assert 'aria-live="polite"' in outcome[1]
    assert f'href="{location}"' in outcome[2]


def test_a_settled_receipt_is_not_asked_for_again(shopper: Shopper) -> None:
    assert "data-pending" not in shopper.get(shopper.buy()).text
