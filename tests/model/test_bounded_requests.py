"""One bound for a whole request: of time and of size, whatever the other end does with it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from shopsphere.foundation.bounded_http import BoundedTransport, within
from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.foundation.trust import usual_trust
from shopsphere.witness.gateway import Gateway, WitnessUnreachableError

Serve = Callable[[Callable[[socket.socket], None]], str]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that does something with each connection; returns its address."""
    listening: list[socket.socket] = []

    def start(act: Callable[[socket.socket], None]) -> str:
        own = socket.create_server(("127.0.0.1", 0))
        listening.append(own)

        def go_on() -> None:
            with suppress(OSError):
                while True:
                    line, _ = own.accept()
                    threading.Thread(target=quietly, args=(act, line), daemon=True).start()

        threading.Thread(target=go_on, daemon=True).start()
        return f"http://127.0.0.1:{own.getsockname()[1]}"

    yield start
    for each in listening:
        each.close()


def quietly(act: Callable[[socket.socket], None], line: socket.socket) -> None:
    with suppress(OSError), line:
        act(line)


def trickle(line: socket.socket, text: bytes, pause: float = 0.1) -> None:
    for number in range(len(text)):
        line.sendall(text[number : number + 1])
        time.sleep(pause)


def headers_without_end(line: socket.socket) -> None:
    line.recv(4096)
    line.sendall(HEAD)
    trickle(line, b"X-Long: " + b"x" * 1000)


def body_without_end(line: socket.socket) -> None:
    line.recv(4096)
    line.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    trickle(line, b"{" * 1000)


def flood(line: socket.socket) -> None:
    line.recv(4096)
    line.sendall(HEAD + b"\r\n")
    while True:
        line.sendall(b"x" * 65536)


def packed(line: socket.socket) -> None:
    line.recv(4096)
    line.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}")


@pytest.mark.requirement(
    "a voter that sends a byte a second, in headers or body, or without end, is none after its time"
)
@pytest.mark.parametrize("act", [headers_without_end, body_without_end, flood, packed])
def test_an_answer_of_a_witness_has_one_bound(serve: Serve, act: Callable[[socket.socket], None]) -> None:
    gateway = Gateway([serve(act)], seconds=0.5)
    began = time.monotonic()
    with pytest.raises(WitnessUnreachableError):
        gateway.call("/v3/kv/range", {})
    assert time.monotonic() - began < 30, "each byte came within its own bound of 0.5 s; all of them take 100 s"
    gateway.close()


def test_a_whole_answer_within_its_time_is_read_and_the_connection_kept(serve: Serve) -> None:
    seen: list[bytes] = []

    def answer(line: socket.socket) -> None:
        while question := line.recv(4096):
            seen.append(question)
            line.sendall(HEAD + b"Content-Length: 2\r\n\r\n")
            trickle(line, b"{}", 0.05)

    url = serve(answer)
    with httpx.Client(transport=BoundedTransport(usual_trust(), idle_seconds=20)) as client:
        for _ in range(2):
            with within(5, 1000):
                assert client.get(url).json() == {}
        assert client.get(url).json() == {}, "without a bound it is a client like others"
    assert len(seen) == 3
    assert all(b"accept-encoding" in each.lower() for each in seen)


def test_a_handshake_without_an_end_is_bounded_too(serve: Serve, tmp_path: Path) -> None:
    def handshake(line: socket.socket) -> None:
        line.recv(4096)
        trickle(line, b"\x16\x03\x03\x40\x00" + b"\x02" * 1000)

    authority = new_authority(tmp_path, "test")
    issue(authority, KeyPair(tmp_path / "a.crt", tmp_path / "a.key"), common_name="a")
    trust = ssl.create_default_context(cafile=str(authority.certificate))
    began = time.monotonic()
    with (
        httpx.Client(transport=BoundedTransport(trust, idle_seconds=20), timeout=0.5) as client,
        within(0.5, 1000),
        pytest.raises(httpx.TransportError),
    ):
        client.get(serve(handshake).replace("http://", "https://"))
    assert time.monotonic() - began < 30
