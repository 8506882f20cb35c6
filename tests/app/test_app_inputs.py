"""Any bytes in any place get a page or a refusal, never a fault of ours."""

from urllib.parse import unquote_to_bytes, urlencode

import httpx
import pytest
from raw_http import Answer, ask
from running_shop import Shop
from sealed_by_tests import sealed_headers
from shop_processes import CALL_KEY
from shopper import Shopper

pytestmark = pytest.mark.requirement("any bytes in any header, cookie, query, path or body get a page or 4xx")

FORM = (b"content-type", b"application/x-www-form-urlencoded")
KEY = "inputs-test-key-0123456789"
SIGNED_BUT_FOREIGN = b"session=00000000000000000000000000000000.\xc3\xa9"


def _post(shop: Shop, path: bytes, body: bytes, *headers: tuple[bytes, bytes]) -> Answer:
    return ask(shop.storefront.url, path, method=b"POST", headers=[FORM, *headers], body=body)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"cookie", SIGNED_BUT_FOREIGN)],
        [(b"cookie", b"session=00000000000000000000000000000000.\xff\xfe")],
        [(b"cookie", b"\xff=\xff; =; ;;; session")],
        [(b"cookie", b"a=b; " * 900)],
        [(b"accept-encoding", b"gzip;q=x, \xff")],
        [(b"x-forwarded-for", b"\xff")],
        [(b"user-agent", "Käse".encode())],
        [(b"content-type", b"\xff; charset=\xff")],
    ],
)
def test_any_header_gets_the_page(shop: Shop, headers: list[tuple[bytes, bytes]]) -> None:
    assert ask(shop.storefront.url, b"/cart", headers=headers).status == 200


@pytest.mark.parametrize(
    "target",
    [
        b"/categories/hoodies?page=" + b"9" * 1900,
        b"/categories/hoodies?page=-1",
        b"/search?q=moon&page=" + "٣".encode(),
        b"/search?q=%00%ff%fe%c3%28",
        b"/search?q=" + b"%F0%9F%8C%99" * 80,
        b"/search?" + b"q=a&" * 500,
        b"/search?q[]=a&q[]=b&&&=&%",
        b"/categories/hoodies?sort=%00",
    ],
)
def test_any_query_gets_a_page(shop: Shop, target: bytes) -> None:
    assert ask(shop.storefront.url, target).status == 200


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/products/%00", 404),
        (b"/products/%ff%fe", 404),
        (b"/products/tidal-rings-tee%0d%0aset-cookie:x", 404),
        (b"/categories/" + b"a" * 400, 404),
        (b"/orders/%00/receipt", 404),
        (b"/" + b"a" * 5000, 414),
        (b"/search?q=" + b"a" * 5000, 414),
        (b"/categories/hoodies?page=" + b"9" * 5000, 414),
    ],
)
def test_any_path_is_found_or_not(shop: Shop, target: bytes, status: int) -> None:
    assert ask(shop.storefront.url, target).status == status


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (b"/products/%0a", [], 404),
        (b"/products/%ff%fe", [], 404),
        (b"/search?q=" + b"a" * 5000, [], 414),
        (b"/cart", [(b"cookie", b"a=" + b"b" * 17_000)], 431),
    ],
)
def test_what_is_refused_unread_is_a_page_with_a_way_on(
    shop: Shop, target: bytes, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    answer = ask(shop.storefront.url, target, headers=headers)
    assert answer.status == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    assert "content-security-policy" in answer.headers
    assert b'<html lang="' in answer.body
    assert b'<a class="button" href="/">To the shop</a>' in answer.body


@pytest.mark.parametrize("name", ["email", "name", "street", "city", "postcode", "text", "sku", "product", "quantity"])
@pytest.mark.parametrize("path", ["/checkout", "/account/sign-in", "/account/sign-up", "/cart/items"])
def test_a_control_character_in_a_field_is_told_and_not_stored(shop: Shop, path: str, name: str) -> None:
    body = urlencode({"idempotency_key": KEY, name: "A\x00"}).encode()
    answer = _post(shop, path.encode(), body)
    assert answer.status == 422
    assert b"U+0000" in answer.body


@pytest.mark.parametrize("quantity", ["9" * 5000, "-1", "1e3", "\u0663", "1_0", " "])
def test_a_number_that_is_none_is_told(shopper: Shopper, quantity: str) -> None:
    answer = shopper.add("tidal-rings-tee", size="M", quantity=quantity)
    assert answer.status_code == 422
    assert "Choose 1 to 20" in answer.text


@pytest.mark.requirement("names and words are taken as people type and paste them, or the character is named")
def test_names_and_words_are_taken_as_people_type_them(shopper: Shopper) -> None:
    words = "\U0001f469\u200d\U0001f680 \u00e0\u00a0Ada"  # of two people's signs joined into one, and a wide space
    assert shopper.add("aurel-one-watch", text=words).status_code == 303
    assert "\U0001f469\u200d\U0001f680 \u00e0 Ada" in shopper.get("/cart").text
    form = shopper.checkout_form()
    form.fields |= {
        "name": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\u200f Donau\u00addampf",
        "street": "Ring\u00a01\r\nback\tdoor",
    }
    answer = shopper.send(form, payment_method="tok_visa")
    assert answer.status_code == 303
    receipt = shopper.get(answer.headers["location"]).text
    assert "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 Donaudampf, Ring 1 back door, " in receipt


@pytest.mark.parametrize("slug", ["tidal-rings-tee", "aurel-one-watch"])
def test_words_of_marks_without_a_letter_break_no_page(shopper: Shopper, slug: str) -> None:
    form = shopper.form(f"/products/{slug}", "/cart/items")
    for action in (f"/products/{slug}/design", f"/products/{slug}/picture"):
        assert shopper.http.post(action, data={**form.fields, "text": "\u0301"}).status_code == 200
    receipt = shopper.buy(slug=slug, text="\u0301")
    shopper.add(slug, text="\u0301\u0308")
    for page in ("/cart", "/checkout", "/orders", receipt):
        shopper.get(page)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"email=\xff&idempotency_key=aaaaaaaaaaaaaaaaaaaa", [], 400),
        (b"email=%ff&idempotency_key=aaaaaaaaaaaaaaaaaaaa", [], 400),
        (b"a=b&" * 500, [], 400),
        (b"idempotency_key=%00aaaaaaaaaaaaaaaaaaaa", [], 422),
        (b"x" * 70_000, [], 413),
        (b"idempotency_key=aaaaaaaaaaaaaaaaaaaa", [(b"origin", b"http://[")], 403),
        (b"idempotency_key=aaaaaaaaaaaaaaaaaaaa", [(b"referer", b"https://[x")], 403),
        (b"idempotency_key=aaaaaaaaaaaaaaaaaaaa", [(b"origin", b"null")], 403),
        (b"idempotency_key=aaaaaaaaaaaaaaaaaaaa", [(b"sec-fetch-site", b"same-site")], 403),
    ],
)
def test_any_body_is_answered(shop: Shop, body: bytes, headers: list[tuple[bytes, bytes]], status: int) -> None:
    assert _post(shop, b"/account/sign-in", body, *headers).status == status


