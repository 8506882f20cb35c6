"""The end of orders that are not paid in time: their pieces go back at once, their payment is given up after that.

No order keeps stock for longer than its reservation, whatever the payments service or the provider does not say. So
the order ends first, and its payment follows as soon as somebody answers. Money that turns out to have been taken is
given back, also when the pieces are still there: the customer has been told that the order is over, has everything in
the cart again, and may have bought it a second time.
"""

from __future__ import annotations

import structlog

from app.database import Connection, Database
from app.orders import repository
from app.orders.model import Lapse, Order
from app.orders.payments_client import PaymentsClient, Verdict
from app.orders.states import PendingPayment

_LAPSE = """
UPDATE orders."order" SET state = $3, lapse = 'open', settle_attempts = 0, settle_due_at = now()
WHERE id = $1 AND state = $2
"""
_END = """UPDATE orders."order" SET lapse = $2, settle_problem = NULL WHERE id = $1 AND lapse = 'open'"""
_ENDS = {Verdict.DECLINED: Lapse.UNPAID, Verdict.REFUNDED: Lapse.REFUNDED}


async def lapse(commerce: Database, payments: PaymentsClient, order: Order) -> None:
    """End a pending order without a verdict about its payment, then give the payment up.

    Raises:
        DatabaseUnavailableError: this could not be written; trying again later is safe.
        UnknownOutcomeError: the same, during a COMMIT.
    """
    if not isinstance(order.state, PendingPayment):
        return
    async with commerce.write() as connection:
        if not await _end_order(connection, order.state):
            return  # somebody else has settled it meanwhile
        await repository.give_back(connection, order.id, order.session)
    structlog.get_logger("settling").warning("order lapsed", order=str(order.id), age_seconds=round(order.age_seconds))
    await end_payment(commerce, payments, order)


async def end_payment(commerce: Database, payments: PaymentsClient, order: Order) -> None:
    """Have the payment of a lapsed order voided, and write down what became of it; unknown leaves it open.

    Raises:
        DatabaseUnavailableError: this could not be written; trying again later is safe.
        UnknownOutcomeError: the same, during a COMMIT.
    """
    payment = await payments.void(order)  # no transaction is open during the call
    ended = _ENDS.get(payment.verdict)
    if ended is None:
        return
    async with commerce.write() as connection:
        await connection.execute(_END, order.id, ended.value)
    structlog.get_logger("settling").info("payment of a lapsed order ended", order=str(order.id), lapse=ended.value)


async def _end_order(connection: Connection, state: PendingPayment) -> bool:
    status = await connection.execute(_LAPSE, state.order, state.name, state.lapse().name)
    return str(status).endswith(" 1")
