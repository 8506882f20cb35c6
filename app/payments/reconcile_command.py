"""`shop reconcile`: one comparison with the provider's settlements, now, in a payments pod; changes nothing.

`shopsphere reconcile PAIR` runs it in a pod of the active site and reads the JSON document that it prints.
"""

from __future__ import annotations

import asyncio
import json

from app.bounded_http import NoAnswerError
from app.database import AT_A_DESK, Database
from app.errors import ShopError
from app.payments.provider import Provider
from app.payments.reconciling import Reconciler
from app.payments.watching import unsettled
from app.settings import PaymentsSettings


def reconcile(settings: PaymentsSettings, days: int) -> str:
    """Return what was found as a JSON document.

    Raises:
        ShopError: the provider or the ledger did not answer, so that nothing is known.
    """
    return json.dumps(asyncio.run(_reconcile(settings, days)))


async def _reconcile(settings: PaymentsSettings, days: int) -> dict[str, object]:
    dsn, other = settings.ledger_dsn, settings.other_ledger_dsn
    ledger = Database(dsn, role="payments_app", application="reconcile", size=1, patience=AT_A_DESK, other_dsn=other)
    provider = Provider(settings)
    try:
        report = await Reconciler(ledger, provider).compare(days)
        waiting = await unsettled(ledger)
    except NoAnswerError as error:
        raise ShopError.build(
            "the provider's settlements could not be read",
            expected=f"an answer of {settings.psp_url}",
            found=str(error),
            action="look whether the provider answers, then ask again",
        ) from error
    finally:
        await provider.close()
        await ledger.close()
    return {**report.document(), "unsettled": waiting.document()}
