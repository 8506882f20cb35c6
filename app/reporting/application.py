"""Puts headquarters' pages together: one database that is read, staff, and what probes and operators ask."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import structlog
from litestar import Litestar, Response, get
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from app.database import Database
from app.database.readiness import Readiness
from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.gauges import MEDIA_TYPE, gauges
from app.reporting.entrance import SIGN_IN, Entrance, entrance_routes
from app.reporting.files import file_routes
from app.reporting.pages import page_routes
from app.reporting.reading import ROLE
from app.reporting.settings import ReportSettings
from app.reporting.signing_in import Sessions
from app.reporting.span import SpanError
from app.reporting.templating import Pages, page_headers
from app.web.compression import Compressed
from app.web.health import health_routes
from app.web.outermost import Outermost
from app.web.requests import Request

READY = "SELECT 1 FROM reporting.region LIMIT 1"
LARGEST_FORM = 4096
"""Bytes: name and password, each letter of them escaped."""
NOT_FOUND = 404
_REFUSED = {
    403: ("This form came from elsewhere", "Open the page again and send the form from there."),
    404: ("There is no such page", "The address may be cut short."),
}


def report(settings: ReportSettings) -> Outermost:
    """Return headquarters' pages as an ASGI application."""
    dsn, other = settings.dsn, settings.other_dsn
    database = Database(dsn, role=ROLE, application="report", size=4, other_dsn=other)
    readiness = Readiness(dsn, role=ROLE, application="report readiness", question=READY, other_dsn=other)
    pages = Pages(settings.listen.site)
    sessions = Sessions(settings.staff, settings.secret, settings.other_secret)
    entrance = Entrance(settings.staff, sessions, pages, _origin(settings.public_url), settings.secret)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            yield
        finally:
            entrance.hashing.close()
            await readiness.close()
            await database.close()

    @get("/metrics", sync_to_thread=False)
    def metrics() -> Response[str]:
        counted = entrance.counted
        return Response(
            gauges(
                {
                    "report_signed_in": counted.signed_in,
                    "report_sign_in_refused": counted.refused,
                    "report_sign_in_had_to_wait": counted.had_to_wait,
                }
            ),
            media_type=MEDIA_TYPE,
        )

    application = Litestar(
        route_handlers=[
            *page_routes(database, pages, settings.regions),
            *file_routes(database, settings.regions),
            *entrance_routes(entrance),
            *health_routes(readiness.ask, settings.listen.site),
            metrics,
        ],
        before_request=entrance.guard,
        exception_handlers=_handlers(pages, sessions),
        lifespan=[lifespan],
        openapi_config=None,
        request_class=Request,
        request_max_body_size=LARGEST_FORM,
        logging_config=None,
    )
    return Outermost(Compressed(application), page_headers(https=settings.public_url.startswith("https:")))


def _handlers(pages: Pages, sessions: Sessions) -> Any:
    """Return the answers to what goes wrong: each says what to do, and nothing of what is inside."""

    def message(status: int, heading: str, advice: str, headers: dict[str, str] | None = None) -> Response[Any]:
        return pages.page("message.html", status=status, headers=headers, heading=heading, advice=advice)

    def on_span(_: Request, error: SpanError) -> Response[Any]:
        return message(400, "There is no page of these days", str(error).partition("\n")[2])

    def on_http_error(request: Request, error: HTTPException) -> Response[Any]:
        if error.status_code == NOT_FOUND and sessions.find(request.cookies) is None:
            return Redirect(SIGN_IN, status_code=303)
        known = _REFUSED.get(error.status_code, ("That does not work here", "Go back and try it another way."))
        return message(error.status_code, *known)

    def on_unavailable(_: Request, error: Exception) -> Response[Any]:
        structlog.get_logger("database").warning("database", kind="unavailable", error=str(error))
        return message(503, "The database does not answer", "Try again in a minute.", {"retry-after": "60"})

    def on_failure(_: Request, error: Exception) -> Response[Any]:
        # Where it happened, not what it says: a message may hold what somebody typed.
        frames = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        structlog.get_logger("request").error("failed", error=type(error).__name__, frames=frames[-6:])
        return message(500, "Something went wrong here", "Nothing was changed. Try again; the log has the error.")

    return {
        SpanError: on_span,
        HTTPException: on_http_error,
        DatabaseUnavailableError: on_unavailable,
        UnknownOutcomeError: on_unavailable,
        Exception: on_failure,
    }


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.lower()}"
