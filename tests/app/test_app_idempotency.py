"""Every POST happens once."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from account_holder import PASSWORD, sign_up
from running_shop import Shop
from shop_processes import SEALED
from shopper import Shopper, order_of

from shopsphere.clients.html_forms import form_in

pytestmark = pytest.mark.requirement("the same idempotency key twice gives one order and one payment")


def _orders(shop: Shop) -> int:
    return int(shop.cluster.query("commerce", 'SELECT count(*) FROM orders."order"')[0][0])


def test_same_checkout_at_once_is_one_order_and_one_payment(shop: Shop, shopper: Shopper) -> None:
    shopper.add()
    form = shopper.checkout_form()
    before = _orders(shop)

    def send(_: int) -> httpx.Response:
        return httpx.post(
            f"{shop.storefront.url}/checkout", data={**form.fields, "payment_method": "tok_visa"},
            cookies=dict(shopper.http.cookies), timeout=30, trust_env=False,
        )  # fmt: skip

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert _orders(shop) == before + 1
    assert shop.payment(order_of(answers[0].headers["location"])) == [("captured", 2)]


def test_same_key_with_another_body_is_refused_and_changes_nothing(shop: Shop, shopper: Shopper) -> None:
    shopper.add()
    form = shopper.checkout_form()
    first = shopper.send(form, payment_method="tok_visa")
    before = _orders(shop)
    again = shopper.send(form, payment_method="tok_visa")
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    other = shopper.send(form, payment_method="tok_visa", city="Bonn")
    assert other.status_code == 422
    assert "already sent with other content" in other.text
    assert _orders(shop) == before


def test_key_may_come_as_a_header(shopper: Shopper) -> None:
    form = shopper.form("/products/tidal-rings-tee", "/cart/items")
    key = form.fields.pop("idempotency_key")
    for _ in range(3):
        answer = shopper.http.post(form.action, data=form.fields, headers={"idempotency-key": key})
        assert answer.status_code == 303
    assert 'value="1" min="0"' in shopper.get("/cart").text


def test_lost_first_answer_gives_the_cookie_again(shop: Shop, shopper: Shopper) -> None:
    form = shopper.form("/products/tidal-rings-tee", "/cart/items")
    lost = shopper.send(form)
    shopper.http.cookies.clear()
    again = shopper.send(form)
    assert again.headers["set-cookie"] == lost.headers["set-cookie"]
    assert "Tidal Rings Tee" in shopper.get("/cart").text


@pytest.mark.requirement("whoever signs in is signed in")
def test_a_sign_in_that_is_sent_again_after_signing_out_does_not_end_as_nobody(shopper: Shopper) -> None:
    holder = sign_up(shopper)
    shopper.send(shopper.form("/", "/account/sign-out"))
    form = shopper.form("/account/sign-in", "/account/sign-in")
    form.fields |= {"email": holder.email, "password": PASSWORD}
    assert shopper.send(form).status_code == 303
    shopper.send(shopper.form("/", "/account/sign-out"))
    again = shopper.send(form)
    assert again.status_code == 409
    assert "set-cookie" not in again.headers
    fresh = form_in(again.text, "/account/sign-in")
    assert shopper.send(fresh, email=holder.email, password=PASSWORD).status_code == 303
    assert holder.email in shopper.get("/account").text


def test_key_of_another_session_is_refused(shop: Shop, shopper: Shopper) -> None:
    shopper.add()
    form = shopper.form("/products/low-sun-tote", "/cart/items")
    assert shopper.send(form).status_code == 303
    stranger = shop.shopper()
    stranger.add()
    before = dict(stranger.http.cookies)
    answer = stranger.send(form)
    assert answer.status_code == 422
    assert dict(stranger.http.cookies) == before


def test_refused_form_can_be_corrected_and_sent_with_its_key(shopper: Shopper) -> None:
    form = shopper.form("/products/tidal-rings-tee", "/cart/items")
    assert shopper.send(form, quantity="99").status_code == 422
    assert shopper.send(form, quantity="2").status_code == 303


def test_payment_with_the_same_key_and_another_amount_is_refused(shop: Shop) -> None:
    body = {"reference": "T-1", "amount_minor": 100, "currency": "EUR", "token": "tok_visa"}
    headers = {"idempotency-key": "test-payments-key-reused"}
    url = f"{shop.payments.url}/v1/payments"
    first = httpx.post(url, json=body, headers=headers, trust_env=False, auth=SEALED)
    again = httpx.post(url, json=body, headers=headers, trust_env=False, auth=SEALED)
    other = httpx.post(url, json={**body, "amount_minor": 999}, headers=headers, trust_env=False, auth=SEALED)
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert first.json() == again.json()


def test_the_cookie_of_a_lost_first_answer_is_given_for_a_quarter_of_an_hour(shop: Shop, shopper: Shopper) -> None:
    form = shopper.form("/products/tidal-rings-tee", "/cart/items")
    shopper.send(form)
    shop.cluster.query(
        "commerce",
        "UPDATE requests.completed SET created_at = created_at - interval '16 minutes' WHERE key = %s",
        form.fields["idempotency_key"],
    )
    assert shopper.send(form).status_code == 303  # whoever has the session goes on as before
    finder = shop.shopper()
    answer = finder.send(form)
    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers
