"""The gateway's rendered configuration in a real HAProxy, in front of a shop that can be switched off."""

import http.client
import signal
import subprocess
import time
from pathlib import Path

import pytest
from edge_gateway import RATE, Shop, answer_of, connect, post

from components.gateway_configuration import CDN_PORT, HEALTH_PORT, HTTP_PORT, HTTPS_PORT, LARGEST_BODY_BYTES
from components.gateway_pages import RETRY_AFTER_SECONDS
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import run

INNER = ("/readyz", "/livez", "/version", "/metrics", "/readyz/", "//readyz", "/%72eadyz", "/metrics/x")
"""What only the cluster asks, in the spellings that lead the shop to the same place."""


def test_haproxy_accepts_the_configuration_without_a_warning(configuration: Path) -> None:
    checked = run(["/usr/sbin/haproxy", "-c", "-f", str(configuration)], check=False)
    assert checked.code == 0, checked.stderr
    assert "WARNING" not in checked.stderr + checked.stdout, checked.stderr


def test_it_lives_without_a_shop_and_is_ready_only_with_one(gateway: subprocess.Popen[bytes]) -> None:
    assert answer_of(HEALTH_PORT, "/livez").status == 200
    assert answer_of(HEALTH_PORT, "/readyz").status == 503
    shop = Shop()
    try:
        wait_until(lambda: answer_of(HEALTH_PORT, "/readyz").status == 200, what="ready", seconds=60, interval=0.1)
        assert answer_of(HEALTH_PORT, "/anything").status == 404
    finally:
        shop.stop()


