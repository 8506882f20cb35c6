"""Whose turn it is to be settled: each pending order has its own, so none that cannot settle keeps others waiting."""

from __future__ import annotations

from uuid import UUID

from app.database import Connection, Queries
from app.orders.model import RESERVATION_SECONDS
from app.unsettled import Unsettled

FIRST_WAIT_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 60.0
SET_ASIDE_AFTER, SET_ASIDE_SECONDS = 10, 3600.0
"""An order whose settling failed so often for a reason that nobody foresaw is looked at once an hour, and at the end
of its reservation."""

# The next turn is set as this one begins: whatever becomes of it, others come first.
_CLAIM = """
UPDATE orders."order" SET settle_attempts = settle_attempts + 1,
    settle_due_at = now() + make_interval(secs => least($2::float8, $1::float8 * power(2, least(settle_attempts, 16))))
WHERE id IN (
    SELECT id FROM orders."order" WHERE (state = 'pending_payment' OR lapse = 'open') AND settle_due_at <= now()
    ORDER BY settle_due_at LIMIT $3 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
_SET_BACK = """
UPDATE orders."order" SET settle_problem = $2, settle_due_at = CASE WHEN settle_attempts >= $3
    THEN CASE WHEN now() < placed_at + make_interval(secs => $5)
        THEN least(now() + make_interval(secs => $4), placed_at + make_interval(secs => $5))
        ELSE now() + make_interval(secs => $4) END
    ELSE settle_due_at END
WHERE id = $1 AND (state = 'pending_payment' OR lapse = 'open')
"""
_UNSETTLED = """
SELECT count(*) AS orders, count(settle_problem) AS with_problem,
    coalesce(extract(epoch FROM now() - min(placed_at)), 0)::float8 AS oldest_seconds
FROM orders."order" WHERE state = 'pending_payment' OR lapse = 'open'
"""


async def claim(connection: Connection, limit: int) -> list[UUID]:
    """Return open orders whose turn it is, the one that waits longest first, and set their next turn."""
    rows = await connection.fetch(_CLAIM, FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, limit)
    return [row["id"] for row in rows]


async def note_problem(connection: Connection, order: UUID, problem: str) -> None:
    """Write down why an order could not be settled; one that fails again and again is set aside."""
    await connection.execute(_SET_BACK, order, problem, SET_ASIDE_AFTER, SET_ASIDE_SECONDS, RESERVATION_SECONDS)


async def unsettled(queries: Queries) -> Unsettled:
    """Count the orders that wait for their payment, or for its end."""
    return Unsettled(*await queries.fetchrow(_UNSETTLED))
