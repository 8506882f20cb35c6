"""The database itself keeps the ledger at zero, its entries for ever, and each payment booked as it ended."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from postgres_cluster import Cluster
from shop_processes import migrate

pytestmark = pytest.mark.requirement("a double-entry ledger where the database refuses entries that do not sum to zero")

PAYMENT = (
    "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, due_at) "
    "VALUES (%s, %s, '', 'T', 500, 'EUR', 'tok_visa', 'created', now() + interval '1 day')"
)
TRANSFER = "INSERT INTO ledger.transfer (id, payment_id, kind) VALUES (%s, %s, %s)"
ENTRY = "INSERT INTO ledger.entry VALUES (%s, %s, %s, %s, %s)"
CAPTURE = "UPDATE payments.payment SET state = 'captured', charge_id = id::text WHERE id = %s"

LEDGER = "ledger_guards"
"""A ledger of its own: what is booked here was never at the provider, whose books other tests compare."""
Books = tuple[psycopg.Connection[Any], UUID, UUID]


@pytest.fixture(scope="module", autouse=True)
def own_ledger(cluster: Cluster) -> None:
    cluster.admin(f"CREATE DATABASE {LEDGER} OWNER ledger")
    assert migrate("ledger", cluster, name_there=LEDGER).returncode == 0


@pytest.fixture
def books(cluster: Cluster) -> Iterator[Books]:
    """A transaction of the payments service's own login, with a captured payment and an empty transfer in it."""
    with psycopg.connect(cluster.service_dsn(LEDGER)) as connection:
        payment, transfer = uuid4(), uuid4()
        connection.execute(PAYMENT, (payment, f"test-{payment.hex}"))
        connection.execute(CAPTURE, (payment,))
        connection.execute(TRANSFER, (transfer, payment, "capture"))
        yield connection, payment, transfer
        connection.rollback()


def book(connection: psycopg.Connection[Any], transfer: UUID, *entries: tuple[str, str, int]) -> None:
    for position, (account, currency, amount) in enumerate(entries, 1):
        connection.execute(ENTRY, (transfer, position, account, currency, amount))


def committed(books: Books) -> Books:
    connection, _, transfer = books
    book(connection, transfer, ("psp-receivable", "EUR", 500), ("order-sales", "EUR", -500))
    connection.commit()
    return books


def broken(connection: psycopg.Connection[Any]) -> str | None:
    """Commit, and return the constraint that refuses it."""
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        connection.commit()
    return refused.value.diag.constraint_name


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [("psp-receivable", "EUR", 500)],
        [("psp-receivable", "EUR", 500), ("order-sales", "EUR", -499)],
        [("psp-receivable", "EUR", 500), ("order-sales", "USD", -500)],
    ],
)
def test_unbalanced_transfer_is_refused_at_commit(books: Books, entries: list[tuple[str, str, int]]) -> None:
    connection, payment, transfer = books
    connection.execute("SET CONSTRAINTS payments.payment_booked, ledger.transfer_booked DEFERRED")
    book(connection, transfer, *entries)
    assert broken(connection) in {"transfer_sums_to_zero", "payment_booked_as_it_ended"}
    # As the owner, who is not held to what a payment has to be booked as, but to a sum of zero all the same.
    with psycopg.connect(connection.info.dsn.replace("payments_app", "ledger")) as owner:
        owner.execute(PAYMENT, (payment, f"test-{payment.hex}"))
        owner.execute(TRANSFER, (transfer, payment, "capture"))
        book(owner, transfer, *entries)
        assert broken(owner) == "transfer_sums_to_zero"


def test_balanced_transfer_is_accepted_and_later_entries_are_not(books: Books) -> None:
    connection, _, transfer = committed(books)
    connection.execute(ENTRY, (transfer, 3, "order-sales", "EUR", 1))
    with pytest.raises(psycopg.errors.CheckViolation):
        connection.commit()


@pytest.mark.parametrize(
    "entries",
    [
        [("psp-receivable", "EUR", 400), ("order-sales", "EUR", -400)],
        [("psp-receivable", "USD", 500), ("order-sales", "USD", -500)],
        [("order-sales", "EUR", 500), ("psp-receivable", "EUR", -500)],
        [("psp-receivable", "EUR", 500), ("order-sales", "EUR", -300), ("order-sales", "EUR", -200)],
    ],
)
def test_what_sums_to_zero_and_is_not_the_payments_own_booking_is_refused(
    books: Books, entries: list[tuple[str, str, int]]
) -> None:
    connection, _, transfer = books
    book(connection, transfer, *entries)
    assert broken(connection) == "payment_booked_as_it_ended"


def test_balanced_entries_that_are_added_later_are_refused(books: Books) -> None:
    connection, _, transfer = committed(books)
    connection.execute(ENTRY, (transfer, 3, "psp-receivable", "EUR", 7))
    connection.execute(ENTRY, (transfer, 4, "order-sales", "EUR", -7))
    assert broken(connection) == "payment_booked_as_it_ended"


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (CAPTURE, "payment_booked_as_it_ended"),
        ("INSERT INTO ledger.transfer (id, payment_id, kind) VALUES (gen_random_uuid(), %s, 'capture')",
         "transfer_sums_to_zero"),
    ],
)  # fmt: skip
def test_captured_without_an_entry_and_entry_without_a_capture_are_refused(
    cluster: Cluster, statement: str, constraint: str
) -> None:
    with psycopg.connect(cluster.service_dsn(LEDGER)) as connection:
        payment = uuid4()
        connection.execute(PAYMENT, (payment, f"test-{payment.hex}"))
        connection.execute(statement, (payment,))
        assert broken(connection) == constraint


