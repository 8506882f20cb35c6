"""The payments service's HTTP interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import litestar
import msgspec
import structlog
from litestar import Litestar, Response, get, post
from litestar.datastructures import State

from app.database import Database
from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.payments.model import Payment, PaymentRequest
from app.payments.paying import Cashier, KeyReusedError
from app.payments.provider import Provider
from app.settings import PaymentsSettings
from app.web.health import health_routes
from app.web.outermost import Outermost

Request = litestar.Request[Any, Any, State]
SHORTEST_KEY, LONGEST_KEY = 16, 255


@post("/v1/payments")
async def create(request: Request) -> Response[Any]:
    """Take a payment: 201 when it is captured or declined, 202 when its outcome is not known yet."""
    key = request.headers.get("idempotency-key", "")
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        return _problem(
            422, f"expected an Idempotency-Key of {SHORTEST_KEY} to {LONGEST_KEY} characters, found {len(key)}"
        )
    try:
        wanted = msgspec.json.decode(await request.body(), type=PaymentRequest)
    except msgspec.DecodeError as error:
        return _problem(422, str(error))
    cashier = cast(Cashier, request.app.state["cashier"])
    try:
        return _payment(await cashier.pay(key, wanted))
    except KeyReusedError:
        return _problem(422, "this Idempotency-Key was used for another request")


@get("/v1/payments/by-key/{key:str}")
async def find(request: Request, key: str) -> Response[Any]:
    """Return the payment of an idempotency key."""
    payment = await cast(Cashier, request.app.state["cashier"]).find(key)
    return _problem(404, "no payment has this key") if payment is None else _payment(payment, 200)


def _payment(payment: Payment, status: int | None = None) -> Response[Any]:
    return Response(payment.public(), status_code=status or (201 if payment.is_final else 202))


def _problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response[Any]:
    return Response({"status": status, "detail": detail}, status_code=status, headers=headers)


def _unavailable(_: Request, error: Exception) -> Response[Any]:
    structlog.get_logger("database").warning("database", error=str(error))
    return _problem(503, "the ledger takes no writes now; send the same key again", {"retry-after": "5"})


HANDLERS: dict[Any, Any] = {DatabaseUnavailableError: _unavailable, UnknownOutcomeError: _unavailable}


def payments(settings: PaymentsSettings) -> Outermost:
    """Return the payments service as an ASGI application."""
    ledger = Database(settings.ledger_dsn, role="payments_app", application="payments", size=settings.pool_size)
    provider = Provider(settings.psp_url, settings.psp_timeout_seconds)
    cashier = Cashier(ledger, provider, settings.resolve_every_seconds)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        resolving = asyncio.create_task(cashier.resolve_forever())
        try:
            yield
        finally:
            resolving.cancel()
            with suppress(asyncio.CancelledError):
                await resolving
            await provider.close()
            await ledger.close()

    ready = "SELECT count(*) FROM ledger.account"
    application = Litestar(
        route_handlers=[create, find, *health_routes(lambda: ledger.fetchval(ready), settings.listen.site)],
        state=State({"cashier": cashier, "ledger": ledger}),
        exception_handlers=HANDLERS,
        lifespan=[lifespan],
        openapi_config=None,
        request_max_body_size=16 * 1024,
        logging_config=None,
    )
    return Outermost(application, {"x-content-type-options": "nosniff", "cache-control": "no-store"})
