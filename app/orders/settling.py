"""Brings the payments service's verdict to an order: right after checkout, and in the background."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import UUID

import structlog

from app.database import Database
from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.loops import STANDBY_SECONDS, Loop, portions
from app.orders import lapsing, repository, turns
from app.orders.model import RESERVATION_SECONDS, Lapse, Order
from app.orders.payments_client import PaymentsClient, Verdict
from app.orders.states import PendingPayment
from app.unsettled import SAY_EVERY_SECONDS, say

SETTLE_EVERY_SECONDS = 3.0
SETTLE_AT_ONCE = 4
SETTLE_IN_A_TURN = 200


async def settle(commerce: Database, payments: PaymentsClient, order: Order) -> None:
    """Ask for the payment of a pending order and write down what came of it.

    Unknown leaves it pending until its reservation is over. Then it is not asked for any more: what is on record
    already counts, and without a verdict there the order lapses.

    Raises:
        DatabaseUnavailableError: the verdict could not be written; asking again later is safe.
    """
    if order.lapse is Lapse.OPEN:
        await lapsing.end_payment(commerce, payments, order)
    if not isinstance(order.state, PendingPayment):
        return
    is_over = order.age_seconds > RESERVATION_SECONDS
    payment = await (payments.look(order) if is_over else payments.pay(order))  # no transaction is open meanwhile
    if payment.verdict in {Verdict.UNKNOWN, Verdict.REFUNDED}:
        if is_over:
            await lapsing.lapse(commerce, payments, order)
        return
    if payment.verdict is Verdict.REJECTED:
        structlog.get_logger("settling").error("order rejected by the payments service", order=str(order.id))
    async with commerce.write() as connection:
        if payment.verdict is Verdict.CAPTURED:
            await repository.advance(connection, order.state, order.state.pay(), payment.id)
            return
        ended = order.state.decline() if payment.verdict is Verdict.DECLINED else order.state.reject()
        if await repository.advance(connection, order.state, ended, payment.id):
            await repository.give_back(connection, order.id, order.session)


async def settle_by_id(commerce: Database, payments: PaymentsClient, identity: UUID) -> None:
    """Settle one order if it is pending; whatever goes wrong is written down and left to the background loop."""
    log = structlog.get_logger("settling")
    try:
        order = await repository.find(commerce, identity)
        if order is not None:
            await settle(commerce, payments, order)
    except (DatabaseUnavailableError, UnknownOutcomeError) as error:
        log.warning("order stays pending", order=str(identity), error=type(error).__name__)
    except Exception as error:
        log.exception("order could not be settled", order=str(identity))
        with suppress(DatabaseUnavailableError, UnknownOutcomeError):
            async with commerce.write() as connection:
                await turns.note_problem(connection, identity, f"unexpected: {type(error).__name__}")


async def settle_due(commerce: Database, payments: PaymentsClient) -> float | None:
    """Settle what was left pending by lost answers and ended pods, and is due.

    Every pod does this; two that meet at one order ask with the same key, and only one of them moves the order.

    Raises:
        DatabaseUnavailableError: the database did not answer; the next turn goes on.
    """
    if await commerce.is_standby():
        return STANDBY_SECONDS  # the active site settles; here nothing could be written down
    for _ in portions(SETTLE_IN_A_TURN // SETTLE_AT_ONCE):
        async with commerce.write() as connection:
            due = await turns.claim(connection, SETTLE_AT_ONCE)
        await asyncio.gather(*[settle_by_id(commerce, payments, order) for order in due])
        if len(due) < SETTLE_AT_ONCE:
            break
    return None


async def say_unsettled(commerce: Database) -> None:
    """Log how many orders wait for their payment; as an error when a person has to look."""
    say("orders", await turns.unsettled(commerce))


def settling_loops(commerce: Database, payments: PaymentsClient) -> list[Loop]:
    """Return what the storefront does in the background."""
    return [
        Loop("settling", lambda: settle_due(commerce, payments), SETTLE_EVERY_SECONDS),
        Loop("unsettled", lambda: say_unsettled(commerce), SAY_EVERY_SECONDS),
    ]
