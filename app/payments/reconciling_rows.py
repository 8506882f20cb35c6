"""What a reconciliation reads from the ledger, and what it keeps there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from app.database import Connection, Queries
from app.payments import repository
from app.payments.comparing import Booked
from app.payments.model import Payment

AT_ONCE = 500
_BOOKED = """
SELECT p.key, p.reference, p.amount_minor, p.currency, p.state, p.charge_id,
    coalesce((SELECT sum(e.amount_minor) FROM ledger.transfer t JOIN ledger.entry e ON e.transfer_id = t.id
              WHERE t.payment_id = p.id AND e.account = 'psp-receivable' AND e.currency = p.currency), 0)::bigint,
    extract(epoch FROM now() - p.created_at)::float, p.problem, p.refunded_at IS NOT NULL,
    extract(epoch FROM now() - coalesce(p.refunded_at, p.void_asked_at))::float, p.id
FROM payments.payment p
"""
_BY_KEYS = f"{_BOOKED} WHERE p.key = ANY($1::text[])"
# What was booked in a time, and all that is still open, however old; in the order of ids, a page at a time. The time is
# that of the bookings, which nobody but the database says.
_SINCE = f"""{_BOOKED}
WHERE p.id > $1 AND (p.state IN ('created', 'unknown') OR
    p.id IN (SELECT payment_id FROM ledger.transfer WHERE booked_at >= $2 AND booked_at < $3))
ORDER BY p.id LIMIT {AT_ONCE}
"""  # noqa: S608 of our own constants
_CLAIM = """
UPDATE payments.reconciliation SET claimed_at = now()
WHERE claimed_at < now() - make_interval(secs => $1) RETURNING true
"""
_KEEP = """
UPDATE payments.reconciliation SET finished_at = now(), charges = $1, payments = $2, differences = $3
"""


async def claim(connection: Connection, every_seconds: float) -> bool:
    """Whether this process is to compare now; no other one is told so for `every_seconds`."""
    return bool(await connection.fetchval(_CLAIM, every_seconds))


async def keep(connection: Connection, charges: int, payments: int, differences: list[dict[str, object]]) -> None:
    """Write down what was found, in place of what was found before."""
    await connection.execute(_KEEP, charges, payments, differences)


async def by_keys(queries: Queries, keys: Sequence[str]) -> dict[str, Booked]:
    """Return payments by their keys."""
    found: dict[str, Booked] = {}
    for start in range(0, len(keys), AT_ONCE):
        for row in await queries.fetch(_BY_KEYS, keys[start : start + AT_ONCE]):
            found[row["key"]] = _booked(row)
    return found


async def since(queries: Queries, first: date, until: datetime) -> AsyncIterator[list[Booked]]:
    """Yield what was captured from `first` on, and all that is unsettled, as it was at `until`."""
    after = UUID(int=0)
    start = datetime.combine(first, time.min, UTC)
    while page := await queries.fetch(_SINCE, after, start, until):
        yield [_booked(row) for row in page]
        after = page[-1]["id"]


async def payment(queries: Queries, key: str) -> Payment | None:
    """Return all of a payment."""
    return await repository.by_key(queries, key)


def _booked(row: Any) -> Booked:
    return Booked(*tuple(row)[:11])
