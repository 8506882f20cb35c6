"""A payment in three phases; none holds a transaction open while it talks to the provider.

1. The intent is committed, under the caller's idempotency key, and waited for until the other site has it: money that
   was taken for an intent that was lost with its site would belong to nobody.
2. The provider is asked to charge, with the same key.
3. Ledger entries and the new state are committed together.

An answer that does not come, or that is not in the table of answers, makes the payment unknown, never failed. An
unknown one is settled by asking the provider for the key; if the provider never saw the key, by charging again with it.
The database closes a payment only once, whichever process comes first.
"""

from __future__ import annotations

import asyncio
import hmac
from contextlib import suppress

import asyncpg
import structlog

from app.database import Connection, Database
from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.loops import STANDBY_SECONDS, portions
from app.payments import repository
from app.payments.answers import Kind, Outcome, alarm
from app.payments.model import Payment, PaymentRequest, VoidRequest
from app.payments.provider import Provider
from app.payments.voiding import Voids

LEASE_SECONDS = 15.0  # longer than four questions to the provider may take; then the resolver may look
RESOLVE_AT_ONCE = 4  # each holds a connection of the pool while it is written down
RESOLVE_IN_A_TURN = 200
LONGEST_WAIT_SECONDS = 30.0  # between two questions about a payment whose answer only has not come
LONGEST_WAIT_WITH_PROBLEM_SECONDS = 120.0  # with the order's own wait, well under five minutes
UNEXPECTED = "unexpected: "
SET_ASIDE_AFTER, SET_ASIDE_SECONDS = 12, 3600.0  # a payment that this program cannot handle is looked at once an hour


class KeyReusedError(Exception):
    """The idempotency key was used for another request."""


