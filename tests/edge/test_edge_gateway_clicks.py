"""The way of clicks through a real HAProxy: over connections that are used again, apart from pages, to nothing else."""

from __future__ import annotations

import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from edge_gateway import ADDRESS, DOMAIN, NEIGHBOUR, RATE, Answer, Shop, answer_of, connect, write_configuration
from edge_http2 import http2

from components.gateway_configuration import (
    CDN_PORT,
    HTTP_PORT,
    HTTPS_PORT,
    LARGEST_CLICK_BYTES,
    LATER_SECONDS,
)
from components.gateway_pages import RATE_WINDOW_SECONDS
from lab.packages import ensure_packages
from shopsphere.estate.workload_declaration import SERVICE_PORT
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import run

pytestmark = pytest.mark.requirement("clicks come to the collector, and take nothing from pages")

BUDGET = RATE * RATE_WINDOW_SECONDS


class Collector:
    """Answers 204, or nothing if `mute`, and knows on how many connections it was asked."""

    def __init__(self) -> None:
        collector = self
        self.asked: Counter[tuple[str, int]] = Counter()
        self.headers: dict[str, str] = {}
        self.mute = False

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_POST(self) -> None:
                collector.asked[self.path, self.client_address[1]] += 1
                collector.headers = dict(self.headers)
                self.rfile.read(int(self.headers["Content-Length"]))
                if collector.mute:
                    self.close_connection = True
                else:
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, *_words: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_who: object) -> None:
                """Say nothing: HAProxy's checks end as soon as they have the status."""

        self._server = Server((ADDRESS, SERVICE_PORT), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def connections(self) -> int:
        return len({port for _, port in self.asked})

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ensure_packages(["haproxy"])
    return write_configuration(tmp_path_factory.mktemp("gateway"), collects=True)


@pytest.fixture
def collector(network: None) -> Iterator[Collector]:
    """A collector that runs before its gateway starts: name it first."""
    collector = Collector()
    yield collector
    collector.stop()


def click(path: str = "/b", size: int = 100, source: str = ADDRESS, **headers: str) -> Answer:
    return answer_of(HTTPS_PORT, path, "POST", {"Content-Length": str(size), **headers}, b"x" * size, source)


def statuses(method: str, path: str, source: str) -> Counter[int]:
    """Ask more often than the budget allows, on one connection, so that a busy machine does it within the window."""
    connection, found = connect(HTTPS_PORT, source), Counter[int]()
    for _ in range(BUDGET + 10):
        connection.request(method, path, b"x" if method == "POST" else None)
        answer = connection.getresponse()
        answer.read()
        found[answer.status] += 1
    connection.close()
    return found


def open_up() -> None:
    """Wait until the gateway knows that the site is open, and its collector is there."""
    wait_until(lambda: click(source=NEIGHBOUR).status == 204, what="the way to the collector", seconds=60, interval=0.1)


def test_haproxy_accepts_the_configuration_without_a_warning(configuration: Path) -> None:
    checked = run(["/usr/sbin/haproxy", "-c", "-f", str(configuration)], check=False)
    assert checked.code == 0, checked.stderr
    assert "WARNING" not in checked.stderr + checked.stdout, checked.stderr


def test_clicks_share_connections_and_bring_nobodys_cookie(
    shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes]
) -> None:
    open_up()
    collector.asked.clear()
    for _ in range(BUDGET // 2):
        assert click(Cookie="session=secret", Authorization="Basic x").status == 204
    assert collector.asked.total() == BUDGET // 2
    assert collector.connections <= 4, "one for each of HAProxy's threads"
    assert not {"cookie", "authorization"} & {name.lower() for name in collector.headers}
    assert not [path for path, _ in shop.seen if path == "/b"]


@pytest.mark.parametrize("path", ["/b/", "/b?x=1", "/b/metrics", "/%62", "//b", "/B"])
def test_nothing_else_comes_to_the_collector(
    shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes], path: str
) -> None:
    open_up()
    collector.asked.clear()
    click(path)
    answer_of(HTTPS_PORT, "/b")
    assert not collector.asked