def test_bookings_of_a_payment_that_is_open_are_refused(cluster: Cluster) -> None:
    with psycopg.connect(cluster.service_dsn(LEDGER)) as connection:
        payment, transfer = uuid4(), uuid4()
        connection.execute(PAYMENT, (payment, f"test-{payment.hex}"))
        connection.execute(TRANSFER, (transfer, payment, "capture"))
        book(connection, transfer, ("psp-receivable", "EUR", 500), ("order-sales", "EUR", -500))
        assert broken(connection) == "payment_booked_as_it_ended"


def test_a_refund_is_booked_once_and_as_a_refund(books: Books) -> None:
    connection, payment, _ = committed(books)
    given_back = "UPDATE payments.payment SET void_asked_at = now(), refunded_at = now() WHERE id = %s"
    connection.execute(given_back, (payment,))
    assert broken(connection) == "payment_booked_as_it_ended"
    connection.execute(given_back, (payment,))
    transfer = uuid4()
    connection.execute(TRANSFER, (transfer, payment, "refund"))
    book(connection, transfer, ("order-sales", "EUR", 500), ("psp-receivable", "EUR", -500))
    connection.commit()
    for change in ("refunded_at = NULL", "void_asked_at = NULL", "refunded_at = now() + interval '1 day'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"UPDATE payments.payment SET {change} WHERE id = %s", (payment,))
        connection.rollback()


@pytest.mark.parametrize("login", ["payments_app", "ledger"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE ledger.entry SET amount_minor = amount_minor", "DELETE FROM ledger.entry", "DELETE FROM ledger.transfer",
     "TRUNCATE ledger.entry"],
)  # fmt: skip
def test_nobody_changes_what_is_booked(cluster: Cluster, login: str, statement: str) -> None:
    dsn = cluster.dsn(LEDGER) if login == "ledger" else cluster.service_dsn(LEDGER)
    with psycopg.connect(dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


OWNERS_WORK = (
    "SET ROLE ledger",
    "SET SESSION AUTHORIZATION ledger",
    "RESET ROLE; ALTER TABLE ledger.entry DISABLE TRIGGER append_only",
    "ALTER TABLE ledger.entry DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "DROP TABLE ledger.entry",
    "ALTER TABLE ledger.entry ADD COLUMN hidden text",
    "CREATE TABLE ledger.other (id int)",
    "CREATE TABLE public.other (id int)",
    "CREATE OR REPLACE FUNCTION ledger.refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
    "DELETE FROM payments.payment",
    "UPDATE payments.payment SET amount_minor = 1",
    "UPDATE payments.payment SET token = 'tok_visa'",
    "UPDATE ledger.account SET purpose = ''",
    "INSERT INTO ledger.account VALUES ('mine', '')",
    "INSERT INTO ledger.transfer (id, payment_id, kind, booked_at) VALUES (NULL, NULL, 'refund', now())",
    "UPDATE alembic_version SET version_num = '0001'",
    "ALTER TABLE ledger.entry OWNER TO payments_app",
    "CREATE ROLE mine LOGIN",
)  # fmt: skip


@pytest.mark.requirement("the ledger cannot be changed by anybody whose password is in a pod")
@pytest.mark.parametrize("statement", OWNERS_WORK)
def test_the_services_login_cannot_become_or_do_what_the_owner_does(cluster: Cluster, statement: str) -> None:
    with (
        psycopg.connect(cluster.service_dsn(LEDGER)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("begins", "allowed"),
    [
        ("'created', NULL, NULL, 'tok_visa'", True),
        ("'declined', 'voided', now(), ''", True),
        ("'unknown', NULL, NULL, 'tok_visa'", False),
        ("'declined', 'no', NULL, ''", False),
        ("'created', NULL, now(), 'tok_visa'", False),
    ],
)
def test_a_payment_begins_as_an_intent_or_as_one_that_was_given_up(
    cluster: Cluster, begins: str, allowed: bool
) -> None:
    with psycopg.connect(cluster.service_dsn(LEDGER)) as connection:
        statement = (
            "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, due_at, state, "
            f"decline_reason, void_asked_at, token) VALUES (gen_random_uuid(), %s, '', 'T', 1, 'EUR', now(), {begins})"
        )
        if allowed:
            connection.execute(statement, (f"test-{uuid4().hex}",))
        else:
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement, (f"test-{uuid4().hex}",))
        connection.rollback()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("state = 'declined'", "state = 'unknown'"),
        ("state = 'declined'", "state = 'created'"),
        ("state = 'declined'", "state = 'captured', charge_id = 'late'"),
        ("state = 'declined', decline_reason = 'no'", "decline_reason = 'another'"),
        ("state = 'unknown'", "state = 'created'"),
    ],
)
def test_outcomes_change_only_as_far_as_an_answer_leads(cluster: Cluster, first: str, then: str) -> None:
    with psycopg.connect(cluster.service_dsn(LEDGER)) as connection:
        payment = uuid4()
        connection.execute(PAYMENT, (payment, f"test-{payment.hex}"))
        connection.execute(f"UPDATE payments.payment SET {first} WHERE id = %s", (payment,))
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"UPDATE payments.payment SET {then} WHERE id = %s", (payment,))
        connection.rollback()


def test_storefront_role_cannot_touch_the_catalogue(cluster: Cluster) -> None:
    with (
        psycopg.connect(cluster.service_dsn("commerce")) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("UPDATE catalogue.price SET amount_minor = 1")
