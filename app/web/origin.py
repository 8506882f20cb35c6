"""Refuses POSTs that another site's page makes a browser send (CSRF).

Two locks. Session cookies are SameSite=Lax, so a cross-site POST comes without a session. And browsers put Origin (or
Referer) and Sec-Fetch-Site on every cross-site POST: if they are there, they have to name this host. A client that
sends none of them, such as curl, is no browser that could be tricked, and passes.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from litestar.exceptions import PermissionDeniedException

from app.web.services import Request, services_of

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_foreign_posts(request: Request) -> None:
    """Check one request before its handler runs.

    Raises:
        PermissionDeniedException: the form was on another site's page.
    """
    if request.method in _READING:
        return
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise PermissionDeniedException("this form was sent from another site")
    source = request.headers.get("origin") or request.headers.get("referer")
    if source is None:
        return
    ours = {request.headers.get("host", ""), urlsplit(services_of(request).settings.public_url).netloc}
    if urlsplit(source).netloc not in ours:
        raise PermissionDeniedException("this form was sent from another site")
