"""`shop migrate`: bring a database to the newest schema, whichever site and role it is in.

On a writable primary: take an advisory lock (several pods may start at once), apply what is missing, seed the
catalogue. On a standby: wait until the schema has arrived by replication.
"""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from app.catalogue.seed.store import seed_catalogue
from app.errors import ShopError
from app.region import Region
from app.settings import REGION_FACTS, Environment

LOCK = 0x53484F50  # "SHOP": one number for both trees; advisory locks are per database
TREES = {"commerce": ("COMMERCE_DSN", "COMMERCE_PASSWORD"), "ledger": ("LEDGER_DSN", "LEDGER_PASSWORD")}
WAIT_SECONDS = 300.0
POLL_SECONDS = 1.0

log = structlog.get_logger("migrate")


class MigrationError(ShopError):
    """The schema could not be brought to its newest version."""


def migrate(tree: str, *, seconds: float = WAIT_SECONDS) -> str:
    """Migrate one database and return what was found: `migrated`, or `replicated` on a standby.

    Raises:
        MigrationError: the database did not become usable in time, or a migration failed.
    """
    environment = Environment()
    dsn = environment.dsn(*TREES[tree])
    region = environment.region(REGION_FACTS) if tree == "commerce" else None
    environment.check()
    deadline = time.monotonic() + seconds
    last = "no answer"
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(
                dsn, connect_timeout=5, autocommit=True, application_name="shop migrate"
            ) as connection:
                outcome, last = _attempt(tree, dsn, connection, region)
        except psycopg.errors.RaiseException as error:
            raise MigrationError(f"migration of {tree} was refused: {error}") from error
        except psycopg.OperationalError as error:
            outcome, last = None, str(error).strip()
        if outcome:
            return outcome
        log.info("migration waits", database=tree, reason=last)
        time.sleep(POLL_SECONDS)
    raise MigrationError.build(
        f"database {tree} did not become usable within {seconds:.0f} s",
        expected="a writable primary, or a standby with the newest schema",
        found=last,
        action="look at the database's own state and log, then start again",
    )


def _attempt(tree: str, dsn: str, connection: psycopg.Connection, region: Region | None) -> tuple[str | None, str]:
    """Return the outcome, or None and the reason to wait."""
    script = ScriptDirectory.from_config(_configuration(tree))
    head = script.get_current_head()
    read_only = connection.execute(
        "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool"
    ).fetchone()
    if read_only and read_only[0]:
        present = _version(connection)
        return (
            ("replicated", "")
            if present == head
            else (None, f"read-only, schema version {present}, waiting for {head}")
        )
    locked = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
    if not locked or not locked[0]:
        return None, "another migration holds the lock"
    _upgrade(tree, dsn)
    if region is not None:
        seeded = seed_catalogue(connection, region)
        log.info("catalogue", outcome=seeded)
    return "migrated", ""


def _upgrade(tree: str, dsn: str) -> None:
    """Apply what is missing, on a second connection while the first one holds the lock."""
    configuration = _configuration(tree)
    address = dsn.split("://", 1)[1]
    engine = create_engine(
        f"postgresql+psycopg://{address}", poolclass=NullPool, connect_args={"options": "-c lock_timeout=5s"}
    )
    with engine.connect() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
        connection.commit()


def _version(connection: psycopg.Connection) -> str | None:
    """Return the schema version that the database holds, None before the first migration."""
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except psycopg.errors.UndefinedTable:
        return None
    return str(row[0]) if row else None


def _configuration(tree: str) -> Config:
    """Return Alembic's configuration of one tree, without an ini file."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / tree))
    return configuration
