"""What customers ask for themselves: all that is kept about them, and its end.

app/customers/privacy.py says what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.customers.backoff import account_key
from app.database import Connection, Database, Queries

_UNDER_WAY = """
SELECT number FROM orders."order" WHERE customer_id = $1 AND state NOT IN ('delivered', 'declined') ORDER BY placed_at
"""
_ACCOUNT = "SELECT name, email, created_at FROM customers.customer WHERE id = $1"
_WRONG_PASSWORDS = """
SELECT failures AS number, failed_at AS last_at FROM customers.failed_sign_in WHERE account = $1
"""


@dataclass(frozen=True, slots=True)
class Account:
    """What the account's page shows."""

    name: str
    email: str
    created_at: datetime


async def account_of(queries: Queries, customer: UUID) -> Account | None:
    """Return a customer's account; None if it was erased in this moment."""
    row = await queries.fetchrow(_ACCOUNT, customer)
    return None if row is None else Account(*row)


async def orders_under_way(queries: Queries, customer: UUID) -> list[str]:
    """Return the numbers of a customer's orders that are not delivered or declined yet, oldest first."""
    return [row["number"] for row in await queries.fetch(_UNDER_WAY, customer)]


async def export_own(commerce: Database, session: UUID, secret: str) -> dict[str, Any] | None:
    """Return everything that is kept about the customer of a session that goes on; None if it has none.

    Args:
        commerce: where it is kept; a site that takes no writes will do.
        session: whose.
        secret: what the counts of wrong passwords are filed under.
    """
    kept: dict[str, Any] | None = await commerce.fetchval("SELECT customers.export_own($1)", session)
    if kept is None:
        return None
    wrong = await commerce.fetchrow(_WRONG_PASSWORDS, account_key(secret, kept["account"]["email"]))
    return kept | {"wrong_passwords": None if wrong is None else dict(wrong.items())}


async def erase_own(connection: Connection, session: UUID) -> dict[str, Any] | None:
    """Erase the customer of a session that goes on and return what was done; None if it has none."""
    done: dict[str, Any] | None = await connection.fetchval("SELECT customers.erase_own($1)", session)
    return done
