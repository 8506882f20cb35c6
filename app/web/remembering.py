"""What a visitor looked at, from page to page in a cookie of theirs: after a yes only, and gone after a no.

The cookie is not for scripts, so that it is the next page which takes it away after a no; until then nobody reads it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from litestar.datastructures import Cookie
from litestar.datastructures.headers import MutableScopeHeaders
from litestar.types import Message, Scope

from app.recommendations.recently import Products, RecentlyViewed, with_viewed
from app.web.consent import agrees
from app.web.requests import Request
from app.web.services import services_of

NOTED = "recently-viewed-cookie"
BeforeSend = Callable[[Message, Scope], Awaitable[None]]


def remembered(request: Request) -> Products:
    """Return the numbers of the products that a visitor looked at, the latest one last; none of who did not agree."""
    recently = services_of(request).recently
    return () if recently is None or not _agrees(request) else recently.read(request.cookies)


def remember(request: Request, product: int) -> None:
    """Have the answer to a request remember its product, if its visitor agreed."""
    recently = services_of(request).recently
    if recently is not None and _agrees(request):
        request.state[NOTED] = recently.write(with_viewed(recently.read(request.cookies), product))


def sender_of_remembered(recently: RecentlyViewed | None) -> list[BeforeSend]:
    """Return what adds the cookie to answers, or takes it away from who does not agree any more."""
    if recently is None:
        return []
    name = f"{recently.name}=".encode()

    async def send(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        cookie: Cookie | None = scope["state"].get(NOTED)
        if cookie is None and any(name in value for key, value in scope["headers"] if key == b"cookie"):
            request = Request(scope)
            cookie = recently.remove() if recently.name in request.cookies and not _agrees(request) else None
        headers = MutableScopeHeaders.from_message(message)
        if cookie is not None and "no-store" in headers.get("cache-control", ""):  # no cache may keep it
            headers.add("set-cookie", cookie.to_header(header=""))

    return [send]


def _agrees(request: Request) -> bool:
    return agrees(request.cookies, request.headers.get("sec-gpc"))
