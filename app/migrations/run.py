"""`shop migrate` brings a database to the newest schema, `shop await-schema` waits until somebody has.

A migration runs as the database's owner. On a writable primary: take a lock, since both sites may migrate at once,
apply what is missing, seed the catalogue. On a standby: wait until the schema has arrived by replication. A schema
that is newer than this program stays as it is.

A service waits as itself, which owns nothing and reads no more of the schema than its version.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.catalogue.seed.store import seed_catalogue
from app.errors import ShopError
from app.region import Region
from app.settings import REGION_FACTS, Environment

LOCK = "public.migration_lock"
"""A table without columns or grants: nobody but the owner can lock it, as everybody could take an advisory lock."""
TREES = {
    "commerce": ("COMMERCE_DSN", "COMMERCE_PASSWORD"),
    "ledger": ("LEDGER_DSN", "LEDGER_PASSWORD"),
    "headquarters": ("HEADQUARTERS_DSN", "HEADQUARTERS_PASSWORD"),
}
WAIT_SECONDS = 300.0
POLL_SECONDS = 1.0

log = structlog.get_logger("migrate")


class MigrationError(ShopError):
    """The schema could not be brought to its newest version."""


Attempt = Callable[[str, psycopg.Connection], tuple[str | None, str]]
"""Returns the outcome, or None and the reason to wait."""


def migrate(tree: str, *, seconds: float = WAIT_SECONDS) -> str:
    """Migrate one database and return what was found: `migrated`, `replicated` on a standby, or `later`.

    Raises:
        MigrationError: the database did not become usable in time, or a migration failed.
    """
    environment = Environment()
    dsns = (environment.dsn(*TREES[tree]),)
    region = environment.region(REGION_FACTS) if tree == "commerce" else None
    environment.check()
    return _repeat(
        lambda dsn, connection: _attempt(tree, dsn, connection, region),
        dsns,
        seconds,
        "migrate",
        f"database {tree} did not become usable",
    )


def await_schema(tree: str, *, seconds: float = WAIT_SECONDS) -> str:
    """Return once the database has the schema that this program was written for, or a later one.

    Later ones only add, so a pod of the release before starts again while the next one is rolled out.

    Raises:
        MigrationError: the schema did not arrive in time.
    """
    environment = Environment()
    dsns = (environment.dsn(*TREES[tree]), environment.other_dsn(*TREES[tree]))
    environment.check()
    head, earlier = _versions(tree)

    def look(_: str, connection: psycopg.Connection) -> tuple[str | None, str]:
        present = _version(connection)
        if present is None or present in earlier:
            return None, f"schema version {present}, waiting for {head}: the migration of {tree} brings it"
        return "present", ""

    return _repeat(look, tuple(filter(None, dsns)), seconds, "await-schema", f"the schema of {tree} did not arrive")


def _repeat(attempt: Attempt, dsns: tuple[str, ...], seconds: float, verb: str, problem: str) -> str:
    """Return what an attempt came to; try again while it says to wait, and while the database does not answer.

    What is tried again after no answer is tried with the next of the addresses: they differ in the password.
    """
    dsn, others = dsns[0], cycle((*dsns[1:], dsns[0]))
    deadline = time.monotonic() + seconds
    last = "no answer"
    while time.monotonic() < deadline:
        try:
            with psycopg.connect(
                dsn, connect_timeout=5, autocommit=True, application_name=f"shop {verb}"
            ) as connection:
                outcome, last = attempt(dsn, connection)
        except psycopg.errors.RaiseException as error:
            raise MigrationError(f"{verb}: the database refused: {error}") from error
        except psycopg.OperationalError as error:
            outcome, last = None, str(error).strip()
            dsn = next(others)
        if outcome:
            return outcome
        log.info("waits", verb=verb, reason=last)
        time.sleep(POLL_SECONDS)
    raise MigrationError.build(
        f"{problem} within {seconds:.0f} s",
        expected="a writable primary, or a standby with the newest schema",
        found=last,
        action="look at the database's own state and log, and at the Job that migrates it; then start again",
    )


def _attempt(tree: str, dsn: str, connection: psycopg.Connection, region: Region | None) -> tuple[str | None, str]:
    """Return the outcome, or None and the reason to wait."""
    head, earlier = _versions(tree)
    read_only = connection.execute(
        "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool"
    ).fetchone()
    present = _version(connection)
    is_older = present is None or present in earlier
    if read_only and read_only[0]:
        return (None, f"read-only, schema version {present}, waiting for {head}") if is_older else ("replicated", "")
    try:
        connection.execute(f"CREATE TABLE IF NOT EXISTS {LOCK} ()")
        with connection.transaction():
            connection.execute(f"LOCK TABLE {LOCK} IN ACCESS EXCLUSIVE MODE NOWAIT")
            if present is not None and present not in {*earlier, head}:
                return "later", ""  # what this program would seed is of the release that made it
            _upgrade(tree, dsn)
            if region is not None:
                seeded = seed_catalogue(connection, region)
                log.info("catalogue", outcome=seeded)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.UniqueViolation):
        return None, "another migration holds the lock"
    return "migrated", ""


def _versions(tree: str) -> tuple[str, frozenset[str]]:
    """Return the version of a schema that this program was written for, and those before it."""
    script = ScriptDirectory.from_config(alembic_configuration(tree))
    head = script.get_current_head() or ""
    return head, frozenset(each.revision for each in script.walk_revisions()) - {head}


def _upgrade(tree: str, dsn: str) -> None:
    """Apply what is missing, on a second connection while the first one holds the lock."""
    configuration = alembic_configuration(tree)
    address = dsn.split("://", 1)[1]
    engine = create_engine(
        f"postgresql+psycopg://{address}", poolclass=NullPool, connect_args={"options": "-c lock_timeout=5s"}
    )
    with engine.connect() as connection:
        configuration.attributes["connection"] = connection
        try:
            command.upgrade(configuration, "head")
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.RaiseException):
                raise error.orig from error
            raise
        connection.commit()


def _version(connection: psycopg.Connection) -> str | None:
    """Return the schema version that the database holds, None before the first that the login may read."""
    try:
        row = connection.execute("SELECT version_num FROM public.alembic_version").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return None
    return str(row[0]) if row else None


def alembic_configuration(tree: str) -> Config:
    """Return Alembic's configuration of one tree, without an ini file."""
    configuration = Config()
    configuration.set_main_option("script_location", str(Path(__file__).parent / tree))
    return configuration
