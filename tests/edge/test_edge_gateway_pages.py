"""What a customer reads when the gateway answers by itself, and what steering hears of the shop."""

import subprocess

import pytest
from edge_gateway import ADDRESS, Shop, answer_of
from edge_http2 import http2

from components.gateway_configuration import CDN_PORT, HTTP_PORT, HTTPS_PORT
from components.gateway_pages import RETRY_AFTER_SECONDS
from shopsphere.estate.edge_config import EdgeConfig
from shopsphere.estate.site_health import SERVING_PATH
from shopsphere.foundation.clock import wait_until


@pytest.mark.requirement("a shop that is gone is told by a page of ours with Retry-After")
@pytest.mark.parametrize("port", [HTTPS_PORT, CDN_PORT])
def test_a_shop_that_is_gone_leaves_a_page(gateway: subprocess.Popen[bytes], port: int) -> None:
    path = "/static/shop.css" if port == CDN_PORT else "/"
    status, headers, body = answer_of(port, path)
    assert (status, headers["Retry-After"], headers["Cache-Control"]) == (503, "5", "no-store")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"ShopSphere" in body
    assert b"Nothing was charged or ordered" in body
    assert b"<style>" in body


def test_what_is_said_of_a_form_whose_outcome_is_unknown(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    shop.mute = True  # the answer is lost after the shop has seen the form
    status, headers, body = answer_of(HTTPS_PORT, "/checkout", "POST", {"Content-Length": "1"}, b"x")
    assert (status, headers["Retry-After"]) == (502, "5")
    assert b"Nothing was charged" not in body
    assert b"the same form is taken once" in body


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/a/../b", "GET", 400), ("/static/shop.css", "GET", 404), ("/cart/items", "POST", 411)],
)
def test_a_refusal_is_a_page_with_the_headers_of_every_page(
    shop: Shop, gateway: subprocess.Popen[bytes], path: str, method: str, status: int
) -> None:
    found, headers, body = answer_of(HTTPS_PORT, path, method)
    assert found == status
    assert b"ShopSphere" in body
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.requirement("names lead readers away from a site whose shop or database is dead")
def test_steering_hears_whether_the_shop_is_ready(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    def serving() -> int:
        return answer_of(HTTP_PORT, SERVING_PATH, headers={"Host": "www.shopsphere.test"}).status

    wait_until(lambda: serving() == 200, what="the shop to be ready", seconds=60, interval=0.2)
    shop.ready = 503
    wait_until(lambda: serving() == 503, what="a dead database to be told", seconds=60, interval=0.2)
    assert answer_of(HTTPS_PORT, "/").status == 200, "the shop itself lives, so customers are let through"
    shop.ready = 200
    wait_until(lambda: serving() == 200, what="the shop to be ready again", seconds=60, interval=0.2)
    seen = [path for path, _ in shop.seen]
    assert SERVING_PATH not in seen


def test_a_site_without_a_shop_is_not_serving(gateway: subprocess.Popen[bytes]) -> None:
    wait_until(
        lambda: answer_of(HTTP_PORT, SERVING_PATH).status == 503,
        what="a missing shop to be told",
        seconds=60,
        interval=0.2,
    )


@pytest.mark.requirement("pages travel compressed")
def test_pages_are_compressed(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    _, plain_headers, plain = answer_of(HTTPS_PORT, "/long")
    _, headers, packed = answer_of(HTTPS_PORT, "/long", headers={"Accept-Encoding": "gzip"})
    assert plain_headers["Content-Encoding"] is None
    assert headers["Content-Encoding"] == "gzip"
    assert "accept-encoding" in headers["Vary"].lower()
    assert len(packed) < len(plain) / 2


@pytest.mark.requirement("browsers speak HTTP/2 with the gateway")
def test_http2_keeps_its_connection(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    found = http2(ADDRESS, HTTPS_PORT, "www.shopsphere.test", ["/", "/", "/"])
    assert (found.versions, found.statuses, found.connections) == (["2"] * 3, [200] * 3, 1)


@pytest.mark.requirement("a customer who comes again after a refusal asks DNS where the pair is active now")
def test_http2_ends_before_a_customer_comes_again(shop: Shop, gateway: subprocess.Popen[bytes], agent: Shop) -> None:
    agent.status = 503
    wait_until(
        lambda: answer_of(HTTPS_PORT, "/cart").status == 503, what="writes to be closed", seconds=60, interval=0.2
    )
    found = http2(ADDRESS, HTTPS_PORT, "www.shopsphere.test", ["/cart", "/cart"], every=RETRY_AFTER_SECONDS)
    assert (found.statuses, found.connections) == ([503, 503], 2)


@pytest.mark.requirement("the CDN asks an origin what the gateway answers")
def test_the_probe_of_the_cdn_is_answered(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    path = EdgeConfig.model_fields["origin_probe_path"].default
    host = {"Host": "static.shopsphere.test"}
    wait_until(
        lambda: answer_of(HTTP_PORT, path, headers=host).status == 200,
        what="a healthy origin",
        seconds=60,
        interval=0.2,
    )
