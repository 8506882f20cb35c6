"""What a comparison of orders with payments reads from the shop's database, and what it keeps there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from app.database import Connection, Queries
from app.orders.comparing import Placed
from app.orders.payments_client import payment_key
from app.statements import AT_ONCE

_PAGE = f"""
SELECT id, number, state, lapse, goods_minor + shipping_minor, currency,
    extract(epoch FROM now() - placed_at)::float8, placed_at
FROM orders."order" WHERE (placed_at, id) > ($1, $2) AND placed_at < $3 ORDER BY placed_at, id LIMIT {AT_ONCE}
"""  # noqa: S608 a constant only
_KNOWN = 'SELECT id FROM orders."order" WHERE id = ANY($1::uuid[])'
_CLAIM = """
UPDATE orders.reconciliation SET claimed_at = now()
WHERE claimed_at < now() - make_interval(secs => $1) RETURNING true
"""
_KEEP = """
UPDATE orders.reconciliation SET finished_at = now(), orders = $1, payments = $2, differences = $3,
    oldest_at = now() - make_interval(secs => $4)
"""


async def claim(connection: Connection, every_seconds: float) -> bool:
    """Whether this process is to compare now; no other one is told so for `every_seconds`."""
    return bool(await connection.fetchval(_CLAIM, every_seconds))


async def keep(
    connection: Connection, orders: int, payments: int, differences: int, oldest_seconds: float | None
) -> None:
    """Write down how much was compared and how much differs, in place of what was found before."""
    await connection.execute(_KEEP, orders, payments, differences, oldest_seconds)


async def between(queries: Queries, since: datetime, until: datetime) -> AsyncIterator[list[Placed]]:
    """Yield the orders that were placed from `since` until before `until`, a page at a time."""
    after: tuple[datetime, UUID] = (since, UUID(int=0))
    while page := await queries.fetch(_PAGE, *after, until):
        yield [_placed(row) for row in page]
        after = (page[-1]["placed_at"], page[-1]["id"])


async def known(queries: Queries, orders: Sequence[UUID]) -> set[UUID]:
    """Return those of these orders that there are."""
    return {row["id"] for row in await queries.fetch(_KNOWN, list(orders))}


def _placed(row: Any) -> Placed:
    return Placed(payment_key(row["id"]), *tuple(row)[1:7])
