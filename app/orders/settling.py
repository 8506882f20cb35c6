"""Brings the payments service's verdict to an order: right after checkout, and in the background."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog

from app.database import Database
from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.orders import repository
from app.orders.model import Order
from app.orders.payments_client import PaymentsClient, Verdict
from app.orders.states import PendingPayment

SETTLE_EVERY_SECONDS = 3.0
SETTLE_OLDER_THAN_SECONDS = 8.0  # beyond what a checkout waits for by itself
SETTLE_AT_ONCE = 50
# Results of forms are kept for a week in case a form is sent again; few rows go at a time, so that no request waits.
_FORGET = """
WITH old AS (
    SELECT key FROM requests.completed WHERE created_at < now() - interval '7 days'
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (DELETE FROM requests.completed WHERE key IN (SELECT key FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""


async def settle(commerce: Database, payments: PaymentsClient, order: Order) -> None:
    """Ask for the payment of a pending order and write down what came of it; unknown leaves it pending.

    Raises:
        DatabaseUnavailableError: the verdict could not be written; asking again later is safe.
    """
    if not isinstance(order.state, PendingPayment):
        return
    payment = await payments.pay(order)  # no transaction is open during the call
    if payment.verdict is Verdict.UNKNOWN:
        return
    async with commerce.write() as connection:
        if payment.verdict is Verdict.CAPTURED:
            await repository.advance(connection, order.state, order.state.pay(), payment.id)
        elif await repository.advance(connection, order.state, order.state.decline(), payment.id):
            await repository.give_back(connection, order.id, order.session)


async def settle_by_id(commerce: Database, payments: PaymentsClient, identity: UUID) -> None:
    """Settle one order if it is pending; problems are left to the background loop."""
    log = structlog.get_logger("settling")
    try:
        order = await repository.find(commerce, identity)
        if order is not None:
            await settle(commerce, payments, order)
    except (DatabaseUnavailableError, UnknownOutcomeError) as error:
        log.warning("order stays pending", error=type(error).__name__)


async def settle_forever(commerce: Database, payments: PaymentsClient) -> None:
    """Settle what was left pending by lost answers and ended pods, until cancelled.

    Every pod runs this; two that meet at one order ask with the same key, and only one of them moves the order.
    """
    log = structlog.get_logger("settling")
    while True:
        await asyncio.sleep(SETTLE_EVERY_SECONDS)
        try:
            if await commerce.fetchval("SELECT pg_is_in_recovery()"):
                continue  # the active site settles; here nothing could be written down
            await commerce.fetchval(_FORGET, SETTLE_AT_ONCE)
            for order in await repository.waiting(commerce, SETTLE_OLDER_THAN_SECONDS, SETTLE_AT_ONCE):
                await settle(commerce, payments, order)
        except (DatabaseUnavailableError, UnknownOutcomeError) as error:
            log.warning("settling waits", error=type(error).__name__)