def test_a_shop_that_is_gone_is_told_at_once(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    shop.stop()
    assert answer_of(HTTPS_PORT, "/").status == 503
    wait_until(lambda: seconds_to_answer("/") < 0.3, what="the check to see it", seconds=60, interval=0.5)


def seconds_to_answer(path: str) -> float:
    start = time.monotonic()
    assert answer_of(HTTPS_PORT, path).status == 503
    return time.monotonic() - start


@pytest.mark.parametrize(
    ("port", "method", "path", "expected"),
    [
        (HTTPS_PORT, "GET", "/", 200),
        (HTTPS_PORT, "GET", "/static/shop.css", 404),
        (HTTPS_PORT, "GET", "/a/../static/shop.css", 400),
        (HTTPS_PORT, "GET", "/%2E%2e/secret", 400),
        (HTTPS_PORT, "GET", "/.%2e/secret", 400),
        (HTTPS_PORT, "GET", "/%2e./secret", 400),
        (HTTPS_PORT, "GET", "/%73tatic/shop.css", 404),
        *((HTTPS_PORT, "GET", path, 404) for path in INNER),
        (HTTPS_PORT, "POST", "/cart", 411),
        (CDN_PORT, "GET", "/static/shop.css", 200),
        (CDN_PORT, "GET", "/", 403),
        (CDN_PORT, "GET", "/static/../orders", 403),
        (CDN_PORT, "GET", "/static/.%2e/orders", 403),
        (CDN_PORT, "GET", "/static/%2E./orders", 403),
        *((CDN_PORT, "GET", path, 403) for path in INNER),
        (CDN_PORT, "POST", "/static/shop.css", 403),
        (HTTP_PORT, "GET", "/static/shop.css", 403),
        (HTTP_PORT, "GET", "/", 403),
        *((HTTP_PORT, "GET", path, 403) for path in INNER),
        (HTTP_PORT, "POST", "/static/shop.css", 403),
    ],
)
def test_what_each_door_lets_through(
    shop: Shop, gateway: subprocess.Popen[bytes], port: int, method: str, path: str, expected: int
) -> None:
    assert answer_of(port, path, method).status == expected


@pytest.mark.parametrize(("size", "expected"), [(LARGEST_BODY_BYTES, 200), (LARGEST_BODY_BYTES + 1, 413)])
def test_bodies_have_a_largest_size(shop: Shop, gateway: subprocess.Popen[bytes], size: int, expected: int) -> None:
    sent = b"x" * size if expected == 200 else None  # a refusal comes before the body
    assert answer_of(HTTPS_PORT, "/cart", "POST", {"Content-Length": str(size)}, sent).status == expected


def test_nobodys_cookie_passes_the_door_of_the_cdn(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    connection = connect(CDN_PORT)
    connection.request("GET", "/media/1.webp", headers={"Cookie": "session=mine", "Authorization": "Basic eA=="})
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.getheader("Set-Cookie") is None
    assert answer.getheader("X-Served-By") == "frankfurt"
    path, headers = next(each for each in shop.seen if each[0] == "/media/1.webp")
    assert path == "/media/1.webp"
    assert {name.lower() for name in headers} & {"cookie", "authorization"} == set()


def test_one_address_has_a_rate(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    allowed = RATE * 10
    connection = connect(HTTPS_PORT)  # one connection, which is quick: the window has 10 s
    answers: list[int] = []
    while len(answers) <= allowed or (answers[-1] == 200 and len(answers) < 10 * allowed):
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        answers.append(answer.status)
    assert answers[:allowed] == [200] * allowed
    assert answers[-1] == 429, "on a busy machine the first ones may be forgotten by then, but not again and again"


def test_an_idle_connection_outlives_the_order_to_leave(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    connection = connect(HTTPS_PORT)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"ok"
    gateway.send_signal(signal.SIGUSR1)  # as the preStop hook sends it
    wait_until(lambda: answer_of(HTTPS_PORT, "/").status == 0, what="the door to be closed", seconds=60, interval=0.1)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"ok")
    assert connection.sock is None or connection.sock.recv(1) == b"", "it ends with this answer"


@pytest.mark.requirement("a site that may not write answers writes with 503 and Retry-After, reads as before")
def test_a_closed_site_reads_only_and_ends_connections(
    shop: Shop, gateway: subprocess.Popen[bytes], agent: Shop
) -> None:
    connection = connect(HTTPS_PORT)

    def written() -> tuple[http.client.HTTPResponse, bytes]:
        connection.request("POST", "/cart", body=b"x")
        answer = connection.getresponse()
        return answer, answer.read()

    answer, body = written()
    assert (answer.status, body) == (200, b"ok")
    agent.status = 503
    for _ in range(300):  # on this one connection, so that it is never idle for long
        time.sleep(0.2)
        answer, body = written()
        if connection.sock is None:
            break
    assert answer.getheader("Connection") == "close"
    if answer.status == 200:  # a write that was taken before the site closed, and answered after
        answer, body = written()
    assert answer.status == 503
    assert answer.getheader("Connection") == "close"
    assert answer.getheader("Retry-After") == str(RETRY_AFTER_SECONDS)
    assert b"Nothing was charged" in body
    read = answer_of(HTTPS_PORT, "/")
    assert (read.status, read.headers.get("Connection")) == (200, "close")
    agent.status = 200
    wait_until(lambda: post("/cart") == 200, what="writes to be taken again", seconds=60, interval=0.2)


@pytest.mark.requirement("a passive site answers catalogue pages, without personal data")
def test_a_closed_site_knows_nobody(shop: Shop, gateway: subprocess.Popen[bytes], agent: Shop) -> None:
    agent.status = 503
    wait_until(lambda: post("/cart") == 503, what="writes to be refused", seconds=60, interval=0.2)
    for path in ("/cart", "/checkout", "/orders", "/orders/1/receipt", "/account/sign-in", "/%6frders", "//cart"):
        assert answer_of(HTTPS_PORT, path).status == 503, path
    connection = connect(HTTPS_PORT)
    connection.request("GET", "/products/1", headers={"Cookie": "session=mine"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Set-Cookie")) == (200, None)
    _, headers = next(each for each in shop.seen if each[0] == "/products/1")
    assert "cookie" not in {name.lower() for name in headers}
    agent.status = 200
    wait_until(
        lambda: answer_of(HTTPS_PORT, "/orders").status == 200, what="everything again", seconds=60, interval=0.2
    )
    connection = connect(HTTPS_PORT)
    connection.request("GET", "/", headers={"Cookie": "session=mine"})
    assert connection.getresponse().getheader("Set-Cookie")


@pytest.mark.requirement("a site whose agent does not answer takes no write")
def test_no_answer_of_the_agent_is_no(shop: Shop, gateway: subprocess.Popen[bytes], agent: Shop) -> None:
    agent.stop()
    wait_until(lambda: post("/cart") == 503, what="writes to be refused", seconds=60, interval=0.2)
