"""The gateway's rendered configuration in a real HAProxy, in front of a shop that can be switched off."""

import http.client
import signal
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from edge_network import own_network

from components.gateway_configuration import (
    CERTIFICATE_FILE,
    HEALTH_PORT,
    HTTP_PORT,
    HTTPS_PORT,
    LARGEST_BODY_BYTES,
    RETRY_AFTER_SECONDS,
    GatewayModel,
    haproxy_configuration,
)
from lab.packages import ensure_packages
from lab.pki import KeyPair, issue, new_authority
from shopsphere.estate.endpoint import Endpoint
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_config import WorkloadConfig
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import run

ADDRESS = "10.98.0.1"
AGENT_PORT = 8405
SHOP_PORT = 8000
RATE = 20


class Shop:
    """Answers every request with its own path and a cookie; `status` can be changed."""

    def __init__(self, port: int = SHOP_PORT) -> None:
        shop = self
        self.status = 200
        self.seen: list[tuple[str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.seen.append((self.path, dict(self.headers)))
                self.send_response(shop.status)
                self.send_header("Set-Cookie", "session=secret")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_words: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_who: object) -> None:
                """Say nothing: HAProxy's checks end as soon as they have the status."""

        self._server = Server((ADDRESS, port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """haproxy.cfg of Frankfurt with a certificate of this test's own."""
    ensure_packages(["haproxy"])
    base = tmp_path_factory.mktemp("gateway")
    authority = new_authority(base / "ca", "test")
    # The key stands where ssl-load-extra-files looks for it.
    pair = KeyPair(base / "tls.pem", base / "tls.pem.key")
    issue(authority, pair, common_name="www.shopsphere.test", alternatives=("www.shopsphere.test",))
    model = GatewayModel(
        placement=Placement(site="frankfurt", jurisdiction="eu"),
        config=WorkloadConfig(replicas=1, cpu="10m", memory="64Mi"),
        watts=1,
        shop_host=ADDRESS,
        shop_port=SHOP_PORT,
        static_paths=("/static/", "/media/"),
        requests_per_second=RATE,
        agent=Endpoint.at(IPv4Address(ADDRESS), AGENT_PORT),
    )
    text = haproxy_configuration(model)
    assert CERTIFICATE_FILE in text
    path = base / "haproxy.cfg"
    path.write_text(text.replace(CERTIFICATE_FILE, str(pair.certificate)))
    return path


@pytest.fixture(scope="module")
def network() -> Iterator[None]:
    with own_network([ADDRESS]):
        yield


@pytest.fixture
def shop(network: None) -> Iterator[Shop]:
    """A shop that runs before its gateway starts: name it first."""
    shop = Shop()
    yield shop
    shop.stop()


@pytest.fixture
def agent(network: None) -> Iterator[Shop]:
    """In place of the site's agent; open."""
    agent = Shop(AGENT_PORT)
    yield agent
    agent.stop()


@pytest.fixture
def gateway(network: None, configuration: Path, agent: Shop) -> Iterator[subprocess.Popen[bytes]]:
    """HAProxy's process, listening."""
    process = subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", str(configuration)], start_new_session=True)
    try:
        wait_until(lambda: ask(HEALTH_PORT, "/livez") == 200, what="HAProxy to listen", seconds=20, interval=0.1)
        yield process
    finally:
        process.kill()
        process.wait(10)


def connect(port: int) -> http.client.HTTPConnection:
    if port != HTTPS_PORT:
        return http.client.HTTPConnection(ADDRESS, port, timeout=10)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(ADDRESS, port, timeout=10, context=context)


def ask(
    port: int, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> int:
    connection = connect(port)
    try:
        connection.putrequest(method, path)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        return connection.getresponse().status
    except ConnectionError:
        return 0
    finally:
        connection.close()


def test_haproxy_accepts_the_configuration_without_a_warning(configuration: Path) -> None:
    checked = run(["/usr/sbin/haproxy", "-c", "-f", str(configuration)], check=False)
    assert checked.code == 0, checked.stderr
    assert "WARNING" not in checked.stderr + checked.stdout, checked.stderr


def test_it_lives_without_a_shop_and_is_ready_only_with_one(gateway: subprocess.Popen[bytes]) -> None:
    assert ask(HEALTH_PORT, "/livez") == 200
    assert ask(HEALTH_PORT, "/readyz") == 503
    shop = Shop()
    try:
        wait_until(lambda: ask(HEALTH_PORT, "/readyz") == 200, what="ready", seconds=10, interval=0.1)
        assert ask(HEALTH_PORT, "/anything") == 404
    finally:
        shop.stop()


def test_a_shop_that_is_gone_is_told_at_once(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    shop.stop()
    assert ask(HTTPS_PORT, "/") == 503
    wait_until(lambda: seconds_to_answer("/") < 0.3, what="the check to see it", seconds=15, interval=0.5)


def seconds_to_answer(path: str) -> float:
    start = time.monotonic()
    assert ask(HTTPS_PORT, path) == 503
    return time.monotonic() - start


@pytest.mark.parametrize(
    ("port", "method", "path", "expected"),
    [
        (HTTPS_PORT, "GET", "/", 200),
        (HTTPS_PORT, "GET", "/static/shop.css", 404),
        (HTTPS_PORT, "GET", "/a/../static/shop.css", 400),
        (HTTPS_PORT, "GET", "/%2E%2e/secret", 400),
        (HTTPS_PORT, "POST", "/cart", 411),
        (HTTP_PORT, "GET", "/static/shop.css", 200),
        (HTTP_PORT, "GET", "/", 403),
        (HTTP_PORT, "GET", "/static/../orders", 403),
        (HTTP_PORT, "POST", "/static/shop.css", 403),
    ],
)
def test_what_each_door_lets_through(
    shop: Shop, gateway: subprocess.Popen[bytes], port: int, method: str, path: str, expected: int
) -> None:
    assert ask(port, path, method) == expected


@pytest.mark.parametrize(("size", "expected"), [(LARGEST_BODY_BYTES, 200), (LARGEST_BODY_BYTES + 1, 413)])
def test_bodies_have_a_largest_size(shop: Shop, gateway: subprocess.Popen[bytes], size: int, expected: int) -> None:
    sent = b"x" * size if expected == 200 else None  # a refusal comes before the body
    assert ask(HTTPS_PORT, "/cart", "POST", {"Content-Length": str(size)}, sent) == expected


def test_nobodys_cookie_passes_the_door_of_the_cdn(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    connection = connect(HTTP_PORT)
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
    connection, answers = connect(HTTPS_PORT), []  # one connection: the window of 10 s must not pass meanwhile
    for _ in range(allowed + 20):
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        answers.append(answer.status)
    assert answers[:allowed] == [200] * allowed
    assert answers[-1] == 429


def test_an_idle_connection_outlives_the_order_to_leave(shop: Shop, gateway: subprocess.Popen[bytes]) -> None:
    connection = connect(HTTPS_PORT)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"ok"
    gateway.send_signal(signal.SIGUSR1)  # as the preStop hook sends it
    wait_until(lambda: ask(HTTPS_PORT, "/") == 0, what="the door to be closed", seconds=10, interval=0.1)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"ok")
    assert connection.sock is None or connection.sock.recv(1) == b"", "it ends with this answer"


@pytest.mark.requirement("a site that may not write answers writes with 503 and Retry-After, reads as before")
def test_a_closed_site_reads_only_and_ends_connections(
    shop: Shop, gateway: subprocess.Popen[bytes], agent: Shop
) -> None:
    connection = connect(HTTPS_PORT)
    connection.request("POST", "/cart", body=b"x")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"ok")
    agent.status = 503
    wait_until(lambda: post("/cart") == 503, what="writes to be refused", seconds=10, interval=0.2)
    connection.request("POST", "/cart", body=b"x")
    answer = connection.getresponse()
    body = answer.read().decode()
    assert answer.status == 503
    assert answer.getheader("Retry-After") == str(RETRY_AFTER_SECONDS)
    assert "Nothing was charged" in body
    assert answer.getheader("Connection") == "close"
    assert ask(HTTPS_PORT, "/") == 200
    agent.status = 200
    wait_until(lambda: post("/cart") == 200, what="writes to be taken again", seconds=10, interval=0.2)


@pytest.mark.requirement("a passive site answers catalogue pages, without personal data")
def test_a_closed_site_knows_nobody(shop: Shop, gateway: subprocess.Popen[bytes], agent: Shop) -> None:
    agent.status = 503
    wait_until(lambda: post("/cart") == 503, what="writes to be refused", seconds=10, interval=0.2)
    for path in ("/cart", "/checkout", "/orders", "/orders/1/receipt", "/account/sign-in"):
        assert ask(HTTPS_PORT, path) == 503, path
    connection = connect(HTTPS_PORT)
    connection.request("GET", "/products/1", headers={"Cookie": "session=mine"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Set-Cookie")) == (200, None)
    _, headers = next(each for each in shop.seen if each[0] == "/products/1")
    assert "cookie" not in {name.lower() for name in headers}
    agent.status = 200
    wait_until(lambda: ask(HTTPS_PORT, "/orders") == 200, what="everything again", seconds=10, interval=0.2)
    connection = connect(HTTPS_PORT)
    connection.request("GET", "/", headers={"Cookie": "session=mine"})
    assert connection.getresponse().getheader("Set-Cookie")


@pytest.mark.requirement("a site whose agent does not answer takes no write")
def test_no_answer_of_the_agent_is_no(shop: Shop, gateway: subprocess.Popen[bytes], agent: Shop) -> None:
    agent.stop()
    wait_until(lambda: post("/cart") == 503, what="writes to be refused", seconds=10, interval=0.2)


def post(path: str) -> int:
    return ask(HTTPS_PORT, path, "POST", {"Content-Length": "1"}, b"x")
