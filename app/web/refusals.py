"""Errors as pages: what happened, what it means for the customer, what to do now.

A refused form comes back filled in when its page gave `post_once` a way to draw it again; else a page of its own says
what was wrong. Both know the customer as any page does, as long as the database answers.
"""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import asyncpg
import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.response.base import ASGIResponse

from app.errors import DatabaseUnavailableError, ReadOnlyDatabaseError, UnknownOutcomeError
from app.web.entries import Entries
from app.web.services import Request, services_of
from app.web.templating import Templates
from app.web.visitors import STRANGER, Visitor, visitor_of

RETRY_SECONDS = "5"


class RefusedError(Exception):
    """A request that is answered with a page which says why it was refused.

    Args:
        status: of the answer.
        title: what is wrong, in one line.
        advice: what to do.
        problems: what is wrong with which field of the form; without it the title is about the form as a whole.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        title: str,
        advice: str,
        *,
        problems: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.advice = advice
        self.headers = dict(headers or {})
        self.entries = Entries(problems=problems or {"": f"{title}. {advice}"})
        self.form_page: FormPage | None = None

    @classmethod
    def of_fields(cls, problems: Mapping[str, str]) -> RefusedError:
        """Return the refusal of a form whose fields have these problems; all are told at once."""
        return cls(422, "Please check your entries", " ".join(problems.values()), problems=problems)

    def fill_in(self, typed: Mapping[str, str], form_page: FormPage | None) -> None:
        """Say what the form held, and what draws its page again."""
        self.entries = replace(self.entries, values=typed)
        self.form_page = form_page


FormPage = Callable[[Request, RefusedError], Awaitable[Response[Any]]]
"""Draws a form's page after a refusal: `form=error.entries` for its macros, `status=error.status`, `error.headers`."""

_KNOWN = {
    400: ("We could not read that", "Go back, reload the page and try again."),
    404: ("We cannot find this page", "It may have moved, or never existed. The search knows everything we sell."),
    403: ("This form came from elsewhere", "For your safety we only accept forms from our own pages."),
    405: ("That does not work here", "Go back and try it another way."),
    413: ("That is more than we can take", "Shorten what you entered and send it again."),
    414: ("This address is too long", "Cut it short, or find what you are looking for with the search."),
    415: ("We could not read that form", "Go back, reload the page and send the form again."),
    431: ("Your browser sends too much", "Delete what it keeps of this shop (cookies), then try again."),
}


BEFORE_READING = (404, 414, 431)
"""Statuses of requests that are refused before anything reads them."""


def pages_before_reading(templates: Templates) -> dict[int, str]:
    """Return the pages of BEFORE_READING; they know nobody, so they are drawn once."""
    drawn = {}
    for status in BEFORE_READING:
        title, advice = _KNOWN[status]
        page = templates.page("message.html", visitor=STRANGER, title=title, advice=advice, code=status)
        drawn[status] = page.content
    return drawn


class _LatePage(Response[Any]):
    """A page that is drawn while it is sent, since handlers of errors cannot wait for the database."""

    def __init__(self, draw: Callable[[], Awaitable[Response[Any]]]) -> None:
        super().__init__(None)
        self._draw = draw

    def to_asgi_response(self, app: Any, request: Any, **options: Any) -> ASGIResponse:
        """Return what draws the page and sends it."""
        return _LateAnswer(self._draw, app, request, options)


class _LateAnswer(ASGIResponse):
    def __init__(self, draw: Callable[[], Awaitable[Response[Any]]], app: Any, request: Any, options: Any) -> None:
        super().__init__()
        self._late = (draw, app, request, options)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        draw, app, request, options = self._late
        page = await draw()
        await page.to_asgi_response(app, request, **options)(scope, receive, send)


