"""Errors as pages: what happened, what it means for the customer, what to do now."""

from __future__ import annotations

import traceback
from typing import Any

import structlog
from litestar import Response
from litestar.exceptions import HTTPException

from app.errors import DatabaseUnavailableError, ReadOnlyDatabaseError, UnknownOutcomeError
from app.web.services import Request, services_of
from app.web.visitors import STRANGER

RETRY_SECONDS = "5"


class RefusedError(Exception):
    """A request that is answered with a page which says why it was refused."""

    def __init__(self, status: int, title: str, advice: str) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.advice = advice


_KNOWN = {
    404: ("We cannot find this page", "It may have moved, or never existed. The search knows everything we sell."),
    403: ("This form came from elsewhere", "For your safety we only accept forms from our own pages."),
    405: ("That does not work here", "Go back and try it another way."),
    413: ("That is more than we can take", "Shorten what you entered and send it again."),
}


def _page(
    request: Request, status: int, title: str, advice: str, headers: dict[str, str] | None = None
) -> Response[Any]:
    templates = services_of(request).templates
    return templates.page(
        "message.html", status=status, headers=headers, visitor=STRANGER, title=title, advice=advice, code=status
    )


def on_refused(request: Request, error: RefusedError) -> Response[Any]:
    """Answer a refusal of ours."""
    return _page(request, error.status, error.title, error.advice)


def on_http_error(request: Request, error: HTTPException) -> Response[Any]:
    """Answer what the framework refuses: unknown pages, wrong methods, foreign forms."""
    status = error.status_code
    title, advice = _KNOWN.get(status, ("We cannot do that", "Go back and try again."))
    return _page(request, status, title, advice)


def on_unavailable(request: Request, error: Exception) -> Response[Any]:
    """Answer while the database is away, takes no writes, or did not say how a COMMIT went."""
    kind = "read-only" if isinstance(error, ReadOnlyDatabaseError) else "unavailable"
    structlog.get_logger("database").warning("database", kind=kind, error=str(error))
    return _page(
        request,
        503,
        "One moment, please",
        "We are moving to another data centre. You can look around; placing orders works again in a few seconds. "
        "Send the form again then: nothing happens twice.",
        {"retry-after": RETRY_SECONDS},
    )


def on_failure(request: Request, error: Exception) -> Response[Any]:
    """Answer a fault of ours; the log has the trace, the page has none of it."""
    # Frames only: messages of database errors quote the values that they are about.
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    structlog.get_logger("failure").error("unexpected failure", error=type(error).__name__, frames=frames[-12:])
    return _page(request, 500, "Something broke on our side", "It has been recorded. Please try again in a moment.")


HANDLERS: dict[Any, Any] = {
    RefusedError: on_refused,
    HTTPException: on_http_error,
    DatabaseUnavailableError: on_unavailable,
    UnknownOutcomeError: on_unavailable,
    Exception: on_failure,
}
