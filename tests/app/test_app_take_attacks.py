"""`shop take-releases` against a region that sends what no exporter would, and a process that ends meanwhile."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from export_place import Place, figure
from shop_processes import Process

from app.export.line import MARK, RELEASES, trust

pytestmark = pytest.mark.requirement("releases travel over mutual TLS")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    place = Place(tmp_path_factory.mktemp("attacks"))
    try:
        yield place
    finally:
        place.remove()


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[Process]:
    with place.headquarters() as process:
        yield process


@contextmanager
def connected(place: Place) -> Iterator[ssl.SSLSocket]:
    client = place.files.client("region-1")
    context = trust(place.files.authority.certificate, client.certificate, client.key)
    with (
        socket.create_connection(("127.0.0.1", place.port), timeout=40) as line,
        context.wrap_socket(line, server_hostname="127.0.0.1") as shaken,
    ):
        yield shaken


def status_of(line: ssl.SSLSocket) -> int:
    answer = b""
    while part := line.recv(65536):
        answer += part
    return int(answer.split(b" ", 2)[1])


def asked(place: Place, path: str, body: bytes = b"", method: str = "POST") -> int:
    with connected(place) as line:
        line.sendall(f"{method} {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        return status_of(line)


@pytest.mark.parametrize("path", [MARK, RELEASES])
@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"[]", b"{}", b"\xff\xfe", b"\x00", b"[" * 100_000, b'{"a":' * 50_000, b'"\\ud800"',
        b'{"session":"\\ud800"}', b'{"session":1e999}', b'{"session":""}', b'{"session":"%s"}' % (b"A" * 100_000),
        b'{"session":"c3Nzc3Nzc3Nzc3Nzc3Nzcw==","releases":[{}]}', b'{"session":"c3Nzc3Nzc3Nzc3Nzc3Nzcw==","x":1}',
    ],
)  # fmt: skip
def test_a_body_that_no_region_sends_is_refused_and_nothing_is_kept(
    path: str, body: bytes, place: Place, running: Process
) -> None:
    status = asked(place, path, body)
    assert status == 400, running.log()[-600:]
    assert place.of_headquarters("SELECT number FROM reporting.region") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{RELEASES}?after=-1"), ("GET", f"{RELEASES}?after=1&after=2"), ("GET", f"{RELEASES}?after=%30"),
        ("GET", f"{RELEASES}?after={'9' * 17}"), ("GET", f"{RELEASES}?after=0&region=2"), ("GET", f"{RELEASES}/../x"),
        ("PUT", RELEASES), ("DELETE", RELEASES), ("GET", "http://other/"), ("GET", "/metrics"), ("HEAD", "/"),
    ],
)  # fmt: skip
def test_there_is_no_other_question(method: str, path: str, place: Place, running: Process) -> None:
    assert asked(place, path, b"", method) == 404
    assert running.log().count("a question failed") == 0
    assert asked(place, f"{RELEASES}?after={'9' * 16}", b"", "GET") == 200


def test_the_process_leaves_in_time_though_a_region_has_sent_half(place: Place, running: Process) -> None:
    with connected(place) as line:
        line.sendall(b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf" % MARK.encode())
        assert figure(running, "take_connections") == 1
        running.ask_to_leave()
        assert running.wait() == 0
