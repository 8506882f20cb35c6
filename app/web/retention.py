"""Removes what is no longer needed, in small portions, at the active site only.

| what | how long |
|---|---|
| sessions, and the carts of guests with them | 30 days after their last use; 2 days when the cookie never came back |
| carts of customers | 180 days after the last change |
| results of forms, in case one is sent again | 7 days |
| wrong passwords that were counted | 24 hours |
| tokens of cards | 2 days after an order is paid or declined: the limits of a card look back for one |

Customers and orders stay until a customer is erased (app/customers/privacy.py) or the books may be closed.
"""

from __future__ import annotations

import structlog

from app.database import Database

EVERY_SECONDS = 60.0
PORTION = 500
"""Rows of a statement: some ten milliseconds of one connection."""
MOST_PORTIONS = 20
"""Of one kind in one turn: 10,000 rows a minute, more than a crowd can make through the gateway's limits."""
_LOCK = 0x52455445  # "RETE": one pod of a site at a time


def _removal(table: str, key: str, date: str, age: str, *, only: str = "", change: str = "", besides: str = "") -> str:
    """Return the statement that removes the oldest rows of a table, $1 of them at the most, and counts them.

    Args:
        table: where they are.
        key: the column by which they are found again.
        date: the column that they age by.
        age: what they have to be older than.
        only: a condition that they have to meet as well.
        change: what is done instead of deleting them.
        besides: what is done to rows of other tables; `old` has the keys.
    """
    return f"""
WITH old AS (
    SELECT {key} FROM {table} WHERE {only and f"{only} AND "}{date} < now() - interval '{age}'
    ORDER BY {date} LIMIT $1 FOR UPDATE SKIP LOCKED
), {besides and f"besides AS ({besides}), "}gone AS (
    {change or f"DELETE FROM {table}"} WHERE {key} IN (SELECT {key} FROM old) RETURNING 1
) SELECT count(*) FROM gone
"""  # noqa: S608 its parts are the constants below


KINDS = {
    "sessions": _removal(
        "customers.session",
        "id",
        "expires_at",
        "1 hour",
        besides="DELETE FROM carts.cart WHERE session_id IN (SELECT id FROM old)",
    ),
    "carts": _removal("carts.cart", "id", "changed_at", "180 days"),
    "results of forms": _removal("requests.completed", "key", "created_at", "7 days"),
    "wrong passwords": _removal("customers.failed_sign_in", "account", "failed_at", "24 hours"),
    "tokens of cards": _removal(
        'orders."order"',
        "id",
        "changed_at",
        "2 days",
        only="payment_token <> '' AND state <> 'pending_payment'",
        change="""UPDATE orders."order" SET payment_token = ''""",
    ),
}


class Retention:
    """Removes what is over, a portion at a time."""

    def __init__(self, commerce: Database) -> None:
        self._commerce = commerce
        self._log = structlog.get_logger("retention")

    async def turn(self) -> None:
        """Remove what is over now.

        Raises:
            DatabaseUnavailableError: the database did not answer; the next turn goes on.
            UnknownOutcomeError: the same, during a COMMIT.
        """
        if await self._commerce.is_standby():
            return  # the active site removes, and this one follows
        for kind, statement in KINDS.items():
            removed = 0
            for _ in range(MOST_PORTIONS):
                portion = await self._portion(statement)
                removed += portion
                if portion < PORTION:
                    break
            if removed:
                self._log.info("removed", kind=kind, rows=removed)

    async def _portion(self, statement: str) -> int:
        async with self._commerce.write() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                return 0
            await connection.execute("SET LOCAL synchronous_commit = off")  # what is lost is removed again
            return int(await connection.fetchval(statement, PORTION))
