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

_SESSIONS = """
WITH old AS (
    SELECT id FROM customers.session WHERE expires_at < now() - interval '1 hour'
    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
), left_behind AS (
    DELETE FROM carts.cart WHERE session_id IN (SELECT id FROM old)
), gone AS (DELETE FROM customers.session WHERE id IN (SELECT id FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""
_CARTS = """
WITH old AS (
    SELECT id FROM carts.cart WHERE changed_at < now() - interval '180 days'
    ORDER BY changed_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (DELETE FROM carts.cart WHERE id IN (SELECT id FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""
_REQUESTS = """
WITH old AS (
    SELECT key FROM requests.completed WHERE created_at < now() - interval '7 days'
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (DELETE FROM requests.completed WHERE key IN (SELECT key FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""
_FAILURES = """
WITH old AS (
    SELECT account FROM customers.failed_sign_in WHERE failed_at < now() - interval '24 hours'
    ORDER BY failed_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (DELETE FROM customers.failed_sign_in WHERE account IN (SELECT account FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""
_TOKENS = """
WITH old AS (
    SELECT id FROM orders."order" WHERE payment_token <> '' AND state <> 'pending_payment'
    AND changed_at < now() - interval '2 days' ORDER BY changed_at LIMIT $1 FOR UPDATE SKIP LOCKED
), gone AS (UPDATE orders."order" SET payment_token = '' WHERE id IN (SELECT id FROM old) RETURNING 1)
SELECT count(*) FROM gone
"""
KINDS = {
    "sessions": _SESSIONS,
    "carts": _CARTS,
    "results of forms": _REQUESTS,
    "wrong passwords": _FAILURES,
    "tokens of cards": _TOKENS,
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