@pytest.mark.parametrize(
    ("port", "path", "method", "expected"),
    [
        (HTTPS_PORT, "/metrics", "GET", 404),
        (HTTPS_PORT, "/readyz", "GET", 404),
        (CDN_PORT, "/b", "POST", 403),
        (HTTP_PORT, "/b", "POST", 403),
    ],
)
def test_its_other_pages_and_doors_stay_closed(
    shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes], port: int, path: str, method: str, expected: int
) -> None:
    open_up()
    collector.asked.clear()
    body = {"Content-Length": "1"} if method == "POST" else {}
    assert answer_of(port, path, method, body, b"x" if body else None).status == expected
    assert not collector.asked


def test_a_batch_that_is_too_large_is_refused_before_it_is_read(
    shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes]
) -> None:
    open_up()
    assert click(size=LARGEST_CLICK_BYTES).status == 204
    collector.asked.clear()
    # HAProxy 2.6 answers and closes: who goes on sending may see a connection that was cut, and not the answer.
    answer = answer_of(HTTPS_PORT, "/b", "POST", {"Content-Length": str(LARGEST_CLICK_BYTES + 1)})
    assert (answer.status, answer.body) == (413, b"size")
    assert not collector.asked


def test_a_batch_without_a_length_is_refused_in_a_word(
    shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes]
) -> None:
    open_up()
    collector.asked.clear()
    answer = answer_of(HTTPS_PORT, "/b", "POST", {"Transfer-Encoding": "chunked"}, b"1\r\nx\r\n0\r\n\r\n")
    assert (answer.status, answer.body) == (411, b"length")
    assert not collector.asked


def test_over_http2_clicks_come_to_the_collector_too(
    shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes]
) -> None:
    open_up()
    collector.asked.clear()
    answers = http2(ADDRESS, HTTPS_PORT, f"www.{DOMAIN}", ["/b"] * 5, body="{}")
    assert (answers.versions, answers.statuses, answers.connections) == (["2"] * 5, [204] * 5, 1)
    assert collector.asked.total() == 5


def test_what_was_sent_is_not_sent_again(shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes]) -> None:
    """It may have been taken: the browser sends it again, under the same number."""
    open_up()
    collector.asked.clear()
    collector.mute = True
    answer = click()
    assert (answer.status, answer.body, answer.headers["Retry-After"]) == (502, b"later", str(LATER_SECONDS))
    assert collector.asked.total() == 1


def test_until_the_check_sees_that_the_collector_is_dead_answers_are_quick(
    shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes]
) -> None:
    open_up()
    collector.stop()
    collector.mute = True  # on connections that it still has
    for _ in range(BUDGET // 2):
        begun = time.monotonic()
        answer = click()
        assert (answer.status, answer.body) in {(502, b"later"), (503, b"later")}
        assert time.monotonic() - begun < 2.5, "two tries to connect"
        time.sleep(0.2)


def test_clicks_and_pages_are_counted_apart(shop: Shop, collector: Collector, gateway: subprocess.Popen[bytes]) -> None:
    open_up()
    answers = statuses("POST", "/b", ADDRESS)
    assert answers[503] >= 5, answers
    assert answers[204] + answers[503] == answers.total()
    assert answer_of(HTTPS_PORT, "/").status == 200, "pages have all of their own"
    pages = statuses("GET", "/", NEIGHBOUR)
    assert pages[429] >= 5, pages
    assert click(source=NEIGHBOUR).status == 204, "clicks too"


def test_without_a_collector_the_answer_is_short_and_quick(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: answer_of(HTTPS_PORT, "/").status == 200, what="the site to be open", seconds=60, interval=0.1)

    def is_quick() -> bool:
        begun = time.monotonic()
        answer = click()
        assert (answer.status, answer.body) == (503, b"later")
        assert answer.headers["Retry-After"] == str(LATER_SECONDS)
        return time.monotonic() - begun < 0.3

    wait_until(is_quick, what="the check to see it", seconds=60, interval=0.2)
    assert answer_of(HTTPS_PORT, "/").status == 200


def test_a_closed_site_takes_none(
    shop: Shop, collector: Collector, agent: Shop, gateway: subprocess.Popen[bytes]
) -> None:
    """It would be counted when that site is active again: the browser keeps it, and asks the other site."""
    open_up()
    agent.status = 503
    wait_until(lambda: click(source=NEIGHBOUR).status == 503, what="the site to be closed", seconds=60, interval=0.2)
    collector.asked.clear()
    answer = click()
    assert (answer.status, answer.body, answer.headers["Connection"]) == (503, b"later", "close")
    assert not collector.asked
