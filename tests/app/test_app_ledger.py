"""The database itself keeps the ledger at zero and its entries for ever."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from postgres_cluster import Cluster

pytestmark = pytest.mark.requirement("a double-entry ledger where the database refuses entries that do not sum to zero")

PAYMENT = (
    "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, due_at) "
    "VALUES (%s, %s, '', 'T', 500, 'EUR', 'tok_visa', 'unknown', now() + interval '1 day')"
)
ENTRY = "INSERT INTO ledger.entry VALUES (%s, %s, %s, %s, %s)"


@pytest.fixture
def books(cluster: Cluster) -> Iterator[tuple[psycopg.Connection[Any], UUID]]:
    """A transaction in the application's role, with an empty transfer in it."""
    with psycopg.connect(cluster.dsn("ledger")) as connection:
        connection.execute("SET ROLE payments_app")
        payment, transfer = uuid4(), uuid4()
        connection.execute(PAYMENT, (payment, f"test-{payment.hex}"))
        connection.execute(
            "INSERT INTO ledger.transfer (id, payment_id, kind) VALUES (%s, %s, 'capture')", (transfer, payment)
        )
        yield connection, transfer
        connection.rollback()


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [("psp-receivable", "EUR", 500)],
        [("psp-receivable", "EUR", 500), ("order-sales", "EUR", -499)],
        [("psp-receivable", "EUR", 500), ("order-sales", "USD", -500)],
    ],
)
def test_unbalanced_transfer_is_refused_at_commit(
    books: tuple[psycopg.Connection[Any], UUID], entries: list[tuple[str, str, int]]
) -> None:
    connection, transfer = books
    for position, (account, currency, amount) in enumerate(entries, 1):
        connection.execute(ENTRY, (transfer, position, account, currency, amount))
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        connection.commit()
    assert refused.value.diag.constraint_name == "transfer_sums_to_zero"


def test_balanced_transfer_is_accepted_and_later_entries_are_not(books: tuple[psycopg.Connection[Any], UUID]) -> None:
    connection, transfer = books
    connection.execute(ENTRY, (transfer, 1, "psp-receivable", "EUR", 500))
    connection.execute(ENTRY, (transfer, 2, "order-sales", "EUR", -500))
    connection.commit()
    connection.execute(ENTRY, (transfer, 3, "order-sales", "EUR", 1))
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.commit()


@pytest.mark.parametrize("role", ["payments_app", "ledger"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger.entry SET amount_minor = amount_minor", "DELETE FROM ledger.entry", "DELETE FROM ledger.transfer",
     "TRUNCATE ledger.entry"],
)  # fmt: skip
def test_nobody_changes_what_is_booked(cluster: Cluster, role: str, statement: str) -> None:
    with psycopg.connect(cluster.dsn("ledger")) as connection:
        connection.execute(f"SET ROLE {role}")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_final_payments_stay_final(books: tuple[psycopg.Connection[Any], UUID]) -> None:
    connection, _ = books
    connection.execute("UPDATE payments.payment SET state = 'declined' WHERE reference = 'T' AND state = 'unknown'")
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE payments.payment SET state = 'unknown' WHERE reference = 'T' AND state = 'declined'")


def test_storefront_role_cannot_touch_the_catalogue(cluster: Cluster) -> None:
    with psycopg.connect(cluster.dsn("commerce")) as connection:
        connection.execute("SET ROLE shop_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE catalogue.price SET amount_minor = 1")
