"""Refuses POSTs that another site's page makes a browser send (CSRF).

Two locks. Session cookies are SameSite=Lax, so a cross-site POST comes without a session. And browsers put Origin (or
Referer) and Sec-Fetch-Site on every cross-site POST: if they are there, they have to name the shop's public address.
The Host header is no witness for that: who sends the request writes it. `Origin: null`, a page without an origin, is
foreign. A client that sends none of them, such as curl, is no browser that could be tricked, and passes.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import litestar
from litestar.exceptions import PermissionDeniedException

from app.web.services import services_of

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})  # "same-site" is another host under the same domain: foreign


def refuse_foreign_posts(request: litestar.Request[Any, Any, Any]) -> None:
    """Check one request before its handler runs.

    Raises:
        PermissionDeniedException: the form was on another site's page.
    """
    if request.method in _READING:
        return
    if request.headers.get("sec-fetch-site", "none") not in _OURS:
        raise PermissionDeniedException("this form was sent from another site")
    source = request.headers.get("origin") or request.headers.get("referer")
    if source is not None and _origin(source) != _origin(services_of(request).settings.public_url):
        raise PermissionDeniedException("this form was sent from another site")


def _origin(address: str) -> tuple[str, str] | None:
    """Return scheme and host of an address, None when it has none or cannot be read."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc.lower()) if parts.netloc else None
