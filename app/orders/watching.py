"""/metrics of the storefront: orders that wait, and what their last comparison with payments found."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from app.database import Queries
from app.gauges import MEDIA_TYPE, gauges
from app.orders.turns import unsettled
from app.web.services import Request, services_of

_RECONCILED = """
SELECT extract(epoch FROM now() - finished_at)::float8 AS seconds_ago, differences,
    coalesce(extract(epoch FROM now() - oldest_at), 0)::float8 AS oldest_seconds
FROM orders.reconciliation WHERE finished_at IS NOT NULL
"""


@get("/metrics")
async def metrics(request: Request) -> Response[str]:
    """Say how many orders wait, what the last reconciliation found, and whether the recommender answers."""
    services = services_of(request)
    asked = "" if services.recommender is None else gauges(services.recommender.figures())
    return Response(await figures(services.commerce) + asked, media_type=MEDIA_TYPE)


async def figures(commerce: Queries) -> str:
    """Return the figures in Prometheus' text format."""
    found = await unsettled(commerce)
    values: dict[str, float] = {
        "orders_unsettled": found.count,
        "orders_unsettled_with_problem": found.with_problem,
        "orders_unsettled_oldest_seconds": found.oldest_seconds,
    }
    if last := await commerce.fetchrow(_RECONCILED):
        values |= {
            "orders_reconciled_seconds_ago": last["seconds_ago"],
            "orders_reconciliation_differences": last["differences"],
            "orders_reconciliation_oldest_seconds": last["oldest_seconds"],
        }
    return gauges(values)


ROUTES: list[Any] = [metrics]
