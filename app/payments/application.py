"""Puts the payments service together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog
from litestar import Litestar
from litestar.datastructures import State

from app.database import Database
from app.database.readiness import Readiness
from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.loops import Loop, running
from app.payments import statements, watching
from app.payments.door import Door
from app.payments.pages import ROUTES, Request, problem
from app.payments.paying import Cashier
from app.payments.provider import Provider
from app.payments.reconciling import Reconciler
from app.sealed_calls import Seals
from app.settings import PaymentsSettings
from app.unsettled import SAY_EVERY_SECONDS
from app.web.health import health_routes
from app.web.outermost import Outermost

READY = "SELECT count(*) FROM ledger.account"
LARGEST_BODY = 16 * 1024
COMPARISON_SECONDS = 1800.0
"""Longest time of one reconciliation (s)."""


def _unavailable(_: Request, error: Exception) -> Any:
    structlog.get_logger("database").warning("database", error=str(error))
    return problem(503, "the ledger takes no writes now; send the same key again", {"retry-after": "5"})


def _unreadable(_: Request, __: Exception) -> Any:
    return problem(422, "expected text that a database can hold, found other bytes")


HANDLERS: dict[Any, Any] = {
    asyncpg.DataError: _unreadable,
    DatabaseUnavailableError: _unavailable,
    UnknownOutcomeError: _unavailable,
}


def payments(settings: PaymentsSettings) -> Outermost:
    """Return the payments service as an ASGI application."""
    dsn, other = settings.ledger_dsn, settings.other_ledger_dsn
    ledger = Database(dsn, role="payments_app", application="payments", size=settings.pool_size, other_dsn=other)
    readiness = Readiness(dsn, role="payments_app", application="payments readiness", question=READY, other_dsn=other)
    provider = Provider(settings)
    cashier = Cashier(ledger, provider, settings.resolve_every_seconds)
    reconciler = Reconciler(ledger, provider)
    loops = [
        Loop("resolver", cashier.resolve, settings.resolve_every_seconds),
        Loop(
            "reconciler",
            lambda: reconciler.when_due(settings.reconcile_every_seconds),
            min(settings.reconcile_every_seconds, 60),
            COMPARISON_SECONDS,
        ),
        Loop("unsettled", lambda: watching.say_unsettled(ledger), SAY_EVERY_SECONDS),
    ]

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        try:
            async with running(loops):
                yield
        finally:
            await provider.close()
            await readiness.close()
            await ledger.close()

    application = Litestar(
        route_handlers=[*ROUTES, *statements.ROUTES, *health_routes(readiness.ask, settings.listen.site, loops)],
        state=State({"cashier": cashier, "ledger": ledger, "settings": settings}),
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=LARGEST_BODY,
        logging_config=None,
    )
    door = Door(application, Seals(settings.call_key, settings.other_call_key), LARGEST_BODY)
    return Outermost(door, {"x-content-type-options": "nosniff", "cache-control": "no-store"})
