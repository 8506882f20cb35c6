"""What the law gives a customer: all that is kept about them (GDPR Article 15 and 20), and its erasure (Article 17).

Both are functions of the database. For any customer, only its owner may call them, as these commands do; the
storefront's role may for a customer whose session goes on (app/customers/account_pages.py).

An erased customer's orders stay in the books without the person: what, how much, which country. An order that is under
way is not refused or stopped, since the contract goes on: it loses the account at once, is paid, made and delivered
with the name and address that this takes, and loses them as it is delivered or declined (trigger `end_person`).

Orders of guests are nobody's: an e-mail address that was typed at a checkout proves nothing, so they are neither given
out nor erased with the account that has the same one. A guest's order becomes a customer's when the guest signs in with
the same browser; the others lose their person when the books may be closed (`recipient_years`).

Copies follow by themselves: the other site replicates the erasure at once, and WAL and kept volumes end with their own
time. After a backup was restored, those that `customers.erasure` names since then have to be erased again.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from app.customers.repository import small_letters
from app.errors import ShopError
from app.settings import Environment
from app.text import tidy_or_drop


class CustomerError(ShopError):
    """The customer is not there, or this site cannot erase anybody now."""


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
        CustomerError: there is no such customer, or this site takes no writes.
    """
    try:
        with _connect() as connection:
            return _ask(connection, "SELECT customers.erase_customer(%s)", _find(connection, email))
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise CustomerError.build(
            "this site takes no writes",
            expected="the active site of the pair",
            found="a read-only database",
            action="run the command at the active site",
        ) from error


def _connect() -> psycopg.Connection[Any]:
    environment = Environment()
    names = ("COMMERCE_DSN", "COMMERCE_PASSWORD")
    dsn, other = environment.dsn(*names), environment.other_dsn(*names)
    environment.check()
    try:
        return psycopg.connect(dsn, connect_timeout=5, application_name="shop privacy")
    except psycopg.OperationalError:
        if not other:
            raise
        return psycopg.connect(other, connect_timeout=5, application_name="shop privacy")


def _find(connection: psycopg.Connection[Any], email: str) -> UUID:
    typed = tidy_or_drop(email)
    row = connection.execute(
        "SELECT coalesce(customers.find_customer(%s), customers.find_customer(%s))", (typed, small_letters(typed))
    ).fetchone()
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
