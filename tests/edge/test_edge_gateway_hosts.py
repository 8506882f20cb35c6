"""The names that customers type, in front of the one that the shop has."""

import subprocess

import pytest
from edge_gateway import Shop, answer_of

from components.gateway_configuration import CDN_PORT, HTTP_PORT, HTTPS_PORT

SHOP = "https://www.shopsphere.test"


@pytest.mark.requirement("http and the bare domain lead to the shop")
@pytest.mark.parametrize(
    ("port", "host"),
    [
        (HTTP_PORT, "www.shopsphere.test"),
        (HTTP_PORT, "www.shopsphere.test."),
        (HTTP_PORT, "WWW.ShopSphere.Test:80"),
        (HTTP_PORT, "shopsphere.test"),
        (HTTPS_PORT, "shopsphere.test"),
        (HTTPS_PORT, "SHOPSPHERE.TEST."),
        (HTTPS_PORT, "shopsphere.test:443"),
        (HTTPS_PORT, "www.shopsphere.test."),
        (HTTPS_PORT, "www.shopsphere.test.:443"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_typed_names_are_led_to_the_shop(
    shop: Shop, gateway: subprocess.Popen[bytes], port: int, host: str, method: str
) -> None:
    status, headers, _ = answer_of(port, "/search?q=moon&page=2", method, {"Host": host})
    assert (status, headers["Location"]) == (301, f"{SHOP}/search?q=moon&page=2")
    assert all(path in {"/livez", "/readyz"} for path, _ in shop.seen)


@pytest.mark.parametrize("host", ["www.shopsphere.test", "WWW.SHOPSPHERE.TEST", "www.shopsphere.test:443", "10.98.0.1"])
def test_the_shops_own_name_is_served(shop: Shop, gateway: subprocess.Popen[bytes], host: str) -> None:
    assert answer_of(HTTPS_PORT, "/", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["[2001:db8::1]", "[2001:db8::1]:443", "[::ffff:10.98.0.1]", "::1", "other.example", "."]
)
def test_other_names_lead_nowhere(shop: Shop, gateway: subprocess.Popen[bytes], host: str) -> None:
    plain, headers, _ = answer_of(HTTP_PORT, "/", headers={"Host": host})
    assert (plain, headers["Location"]) == (403, None)
    assert answer_of(HTTPS_PORT, "/", headers={"Host": host}).status in {200, 400}


def test_a_path_cannot_turn_the_way_to_another_shop(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    for path in ("//other.example/x", "/%0d%0aSet-Cookie:x", "/@other.example"):
        status, headers, _ = answer_of(HTTP_PORT, path, headers={"Host": "www.shopsphere.test"})
        assert (status, headers["Location"]) == (301, SHOP + path)
        assert headers["Set-Cookie"] is None


def test_a_form_is_never_led_on_from_plain_http(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    status, _, _ = answer_of(
        HTTP_PORT, "/account/sign-in", "POST", {"Host": "www.shopsphere.test", "Content-Length": "0"}
    )
    assert status == 403


def test_the_cdn_is_still_served(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    status, headers, _ = answer_of(CDN_PORT, "/static/shop.css", headers={"Host": "static.shopsphere.test"})
    assert (status, headers["X-Served-By"]) == (200, "frankfurt")
