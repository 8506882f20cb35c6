"""The payments service's HTTP interface.

A request that can never be paid, whoever asks again, is answered with 422 and `"state": "rejected"`: nothing is on
record under its key, so nothing was and nothing will be charged. Every other answer below 500 is about the caller.
"""

from __future__ import annotations

from typing import Any, cast

import litestar
import msgspec
import structlog
from litestar import Response, get, post
from litestar.datastructures import State

from app.database import Database
from app.gauges import MEDIA_TYPE
from app.payment_methods import is_test_token
from app.payments import watching
from app.payments.model import KEY, Payment, PaymentRequest, VoidRequest
from app.payments.paying import Cashier, KeyReusedError

Request = litestar.Request[Any, Any, State]
REJECTED = "rejected"


@post("/v1/payments")
async def create(request: Request) -> Response[Any]:
    """Take a payment: 201 when it is captured or declined, 202 when its outcome is not known yet."""
    key = request.headers.get("idempotency-key", "")
    if not KEY.fullmatch(key):
        return problem(422, f"expected an Idempotency-Key that matches {KEY.pattern}", state=REJECTED)
    cashier = cast(Cashier, request.app.state["cashier"])
    try:
        wanted = msgspec.json.decode(await request.body(), type=PaymentRequest)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return await _rejected(cashier, key, str(error))
    if is_test_token(wanted.token) and not request.app.state["settings"].takes_test_tokens:
        return await _rejected(cashier, key, "a test token, which stands for no money")
    try:
        return _payment(await cashier.pay(key, wanted))
    except KeyReusedError:
        return problem(409, "this Idempotency-Key was used for another request")


@post("/v1/payments/void")
async def void(request: Request) -> Response[Any]:
    """Give a payment up: 200 when no money was taken or all was given back, 202 while that is not known yet."""
    key = request.headers.get("idempotency-key", "")
    if not KEY.fullmatch(key):
        return problem(422, f"expected an Idempotency-Key that matches {KEY.pattern}")
    try:
        unwanted = msgspec.json.decode(await request.body(), type=VoidRequest)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return problem(422, str(error))
    try:
        payment = await cast(Cashier, request.app.state["cashier"]).void(key, unwanted)
    except KeyReusedError:
        return problem(409, "this Idempotency-Key has another payment")
    return _payment(payment, 200 if payment.is_voided else 202)


@get("/v1/payments/by-key/{key:str}")
async def find(request: Request, key: str) -> Response[Any]:
    """Return the payment of an idempotency key."""
    payment = await cast(Cashier, request.app.state["cashier"]).find(key) if KEY.fullmatch(key) else None
    return problem(404, "no payment has this key") if payment is None else _payment(payment, 200)


@get("/metrics")
async def metrics(request: Request) -> Response[str]:
    """Say how many payments wait, how old the oldest is, and what the last reconciliation found."""
    text = await watching.metrics(cast(Database, request.app.state["ledger"]))
    return Response(text, media_type=MEDIA_TYPE)


ROUTES = (create, void, find, metrics)


async def _rejected(cashier: Cashier, key: str, detail: str) -> Response[Any]:
    """Refuse for good, unless something is on record under the key: a limit may have changed since."""
    if await cashier.find(key) is not None:
        return problem(409, f"this Idempotency-Key has a payment already; {detail}")
    structlog.get_logger("payments").error("payment rejected", problem=detail)
    return problem(422, detail, state=REJECTED)


def _payment(payment: Payment, status: int | None = None) -> Response[Any]:
    return Response(payment.public(), status_code=status or (201 if payment.is_final else 202))


def problem(status: int, detail: str, headers: dict[str, str] | None = None, **more: str) -> Response[Any]:
    """Return an answer that says what is wrong."""
    return Response({"status": status, "detail": detail, **more}, status_code=status, headers=headers)
