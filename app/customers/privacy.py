"""What the law gives a customer: all that is kept about them (GDPR Article 15 and 20), and its erasure (Article 17).

Both are functions of the database that its owner may call and the storefront's role may not. An erased customer's
orders stay in the books without the person: what, how much, which country. Copies follow by themselves: the other site
replicates the erasure at once, and WAL and kept volumes end with their own time. After a backup was restored, those
that `customers.erasure` names since then have to be erased again.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from app.errors import ShopError
from app.settings import Environment
from app.text import tidy_or_drop


class CustomerError(ShopError):
    """The customer is not there, or cannot be erased now."""


def export_customer(email: str) -> dict[str, Any]:
    """Return everything that is kept about a customer.

    Raises:
        CustomerError: there is no such customer.
    """
    with _connect() as connection:
        return _ask(connection, "SELECT customers.export_customer(%s)", _find(connection, email))


def erase_customer(email: str) -> dict[str, Any]:
    """Erase a customer and return what was done.

    Raises:
        CustomerError: there is no such customer, orders are under way, or this site takes no writes.
    """
    try:
        with _connect() as connection:
            return _ask(connection, "SELECT customers.erase_customer(%s)", _find(connection, email))
    except psycopg.errors.ObjectInUse as error:
        raise CustomerError.build(
            "the customer cannot be erased now",
            expected="all orders delivered or declined",
            found=str(error.diag.message_primary),
            action="erase the customer after the last one was delivered",
        ) from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise CustomerError.build(
            "this site takes no writes",
            expected="the active site of the pair",
            found="a read-only database",
            action="run the command at the active site",
        ) from error


def _connect() -> psycopg.Connection[Any]:
    environment = Environment()
    dsn = environment.dsn("COMMERCE_DSN", "COMMERCE_PASSWORD")
    environment.check()
    return psycopg.connect(dsn, connect_timeout=5, application_name="shop privacy")


def _find(connection: psycopg.Connection[Any], email: str) -> UUID:
    row = connection.execute("SELECT customers.find_customer(%s)", (tidy_or_drop(email),)).fetchone()
    if row is None or row[0] is None:
        raise CustomerError.build(
            "there is no such customer",
            expected="the e-mail address of an account in this region",
            found="no account with it",
            action="look at the spelling; other regions have accounts of their own",
        )
    return UUID(str(row[0]))


def _ask(connection: psycopg.Connection[Any], question: str, customer: UUID) -> dict[str, Any]:
    row = connection.execute(question, (customer,)).fetchone()
    if row is None or not isinstance(row[0], dict):
        raise CustomerError(f"the database did not answer for customer {customer}")
    return row[0]
