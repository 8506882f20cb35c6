"""A payment that is no longer wanted: it is never charged, and what was taken all the same is given back.

That it is not wanted is committed at both sites first; from then on nobody charges it. But a request may be on its way
to the provider at that moment, so a provider that has no charge by the key is believed only QUIET_SECONDS later. What
was taken is booked before it is given back: the ledger tells what happened, in the order in which it did.
"""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
import structlog

from app.database import Connection, Database
from app.payments import repository
from app.payments.answers import Kind, Outcome, alarm
from app.payments.model import CAPTURED, Payment
from app.payments.provider import Provider

QUIET_SECONDS = 60.0
"""After so long no question of ours can still reach the provider: all of one settlement take less than 15 s."""


class Voids:
    """Carries on with payments that are to be voided.

    Args:
        ledger: where they are.
        provider: whom to ask.
        wait: how long to wait before a payment is looked at again, by payment and problem (s).
    """

    def __init__(self, ledger: Database, provider: Provider, wait: Callable[[Payment, str | None], float]) -> None:
        self._ledger = ledger
        self._provider = provider
        self._wait = wait
        self._log = structlog.get_logger("voids")

    async def carry_on(self, payment: Payment) -> None:
        """Do the next step for a payment, and write down what came of it.

        Raises:
            DatabaseUnavailableError: the ledger did not answer; the resolver comes back to it.
            UnknownOutcomeError: the other site did not confirm in time; likewise.
        """
        try:
            outcome = _sensible(payment, await self._end(payment))
            async with self._ledger.write() as connection:
                await self._write_down(connection, payment, outcome)
        except asyncpg.UniqueViolationError:
            outcome = alarm("the provider named a charge that is booked for another payment")
            async with self._ledger.write() as connection:
                await self._write_down(connection, payment, outcome)
        told = self._log.error if outcome.is_alarm else self._log.info
        told("void", payment=str(payment.id), outcome=outcome.kind.value, reason=outcome.reason)

    async def _end(self, payment: Payment) -> Outcome:
        outcome = await self._provider.find_voided(payment)
        if outcome.kind is Kind.CAPTURED:
            async with self._ledger.write() as connection:
                await repository.capture(connection, payment, outcome.charge)
            return await self._provider.refund(payment, outcome.charge)
        if outcome.kind is Kind.AUTHORISED:
            return await self._provider.release(payment, outcome.charge)
        return outcome

    async def _write_down(self, connection: Connection, payment: Payment, outcome: Outcome) -> None:
        is_quiet = (payment.void_asked_seconds or 0.0) >= QUIET_SECONDS
        if outcome.kind is Kind.REFUNDED:
            await repository.capture(connection, payment, outcome.charge)
            await repository.refund(connection, payment)
        elif outcome.kind is Kind.DECLINED or (outcome.kind is Kind.ABSENT and is_quiet):
            await repository.mark_declined(connection, payment, outcome.reason or repository.VOIDED)
        else:
            problem = outcome.reason if outcome.is_alarm else None
            await repository.put_off(connection, payment, self._wait(payment, problem or payment.problem), problem)


def _sensible(payment: Payment, outcome: Outcome) -> Outcome:
    """Return an outcome as it is if it can be true of this payment; else a person has to look."""
    if payment.state == CAPTURED and outcome.kind in {Kind.ABSENT, Kind.DECLINED}:
        return alarm(f"the charge is booked, and the provider calls it {outcome.kind.value}")
    if outcome.kind in {Kind.CAPTURED, Kind.AUTHORISED, Kind.REFUSED}:
        return alarm(f"the charge is to be ended, and the provider left it {outcome.kind.value}")
    return outcome
