"""`shop unsettled`: how many orders wait for their payment, and for how long; run in a pod of the storefront."""

from __future__ import annotations

import asyncio
import json

from app.database import AT_A_DESK, Database
from app.orders.turns import unsettled
from app.settings import StorefrontSettings


def show_unsettled(settings: StorefrontSettings) -> str:
    """Return the figures as a JSON document.

    Raises:
        DatabaseUnavailableError: the database did not answer.
    """
    return asyncio.run(_show(settings))


async def _show(settings: StorefrontSettings) -> str:
    dsn, other = settings.commerce_dsn, settings.other_commerce_dsn
    commerce = Database(dsn, role="shop_app", application="unsettled", size=1, patience=AT_A_DESK, other_dsn=other)
    try:
        return json.dumps((await unsettled(commerce)).document())
    finally:
        await commerce.close()
