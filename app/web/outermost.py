"""The outermost layer of every process: bounds, HEAD, security headers, one log line per request, a polite leave."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import structlog

from app.web.bounds import problem_of

_QUIET = frozenset({"/livez", "/readyz"})
Headers = tuple[tuple[bytes, bytes], ...]
_TEXT: Headers = ((b"content-type", b"text/plain"),)
_PAGE: Headers = ((b"content-type", b"text/html; charset=utf-8"), (b"cache-control", b"private, no-store"))
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def page_headers(static_url: str, *, https: bool) -> dict[str, str]:
    """Return the security headers of pages that load only from us and from the CDN."""
    parts = urlsplit(static_url)
    static = f"{parts.scheme}://{parts.netloc}"
    headers = {
        "content-security-policy": (
            f"default-src 'none'; img-src 'self' {static}; style-src {static}; script-src {static}; font-src {static}; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        ),
        # Browsers that know it run no script whose bytes a page does not name. Style sheets have theirs named, too, but
        # the word for them is an error to Chromium 156.
        "integrity-policy": "blocked-destinations=(script)",
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
    }
    if https:
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return headers


class Outermost:
    """Wraps an ASGI application.

    Args:
        inner: the application.
        headers: added to answers that do not set them themselves.
        pages: what people see of a request beyond the bounds, by status; a line of text where there is none.
    """

    def __init__(self, inner: Any, headers: dict[str, str], pages: Mapping[int, str] | None = None) -> None:
        self._inner = inner
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._pages = {status: page.encode() for status, page in (pages or {}).items()}
        self._log = structlog.get_logger("request")
        self.draining = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        if self.draining and scope["path"] == "/readyz":
            await _answer(send, 503, b"draining\n")
            return
        start = time.perf_counter()
        status = 0
        request_id = uuid4().hex[:16]
        # HEAD is GET without the body: no route has to know it.
        is_head = scope["method"] == "HEAD"
        asked = {**scope, "method": "GET"} if is_head else scope

        async def send_with_headers(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                added = [pair for pair in self._headers if pair[0] not in present]
                added.append((b"x-request-id", request_id.encode()))
                if self.draining:
                    added.append((b"connection", b"close"))
                message = {**message, "headers": [*message["headers"], *added]}
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            problem = problem_of(scope)
            if problem is None:
                await self._inner(asked, receive, send_with_headers)
            elif problem[0] in self._pages:
                await _answer(send_with_headers, problem[0], self._pages[problem[0]], _PAGE)
            else:
                await _answer(send_with_headers, problem[0], problem[1].encode())
        finally:
            if scope["path"] not in _QUIET:
                self._log.info(
                    "request",
                    id=request_id,
                    method=scope["method"] if scope["method"] in _METHODS else "other",
                    route=asked.get("path_template") or "unmatched",
                    status=status,
                    ms=round((time.perf_counter() - start) * 1000, 2),
                )


async def _answer(send: Any, status: int, body: bytes, kind: Headers = _TEXT) -> None:
    headers = [*kind, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
