"""How much one customer may buy with one card in a short time.

Who tries stolen cards, or sells on what is scarce, orders often and quickly. The bound on money is on what comes after
a first order: one large order is for the limit of a single order to judge.
"""

from __future__ import annotations

from uuid import UUID

from app.database import Connection
from app.region import Region

WINDOW_MINUTES = 10
MOST_ORDERS = 20
"""Orders of one customer with one card within the window, whatever became of them."""
MOST_EUROS = 20_000
"""What those that were not declined may cost together, if there is more than one."""

_RECENT = """
SELECT count(*)::int, coalesce(sum(goods_minor + shipping_minor) FILTER (WHERE state <> 'declined'), 0)::bigint,
    coalesce(ceil(extract(epoch FROM min(placed_at) + make_interval(mins => $4) - now())), 0)::int
FROM orders."order"
WHERE payment_token = $1 AND (session_id = $2 OR customer_id = $3) AND placed_at > now() - make_interval(mins => $4)
"""


async def seconds_to_wait(
    connection: Connection, token: str, session: UUID, customer: UUID | None, total_minor: int, region: Region
) -> int:
    """Return in how many seconds a card may be used for another order of this price; 0 for now."""
    orders, spent_minor, seconds = await connection.fetchrow(_RECENT, token, session, customer, WINDOW_MINUTES)
    most_minor = MOST_EUROS * region.price_factor * 10**region.minor_digits
    too_much = spent_minor > 0 and spent_minor + total_minor > most_minor
    return max(seconds, 1) if orders >= MOST_ORDERS or too_much else 0