def _page(
    request: Request,
    status: int,
    title: str,
    advice: str,
    headers: Mapping[str, str] | None = None,
    visitor: Visitor = STRANGER,
) -> Response[Any]:
    templates = services_of(request).templates
    return templates.page(
        "message.html", status=status, headers=dict(headers or {}), visitor=visitor, title=title, advice=advice,
        code=status,
    )  # fmt: skip


def _page_for_visitor(
    request: Request, status: int, title: str, advice: str, headers: Mapping[str, str] | None = None
) -> Response[Any]:
    async def draw() -> Response[Any]:
        try:
            visitor = await visitor_of(request)
        except DatabaseUnavailableError:
            visitor = STRANGER
        return _page(request, status, title, advice, headers, visitor)

    return _LatePage(draw)


def on_refused(request: Request, error: RefusedError) -> Response[Any]:
    """Answer a refusal of ours: the form again, if it has a page, else a page that says why."""
    form_page = error.form_page
    if form_page is None:
        return _page_for_visitor(request, error.status, error.title, error.advice, error.headers)

    async def draw() -> Response[Any]:
        try:
            return await form_page(request, error)
        except (HTTPException, asyncpg.DataError):  # what was typed names no page to draw
            return _page_for_visitor(request, error.status, error.title, error.advice, error.headers)
        except Exception as problem:  # noqa: BLE001 an error's page has no other page behind it
            return on_unavailable(request, problem) if isinstance(problem, AWAY) else on_failure(request, problem)

    return _LatePage(draw)


def on_http_error(request: Request, error: HTTPException) -> Response[Any]:
    """Answer what the framework refuses: unknown pages, wrong methods, foreign forms."""
    status = error.status_code
    title, advice = _KNOWN.get(status, ("We cannot do that", "Go back and try again."))
    return _page_for_visitor(request, status, title, advice)


def on_unreadable(request: Request, _: Exception) -> Response[Any]:
    """Answer bytes that the database does not take as a value, wherever they stood."""
    return _page(request, 400, *_KNOWN[400])


def on_missing(request: Request, error: asyncpg.ForeignKeyViolationError) -> Response[Any]:
    """Answer what came for an account that was erased while it waited; anything else that is missing is our fault."""
    if error.constraint_name not in OF_CUSTOMER:
        return on_failure(request, error)
    return _page_for_visitor(request, 409, "This account has just been erased", "Nothing of what you sent was kept.")


def on_unavailable(request: Request, error: Exception) -> Response[Any]:
    """Answer while the database is away, takes no writes, or did not say how a COMMIT went."""
    can_read = isinstance(error, ReadOnlyDatabaseError)
    kind = "read-only" if can_read else "unavailable"
    structlog.get_logger("database").warning("database", kind=kind, error=str(error))
    return _page(
        request,
        503,
        "One moment, please",
        "We are moving to another data centre. "
        + ("You can look around; ordering" if can_read else "The shop")
        + " works again in a few seconds. If you have sent a form, send it again then: nothing happens twice.",
        {"retry-after": RETRY_SECONDS},
    )


def on_failure(request: Request, error: Exception) -> Response[Any]:
    """Answer a fault of ours; the log has the trace, the page has none of it."""
    # Frames only: messages of database errors quote the values that they are about.
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    structlog.get_logger("failure").error("unexpected failure", error=type(error).__name__, frames=frames[-12:])
    return _page(request, 500, "Something broke on our side", "It has been recorded. Please try again in a moment.")


OF_CUSTOMER = frozenset({"session_customer_id_fkey", "cart_customer_id_fkey", "order_customer_id_fkey"})
"""Constraints of the database that want a customer to be there."""
AWAY = (DatabaseUnavailableError, UnknownOutcomeError)

HANDLERS: dict[Any, Any] = {
    RefusedError: on_refused,
    HTTPException: on_http_error,
    asyncpg.DataError: on_unreadable,
    asyncpg.ForeignKeyViolationError: on_missing,
    DatabaseUnavailableError: on_unavailable,
    UnknownOutcomeError: on_unavailable,
    Exception: on_failure,
}
