"""`shop reconcile-orders`: one comparison of orders with payments, now, in a pod of the storefront; changes nothing.

`shopsphere reconcile PAIR` runs it at the active site and reads the JSON document that it prints.
"""

from __future__ import annotations

import asyncio
import json

from app.bounded_http import NoAnswerError
from app.database import AT_A_DESK, Database
from app.errors import ShopError
from app.orders.reconciling import OrderReconciler
from app.orders.statements_client import StatementsClient
from app.sealed_calls import Seals
from app.settings import StorefrontSettings


def reconcile_orders(settings: StorefrontSettings, days: int) -> str:
    """Return what was found as a JSON document.

    Raises:
        ShopError: the payments service or the database did not answer, so that nothing is known.
    """
    return json.dumps(asyncio.run(_reconcile(settings, days)))


async def _reconcile(settings: StorefrontSettings, days: int) -> dict[str, object]:
    dsn, other = settings.commerce_dsn, settings.other_commerce_dsn
    commerce = Database(dsn, role="shop_app", application="reconcile", size=1, patience=AT_A_DESK, other_dsn=other)
    seals = Seals(settings.call_key, settings.other_call_key)
    statements = StatementsClient(settings.payments_url, settings.payments_timeout_seconds, seals)
    try:
        return (await OrderReconciler(commerce, statements).compare(days)).document()
    except NoAnswerError as error:
        raise ShopError.build(
            "the payments could not be read",
            expected=f"an answer of {settings.payments_url}",
            found=str(error),
            action="look whether the payments service answers, then ask again",
        ) from error
    finally:
        await statements.close()
        await commerce.close()