def test_a_key_of_any_bytes_is_refused(shop: Shop) -> None:
    assert _post(shop, b"/account/sign-out", b"a=b", (b"idempotency-key", b"\xff" * 20)).status == 422


@pytest.mark.parametrize("part", [b'; charset="nonsense"', b"; charset=utf-8"])
def test_a_multipart_form_is_refused_as_what_it_is(shop: Shop, part: bytes) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="email"\r\nContent-Type: text/plain' + part
    body += b"\r\n\r\n\xff\r\n--x--\r\n"
    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    answer = ask(shop.storefront.url, b"/account/sign-in", method=b"POST", headers=headers, body=body)
    assert answer.status == 415


def test_the_host_header_makes_no_page_of_another_site_ours(shop: Shop) -> None:
    headers = [FORM, (b"origin", b"http://evil.example")]
    with_host = httpx.post(
        f"{shop.storefront.url}/account/sign-out", content=f"idempotency_key={KEY}", trust_env=False,
        headers={"host": "evil.example", "origin": "http://evil.example", "content-type": FORM[1].decode()},
    )  # fmt: skip
    assert with_host.status_code == 403
    assert ask(shop.storefront.url, b"/account/sign-out", method=b"POST", headers=headers, body=b"a=b").status == 403


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ([(b"idempotency-key", b"payments-\xff-0123456789")], b"{}", 422),
        ([(b"idempotency-key", b"payments-test-0123456789")], b"\xff\x00", 422),
        ([(b"idempotency-key", b"payments-test-0123456789")], b"[" * 5000, 422),
        (
            [(b"idempotency-key", b"payments-test-0123456789")],
            b'{"reference":"A\\u0000","amount_minor":1,"currency":"EUR","token":"tok_visa"}',
            422,
        ),
    ],
)
def test_the_payments_service_refuses_bytes_that_are_no_request(
    shop: Shop, headers: list[tuple[bytes, bytes]], body: bytes, status: int
) -> None:
    key = dict(headers).get(b"idempotency-key", b"").decode("latin-1")
    sealed = sealed_headers(CALL_KEY, "POST", "/v1/payments", key, body)
    headers = [*headers, *((name.encode(), value.encode()) for name, value in sealed.items())]
    answer = ask(shop.payments.url, b"/v1/payments", method=b"POST", headers=headers, body=body)
    assert answer.status == status


@pytest.mark.parametrize("target", [b"/v1/payments/by-key/%00", b"/v1/payments/by-key/%ff", b"/v1/payments/by-key/a"])
def test_the_payments_service_finds_no_key_of_any_bytes(shop: Shop, target: bytes) -> None:
    assert ask(shop.payments.url, target).status in {401, 404}  # some bytes are no path before anybody asks for a seal
    path = unquote_to_bytes(target).decode("utf-8", "replace")
    sealed = sealed_headers(CALL_KEY, "GET", path, "", b"")
    headers = [(name.encode(), value.encode()) for name, value in sealed.items()]
    assert ask(shop.payments.url, target, headers=headers).status == 404


def test_head_is_get_without_the_body(shop: Shop, shopper: Shopper) -> None:
    for path in ("/", "/categories/hoodies", "/search?q=moon", "/products/tidal-rings-tee", "/cart", "/livez"):
        read, asked = shopper.get(path), shopper.http.head(path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["content-type"] == read.headers["content-type"]
    assert shopper.http.head("/nowhere").status_code == 404
    assert shopper.http.head("/account/sign-out").status_code == 405


def test_a_charset_is_said_once(shopper: Shopper) -> None:
    style = shopper.get("/").text.split('rel="stylesheet" href="')[1].split('"')[0]
    assert shopper.get("/").headers["content-type"] == "text/html; charset=utf-8"
    assert shopper.http.get(style).headers["content-type"] == "text/css; charset=utf-8"
    assert shopper.http.get("/livez").headers["content-type"] == "text/plain; charset=utf-8"
