"""A service waits for its schema as itself; a ledger of an older release gets the new guards with all that it holds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from postgres_cluster import Cluster
from shop_processes import migrate
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.migrations.run import alembic_configuration
from shopsphere.foundation.paths import REPOSITORY

LEDGER = "ledger_schema"
INTENT = (
    "INSERT INTO payments.payment (id, key, fingerprint, reference, amount_minor, currency, token, state, due_at) "
    "VALUES (%s, 'order-of-an-older-release', '', 'T', 500, 'EUR', 'tok_visa', 'created', now())"
)
TRANSFER = "INSERT INTO ledger.transfer (id, payment_id, kind) VALUES (%s, %s, %s)"
ENTRIES = "INSERT INTO ledger.entry VALUES (%s, 1, '{}', 'EUR', 500), (%s, 2, '{}', 'EUR', -500)"


@pytest.fixture
def database(cluster: Cluster) -> Iterator[str]:
    cluster.admin(f"CREATE DATABASE {LEDGER} OWNER ledger")
    yield LEDGER
    cluster.admin(f"DROP DATABASE {LEDGER} WITH (FORCE)")


def waiting(cluster: Cluster, seconds: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "await-schema", "ledger", "--seconds", seconds],
        cwd=REPOSITORY, text=True, capture_output=True, timeout=120, check=False,
        env={**os.environ, "LEDGER_DSN": cluster.service_dsn(LEDGER)},
    )  # fmt: skip


def upgraded_to(cluster: Cluster, revision: str) -> None:
    address = cluster.dsn(LEDGER).split("://", 1)[1]
    engine = create_engine(f"postgresql+psycopg://{address}", poolclass=NullPool)
    options = alembic_configuration("ledger")
    with engine.connect() as connection:
        options.attributes["connection"] = connection
        command.upgrade(options, revision)
        connection.commit()


@pytest.mark.requirement("migrations run before the new services roll")
def test_a_service_starts_when_its_schema_is_there_and_on_a_later_one(cluster: Cluster, database: str) -> None:
    nothing = waiting(cluster, "2")
    assert (nothing.returncode, "waiting for 0006" in nothing.stderr) == (1, True), nothing.stderr
    upgraded_to(cluster, "0004")
    older = waiting(cluster, "2")
    assert (older.returncode, "waiting for 0006" in older.stderr) == (1, True), older.stderr
    assert migrate("ledger", cluster, name_there=database).returncode == 0
    assert waiting(cluster, "60").returncode == 0
    cluster.query(database, "UPDATE alembic_version SET version_num = '9999'")
    assert waiting(cluster, "60").returncode == 0
    again = migrate("ledger", cluster, name_there=database)
    assert (again.returncode, '"later"' in again.stdout) == (0, True), again.stderr
    assert cluster.query(database, "SELECT version_num FROM alembic_version") == [("9999",)]


@pytest.mark.requirement("the ledger cannot be changed by anybody whose password is in a pod")
def test_migrations_wait_for_each_other_and_for_nobody_else(cluster: Cluster, database: str) -> None:
    assert migrate("ledger", cluster, name_there=database).returncode == 0
    with psycopg.connect(cluster.service_dsn(database)) as service:
        service.execute("SELECT pg_advisory_lock(%s)", (0x53484F50,))
        assert migrate("ledger", cluster, name_there=database).returncode == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute("LOCK TABLE public.migration_lock IN ACCESS SHARE MODE")
    with psycopg.connect(cluster.dsn(database)) as other:
        other.execute("LOCK TABLE public.migration_lock IN ACCESS EXCLUSIVE MODE")
        done = migrate("ledger", cluster, seconds=2, name_there=database)
        assert (done.returncode, "another migration holds the lock" in done.stderr) == (1, True), done.stderr


def test_a_ledger_of_an_older_release_keeps_its_books_and_goes_on(cluster: Cluster, database: str) -> None:
    upgraded_to(cluster, "0004")
    payment, capture, refund = uuid4(), uuid4(), uuid4()
    with psycopg.connect(cluster.dsn(database), options="-c role=payments_app") as old:  # as pods of that release do
        old.execute(INTENT, (payment,))
        old.execute("UPDATE payments.payment SET state = 'captured', charge_id = 'c' WHERE id = %s", (payment,))
        old.execute(TRANSFER, (capture, payment, "capture"))
        old.execute(
            ENTRIES.format("psp-receivable", "order-sales"),
            (capture, capture),
        )
    assert migrate("ledger", cluster, name_there=database).returncode == 0
    for dsn, options in ((cluster.dsn(database), "-c role=payments_app"), (cluster.service_dsn(database), "")):
        with psycopg.connect(dsn, options=options) as service:
            service.execute("UPDATE payments.payment SET void_asked_at = now() WHERE void_asked_at IS NULL")
            service.execute("UPDATE payments.payment SET due_at = now(), attempts = attempts + 1")
    with psycopg.connect(cluster.service_dsn(database)) as service:
        service.execute("UPDATE payments.payment SET refunded_at = now()")
        service.execute(TRANSFER, (refund, payment, "refund"))
        service.execute(
            ENTRIES.format("order-sales", "psp-receivable"),
            (refund, refund),
        )
    assert cluster.query(database, "SELECT count(*), sum(amount_minor) FROM ledger.entry") == [(4, 0)]
