"""`shop void-payment KEY`: a person gives a payment up; run in a payments pod of the active site.

What `shopsphere reconcile` finds without an order is ended by this: never charged, or given back at the provider and
booked. Asking again is safe, and says what has become of it.
"""

from __future__ import annotations

import asyncio
import json

from app.database import AT_A_DESK, Database
from app.errors import ShopError
from app.payments.model import KEY, VoidRequest
from app.payments.paying import Cashier
from app.payments.provider import Provider
from app.settings import PaymentsSettings


def void_payment(settings: PaymentsSettings, key: str) -> str:
    """Return the payment as a JSON document.

    Raises:
        ShopError: there is no payment of this key, or the ledger did not answer.
    """
    return json.dumps(asyncio.run(_void(settings, key)))


async def _void(settings: PaymentsSettings, key: str) -> dict[str, object]:
    dsn, other = settings.ledger_dsn, settings.other_ledger_dsn
    ledger = Database(dsn, role="payments_app", application="void", size=2, patience=AT_A_DESK, other_dsn=other)
    provider = Provider(settings)
    cashier = Cashier(ledger, provider, settings.resolve_every_seconds)
    try:
        payment = await cashier.find(key) if KEY.fullmatch(key) else None
        if payment is None:
            raise ShopError.build(
                f"there is no payment with the key {key!r}",
                expected="a key as `shopsphere reconcile` tells it",
                found="none in the ledger",
                action="copy the key of the difference, and ask at the pair that it is of",
            )
        terms = VoidRequest(payment.reference, payment.amount_minor, payment.currency)
        return (await cashier.void(key, terms)).public()
    finally:
        await provider.close()
        await ledger.close()
