"""Removes what is no longer needed, in small portions, at the active site only.

How long each kind is kept is said in the topology (`retention`), and reaches the shop with the facts of its region:

| what | how long | usually |
|---|---|---|
| sessions, and the carts of guests with them | after their last use: `session_days` | 30 days |
| the same, when the cookie never came back | `unused_session_days` | 2 days |
| carts of customers | after the last change: `cart_days` | 180 days |
| results of forms, in case one is sent again | `form_days` | 7 days |
| wrong passwords that were counted | `wrong_password_days` | 1 day |
| tokens of cards | after an order is paid or declined: `card_token_days` | 2 days |
| whom an order went to | after the end of its year: `recipient_years` | 10 years |

Accounts stay until their customers erase them (app/customers/privacy.py); orders without a person stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.database import Database
from app.region import Retention

EVERY_SECONDS = 60.0
PORTION = 500
"""Rows of a statement: some ten milliseconds of one connection."""
MOST_PORTIONS = 20
"""Of one kind in one turn: 10,000 rows a minute, more than a crowd can make through the gateway's limits."""
_LOCK = 0x52455445  # "RETE": one pod of a site at a time


@dataclass(frozen=True, slots=True)
class Kind:
    """Rows that go when they are older than an age.

    Attributes:
        statement: removes the oldest ones, $1 of them at the most, of those older than $2, and counts them.
        age: of what goes, as a time or as whole years; the sessions' date is already the one of their end.
    """

    name: str
    statement: str
    age: timedelta | int


def _removal(table: str, key: str, date: str, *, only: str = "", change: str = "", besides: str = "") -> str:
    """Return the statement of a kind.

    Args:
        table: where they are.
        key: the column by which they are found again.
        date: the column that they age by.
        only: a condition that they have to meet as well.
        change: what is done instead of deleting them.
        besides: what is done to rows of other tables; `old` has the keys.
    """
    return f"""
WITH old AS (
    SELECT {key} FROM {table} WHERE {only and f"{only} AND "}{date} < now() - $2::interval
    ORDER BY {date} LIMIT $1 FOR UPDATE SKIP LOCKED
), {besides and f"besides AS ({besides}), "}gone AS (
    {change or f"DELETE FROM {table}"} WHERE {key} IN (SELECT {key} FROM old) RETURNING 1
) SELECT count(*) FROM gone
"""  # noqa: S608 its parts are the constants below


_SESSIONS = _removal(
    "customers.session",
    "id",
    "expires_at",
    besides="DELETE FROM carts.cart WHERE session_id IN (SELECT id FROM old)",
)
_CARTS = _removal("carts.cart", "id", "changed_at")
_FORMS = _removal("requests.completed", "key", "created_at")
_WRONG_PASSWORDS = _removal("customers.failed_sign_in", "account", "failed_at")
_TOKENS = _removal(
    'orders."order"',
    "id",
    "changed_at",
    only="payment_token <> '' AND state <> 'pending_payment'",
    change="""UPDATE orders."order" SET payment_token = ''""",
)
_RECIPIENTS = "SELECT orders.remove_old_recipients($2, $1)"  # only the database's owner may change who an order is for


def kinds(keeps: Retention) -> tuple[Kind, ...]:
    """Return what is removed, and when."""
    return (
        Kind("sessions", _SESSIONS, timedelta(hours=1)),
        Kind("carts", _CARTS, timedelta(days=keeps.cart_days)),
        Kind("results of forms", _FORMS, timedelta(days=keeps.form_days)),
        Kind("wrong passwords", _WRONG_PASSWORDS, timedelta(days=keeps.wrong_password_days)),
        Kind("tokens of cards", _TOKENS, timedelta(days=keeps.card_token_days)),
        Kind("recipients", _RECIPIENTS, keeps.recipient_years),
    )


class Removal:
    """Removes what is over, a portion at a time."""

    def __init__(self, commerce: Database, keeps: Retention) -> None:
        self._commerce = commerce
        self._kinds = kinds(keeps)
        self._log = structlog.get_logger("retention")

    async def turn(self) -> None:
        """Remove what is over now.

        Raises:
            DatabaseUnavailableError: the database did not answer; the next turn goes on.
            UnknownOutcomeError: the same, during a COMMIT.
        """
        if await self._commerce.is_standby():
            return  # the active site removes, and this one follows
        for kind in self._kinds:
            removed = 0
            for _ in range(MOST_PORTIONS):
                portion = await self._portion(kind)
                removed += portion
                if portion < PORTION:
                    break
            if removed:
                self._log.info("removed", kind=kind.name, rows=removed)

    async def _portion(self, kind: Kind) -> int:
        async with self._commerce.write() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                return 0
            await connection.execute("SET LOCAL synchronous_commit = off")  # what is lost is removed again
            return int(await connection.fetchval(kind.statement, PORTION, kind.age))
