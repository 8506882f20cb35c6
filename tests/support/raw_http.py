"""HTTP as bytes: asks what no well-behaved client can ask."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from http.client import HTTPResponse
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    url: str,
    target: bytes,
    *,
    method: bytes = b"GET",
    headers: list[tuple[bytes, bytes]] | None = None,
    body: bytes = b"",
    seconds: float = 15,
) -> Answer:
    """Send one request over a connection of its own and return the answer; names of headers in small letters."""
    parts = urlsplit(url)
    lines = [b"%s %s HTTP/1.1" % (method, target), b"Host: " + parts.netloc.encode(), b"Connection: close"]
    lines += [name + b": " + value for name, value in headers or []]
    if body or method in {b"POST", b"PUT"}:
        lines.append(b"Content-Length: %d" % len(body))
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds) as line:
        line.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        response = HTTPResponse(line, method=method.decode("latin-1"))
        response.begin()
        read = response.read()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, read)