class Cashier:
    """Takes payments."""

    def __init__(self, ledger: Database, provider: Provider, resolve_every_seconds: float) -> None:
        self._ledger = ledger
        self._provider = provider
        self._every = resolve_every_seconds
        self._voids = Voids(ledger, provider, self._wait)
        self._log = structlog.get_logger("payments")

    async def pay(self, key: str, request: PaymentRequest) -> Payment:
        """Take a payment, or say what became of it; the answer may be that it is unknown.

        Raises:
            KeyReusedError: same key, other request.
            DatabaseUnavailableError: the ledger did not answer.
            UnknownOutcomeError: the other site did not confirm in time. Asking again with the same key is safe: nothing
                is asked of the provider that is not on record at both sites.
        """
        payment = await self._intent(key, request)
        if not hmac.compare_digest(payment.fingerprint, request.fingerprint()):
            raise KeyReusedError
        if not payment.is_final and payment.problem is None:  # the resolver alone looks at what has a problem
            await self._settle(payment)
        return await self.find(key) or payment

    async def void(self, key: str, request: VoidRequest) -> Payment:
        """See to it that a payment is never taken, or given back if it was; the answer may be that this goes on.

        Raises:
            KeyReusedError: the key has a payment of another reference, amount or currency.
            DatabaseUnavailableError: the ledger did not answer.
            UnknownOutcomeError: the other site did not confirm in time; asking again is safe.
        """
        async with self._ledger.write() as connection:
            known = await repository.by_key(connection, key)
            wanted = (request.reference, request.amount_minor, request.currency)
            if known is not None and (known.reference, known.amount_minor, known.currency) != wanted:
                raise KeyReusedError
            await repository.ask_to_void(connection, key, request, LEASE_SECONDS)
            payment = await repository.by_key(connection, key)
            await repository.confirm(connection)
        if payment is None:
            raise DatabaseUnavailableError("the request was not stored")
        if not payment.is_voided and payment.problem is None:
            await self._settle(payment)
        return await self.find(key) or payment

    async def find(self, key: str) -> Payment | None:
        """Return the payment of a key; a final one only when the other site has it as well.

        Raises:
            DatabaseUnavailableError: the ledger takes no writes now, so that nothing final may be said.
            UnknownOutcomeError: the other site did not confirm in time.
        """
        async with self._ledger.write() as connection:
            payment = await repository.by_key(connection, key)
            if payment is not None and payment.is_final:
                await repository.confirm(connection)
        return payment

    async def _intent(self, key: str, request: PaymentRequest) -> Payment:
        """Return the payment of a key, made now or found; the other site has it as well."""
        async with self._ledger.write() as connection:
            payment = await repository.insert(connection, key, request, LEASE_SECONDS)
            if payment is None:
                payment = await repository.by_key(connection, key)
                await repository.confirm(connection)
        if payment is None:
            raise DatabaseUnavailableError("the intent was not stored")
        return payment

    async def _settle(self, payment: Payment) -> None:
        if payment.void_asked_seconds is not None:
            await self._voids.carry_on(payment)
            return
        outcome = await self._provider.settle(payment)
        for attempt in (1, 2, 3):  # closing is idempotent, so an unknown COMMIT is simply repeated
            try:
                await self._write_down(payment, outcome)
                break
            except UnknownOutcomeError:
                if attempt == 3:  # noqa: PLR2004 the loop's own bound; the resolver goes on from here
                    raise

    async def _write_down(self, payment: Payment, outcome: Outcome) -> None:
        try:
            async with self._ledger.write() as connection:
                await self._close(connection, payment, outcome)
        except asyncpg.UniqueViolationError:
            outcome = alarm("the provider named a charge that is booked for another payment")
            async with self._ledger.write() as connection:
                await self._close(connection, payment, outcome)
        told = self._log.error if outcome.is_alarm else self._log.info
        told(
            "payment",
            payment=str(payment.id),
            outcome=outcome.kind.value,
            reason=outcome.reason,
            attempt=payment.attempts + 1,
        )

    async def _close(self, connection: Connection, payment: Payment, outcome: Outcome) -> None:
        if outcome.kind is Kind.CAPTURED:
            await repository.capture(connection, payment, outcome.charge)
        elif outcome.kind is Kind.DECLINED:
            await repository.mark_declined(connection, payment, outcome.reason)
        else:
            problem = outcome.reason if outcome.is_alarm else None
            await repository.mark_unknown(connection, payment, self._wait(payment, problem or payment.problem), problem)

    def _wait(self, payment: Payment, problem: str | None) -> float:
        """Return how long to wait before a payment is asked for again (s)."""
        if problem is not None and problem.startswith(UNEXPECTED) and payment.attempts >= SET_ASIDE_AFTER:
            return SET_ASIDE_SECONDS
        longest = LONGEST_WAIT_SECONDS if problem is None else LONGEST_WAIT_WITH_PROBLEM_SECONDS
        return min(self._every * 2.0 ** min(payment.attempts, 10), longest)

    async def resolve(self) -> float | None:
        """Settle what is unknown and due; a lease keeps processes off each other's work.

        Raises:
            DatabaseUnavailableError: the ledger did not answer; the next turn goes on.
        """
        if await self._ledger.is_standby():
            return STANDBY_SECONDS  # the active site resolves
        for _ in portions(RESOLVE_IN_A_TURN // RESOLVE_AT_ONCE):
            async with self._ledger.write() as connection:
                unsettled = await repository.claim_unsettled(connection, LEASE_SECONDS, RESOLVE_AT_ONCE)
            await asyncio.gather(*[self._resolve_one(payment) for payment in unsettled])
            if len(unsettled) < RESOLVE_AT_ONCE:
                break
        return None

    async def _resolve_one(self, payment: Payment) -> None:
        """Settle one; whatever goes wrong with it keeps no other from being settled."""
        try:
            await self._settle(payment)
        except (DatabaseUnavailableError, UnknownOutcomeError) as error:
            self._log.warning("resolver waits", payment=str(payment.id), problem=type(error).__name__)
        except Exception as error:  # noqa: BLE001 logged with its trace; the others go on
            self._log.exception("payment set aside", payment=str(payment.id), attempt=payment.attempts)
            problem = f"{UNEXPECTED}{type(error).__name__}"
            with suppress(DatabaseUnavailableError, UnknownOutcomeError):
                async with self._ledger.write() as connection:
                    await repository.put_off(connection, payment, self._wait(payment, problem), problem)
