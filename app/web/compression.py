"""Compresses what is sent, where that tells nobody anything.

A compressed page is shorter when it repeats something. Whoever can put text into a page that also holds a secret, and
see its length, finds the secret letter by letter (BREACH). So a page is compressed only when it cannot hold both:
nothing of the request is in it (no query string, no form), or nothing of a customer is (no cookie). Idempotency keys
are made anew for each page, so that there is nothing to find. Files are the same for everybody.
"""

from __future__ import annotations

import gzip
from typing import Any

LEVEL = 5  # a page of 30 kB takes half a millisecond; level 9 takes four times as long and saves 2 %
SHORTEST = 860  # bytes; a shorter body fits into one packet either way
_TYPES = (b"text/", b"image/svg+xml", b"application/json", b"application/xml", b"application/ld+json")


class Compressed:
    """Wraps an ASGI application."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http" or not _takes_gzip(scope):
            await self._inner(scope, receive, send)
            return
        start: Any = None

        async def send_compressed(message: Any) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if start is not None:
                whole = not message.get("more_body", False)
                begun, start = start, None
                if whole and _is_worth_it(begun, message["body"]) and _tells_nothing(scope, begun):
                    message = {**message, "body": gzip.compress(message["body"], LEVEL, mtime=0)}
                    begun = {**begun, "headers": _headers(begun["headers"], len(message["body"]))}
                await send(begun)
            await send(message)

        await self._inner(scope, receive, send_compressed)


def _takes_gzip(scope: Any) -> bool:
    """Return whether the client said that it takes gzip, with a weight that is not zero."""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for part in value.lower().replace(b" ", b"").split(b","):
                coding, _, weight = part.partition(b";q=")
                if coding == b"gzip":
                    return bool(weight.strip(b"0.")) or not weight
    return False


def _tells_nothing(scope: Any, start: Any) -> bool:
    headers = dict(start["headers"])
    if b"public" in headers.get(b"cache-control", b""):
        return True
    is_personal = b"set-cookie" in headers or any(name == b"cookie" for name, _ in scope["headers"])
    echoes = scope["method"] not in {"GET", "HEAD"} or bool(scope["query_string"])
    return not (is_personal and echoes)


def _is_worth_it(start: Any, body: bytes) -> bool:
    headers: dict[bytes, bytes] = dict(start["headers"])
    if b"content-encoding" in headers or len(body) < SHORTEST:
        return False
    return headers.get(b"content-type", b"").startswith(_TYPES)


def _headers(headers: Any, length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name != b"content-length"]
    return [*kept, (b"content-encoding", b"gzip"), (b"content-length", str(length).encode())]
