"""A payment in three phases; none holds a transaction open while it talks to the provider.

1. The intent is committed, under the caller's idempotency key, and waited for until the other site has it: money that
   was taken for an intent that was lost with its site would belong to nobody.
2. The provider is asked to charge, with the same key.
3. Ledger entries and the new state are committed together.

An answer that does not come makes the payment unknown, never failed. An unknown one is settled by asking the provider
for the key; if the provider never saw the key, by charging again with it. The database closes a payment only once,
whichever process comes first.
"""

from __future__ import annotations

import asyncio
import hmac

import structlog

from app.database import Database
from app.errors import DatabaseUnavailableError, UnknownOutcomeError
from app.payments import repository
from app.payments.model import CAPTURED, DECLINED, Payment, PaymentRequest
from app.payments.provider import Charge, Provider, ProviderSilentError

LEASE_SECONDS = 15.0  # longer than a charge may take; then the resolver may look
RESOLVE_AT_ONCE = 50


class KeyReusedError(Exception):
    """The idempotency key was used for another request."""


class Cashier:
    """Takes payments."""

    def __init__(self, ledger: Database, provider: Provider, resolve_every_seconds: float) -> None:
        self._ledger = ledger
        self._provider = provider
        self._every = resolve_every_seconds
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
        if not payment.is_final:
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
        charge = await self._charge(payment)
        for attempt in (1, 2, 3):  # closing is idempotent, so an unknown COMMIT is simply repeated
            try:
                async with self._ledger.write() as connection:
                    await self._close(connection, payment, charge)
                break
            except UnknownOutcomeError:
                if attempt == 3:  # noqa: PLR2004 the loop's own bound; the resolver goes on from here
                    raise

    async def _charge(self, payment: Payment) -> Charge | None:
        try:
            found = await self._provider.find(payment.key) if payment.attempts or payment.state != "created" else None
            return found or await self._provider.charge(payment)
        except ProviderSilentError as error:
            self._log.warning("provider silent", payment=str(payment.id), problem=str(error))
            return None

    async def _close(self, connection: object, payment: Payment, charge: Charge | None) -> None:
        if charge is None:
            await repository.mark_unknown(connection, payment, self._every)
        elif charge.is_captured:
            await repository.capture(connection, payment, charge.id)
        else:
            await repository.mark_declined(connection, payment, charge.decline_reason)
        outcome = "unknown" if charge is None else CAPTURED if charge.is_captured else DECLINED
        self._log.info("payment", payment=str(payment.id), outcome=outcome, attempt=payment.attempts + 1)

    async def resolve_forever(self) -> None:
        """Settle what is unknown, until cancelled; a lease keeps processes off each other's work."""
        while True:
            await asyncio.sleep(self._every)
            try:
                if await self._ledger.fetchval("SELECT pg_is_in_recovery()"):
                    continue  # the active site resolves
                async with self._ledger.write() as connection:
                    unsettled = await repository.claim_unsettled(connection, LEASE_SECONDS, RESOLVE_AT_ONCE)
                for payment in unsettled:
                    await self._settle(payment)
            except (DatabaseUnavailableError, UnknownOutcomeError) as error:
                self._log.warning("resolver waits", problem=type(error).__name__)
