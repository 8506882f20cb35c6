"""Connections whose requests have one bound in time and one in size, from the first byte sent to the last received.

A client's own bounds count anew at each receive: who sends a byte a second keeps it for ever, in headers as well.
"""

from __future__ import annotations

import ssl
import threading
import typing
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import httpcore
import httpx

from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock

MOST_CONNECTIONS, MOST_KEPT = 100, 20
"""As httpx has it without options of ours."""


class _Bound(threading.local):
    """What the request that this thread makes may still take; requests beside it have their own."""

    until: float | None = None
    clock: Clock = SYSTEM_CLOCK
    left_bytes: int = 0

    def seconds(self, own: float | None) -> float | None:
        """Return how long the next step may take; `own` is its own bound.

        Raises:
            httpcore.ReadTimeout: no time is left.
        """
        if self.until is None:
            return own
        left = self.until - self.clock.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer did not end in time")
        return left if own is None else min(own, left)

    def received(self, size: int) -> None:
        """Count what came; raises httpcore.ReadError where it is too much."""
        if self.until is None:
            return
        self.left_bytes -= size
        if self.left_bytes < 0:
            raise httpcore.ReadError("the answer has no end")


_BOUND = _Bound()


@contextmanager
def within(seconds: float, most_bytes: int, clock: Clock = SYSTEM_CLOCK) -> Iterator[None]:
    """Bound what this thread asks for inside, over connections of a `BoundedTransport`.

    Args:
        seconds: from now to the last byte of the answer.
        most_bytes: of the whole answer, headers and TLS handshake aside.
        clock: replaceable in tests.
    """
    _BOUND.until, _BOUND.clock, _BOUND.left_bytes = clock.monotonic() + seconds, clock, most_bytes
    try:
        yield
    finally:
        _BOUND.until = None


def read_whole(response: httpx.Response, most_bytes: int, until: float, clock: Clock = SYSTEM_CLOCK) -> bytes:
    """Return the body of an answer that was asked for as it is, unpacked.

    Args:
        response: a stream that was not read yet.
        most_bytes: of the body.
        until: monotonic time.
        clock: replaceable in tests.

    Raises:
        httpx.ReadTimeout: it has no end, in time or in size.
        httpx.DecodingError: it is packed, and could be of any size when it is unpacked.
    """
    if "content-encoding" in response.headers:
        raise httpx.DecodingError("an answer that was asked for in clear is packed")
    parts, size = [], 0
    for part in response.iter_bytes():
        size += len(part)
        if size > most_bytes or clock.monotonic() > until:
            raise httpx.ReadTimeout("the answer has no end")
        parts.append(part)
    return b"".join(parts)


class BoundedTransport(httpx.HTTPTransport):
    """HTTP/1.1 over connections that mind the bound of the thread that uses them.

    Args:
        trust: whose certificates count, and which is our own.
        idle_seconds: how long a connection is kept for the next request.
    """

    def __init__(self, trust: ssl.SSLContext, *, idle_seconds: float) -> None:
        super().__init__(verify=trust, trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(
            ssl_context=trust,
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_KEPT,
            keepalive_expiry=idle_seconds,
            network_backend=_Backend(httpcore.SyncBackend()),
        )


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[typing.Any] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = _BOUND.seconds(timeout)
        return _Stream(self._inner.connect_tcp(host, port, seconds, local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        found = self._inner.read(max_bytes, _BOUND.seconds(timeout))
        _BOUND.received(len(found))
        return found

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _BOUND.seconds(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _BOUND.seconds(timeout)))

    def get_extra_info(self, info: str) -> typing.Any:
        return self._inner.get_extra_info(info)
