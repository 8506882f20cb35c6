"""A connection pool that follows role changes of its database without a restart.

- Sessions survive a promotion, so a pool that read from a standby writes as soon as the standby is a primary.
- A write that meets a read-only database (SQLSTATE 25006) empties the pool: the alias may point to another server by
  now.
- Connections act in a limited role from their first statement. It is their login's own; where the login is another one
  (the owner, in development), `role` as a start-up parameter gives the rights up.
- No reset is sent on release: nothing here outlives its transaction (SET LOCAL only), which saves a round trip per
  query.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

import asyncpg
import msgspec

from app.database.commit import commit, roll_back
from app.errors import DatabaseUnavailableError, ReadOnlyDatabaseError, UnknownOutcomeError

Connection = Any  # asyncpg ships no types; what is passed around is a pooled asyncpg connection
Result = TypeVar("Result")

STATEMENT_SECONDS = 5.0
LOCK_SECONDS = 4.0
ACQUIRE_SECONDS = 3.0
CONNECT_SECONDS = 3.0
AT_A_DESK = 6.0
"""Patience of commands: an operator waits for an answer that a page would give up."""

BROKEN = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server ended the session, and asyncpg has read only a part of its last message
    asyncpg.OperatorInterventionError,  # 57xxx: shutdown, starting up, statement timeout
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,  # another transaction with the same key is still waiting for its COMMIT
    asyncpg.TransactionRollbackError,  # deadlock or serialisation: nothing was written, sending it again is safe
    asyncpg.InvalidParameterValueError,  # at connect: the role is not there yet
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.UndefinedTableError,  # before the first migration has arrived
    asyncpg.InvalidSchemaNameError,
    OSError,
    TimeoutError,
)


class Queries(Protocol):
    """What a repository needs to read: a connection inside a transaction, or the database itself."""

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Return all rows."""

    async def fetchrow(self, query: str, *arguments: object) -> Any:
        """Return the first row or None."""

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Return the first row's first column or None."""


class Database:
    """One PostgreSQL database as seen by one process.

    Args:
        dsn: where it is, with the login.
        other_dsn: the same with the password before or after that one, for while it is renewed; empty for none.
        role: that sessions take on.
        application: name of the sessions, for whoever looks at the server.
        size: most sessions.
        patience: how many times longer than a page's all bounds are.
    """

    def __init__(
        self, dsn: str, *, role: str, application: str, size: int, patience: float = 1.0, other_dsn: str = ""
    ) -> None:
        statement_seconds = STATEMENT_SECONDS * patience
        self._acquire_seconds = ACQUIRE_SECONDS * patience
        self._pool = asyncpg.create_pool(
            dsn,
            connect=PasswordsInTurn(dsn, other_dsn) if other_dsn else None,
            min_size=0,  # so that the process starts, and says that it is not ready, while the database is away
            max_size=size,
            command_timeout=statement_seconds,
            timeout=CONNECT_SECONDS * patience,
            max_inactive_connection_lifetime=300,
            init=_prepare,
            reset=_keep,
            server_settings={
                "application_name": application,
                "role": role,
                "statement_timeout": f"{statement_seconds:.0f}s",
                "lock_timeout": f"{LOCK_SECONDS * patience:.0f}s",
                "idle_in_transaction_session_timeout": "15s",
                "jit": "off",  # every statement here is short
                "pg_trgm.word_similarity_threshold": "0.45",  # two letters swapped still find a name
                "tcp_keepalives_idle": "5",
                "tcp_user_timeout": "15000",
            },
        )
        self._opening: asyncio.Lock = asyncio.Lock()
        self._open = False

    async def close(self) -> None:
        """Close all connections; wait at most 10 s for those in use."""
        if not self._open:
            return
        try:
            async with asyncio.timeout(10):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """Return all rows of a reading query."""
        rows: list[Any] = await self._read(lambda connection: connection.fetch(query, *arguments))
        return rows

    async def fetchrow(self, query: str, *arguments: object) -> Any:
        """Return the first row of a reading query, or None."""
        return await self._read(lambda connection: connection.fetchrow(query, *arguments))

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """Return the first value of a reading query, or None."""
        return await self._read(lambda connection: connection.fetchval(query, *arguments))

    async def is_standby(self) -> bool:
        """Whether the server follows another one now, so that it takes no writes.

        Raises:
            DatabaseUnavailableError: the database did not answer.
        """
        return bool(await self.fetchval("SELECT pg_is_in_recovery()"))

    async def _read(self, question: Callable[[Connection], Awaitable[Result]]) -> Result:
        for attempt in (1, 2):  # a second try gets a fresh connection after a restart of the server
            try:
                async with self._acquire() as connection:
                    return await question(connection)
            except BROKEN as error:
                if attempt == 2 or isinstance(error, TimeoutError):  # noqa: PLR2004 the loop's own bound
                    raise DatabaseUnavailableError(f"the database did not answer: {type(error).__name__}") from error
        raise AssertionError  # the loop returns or raises

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Connection]:
        """Run one transaction; it commits when the block ends without an error.

        Raises:
            ReadOnlyDatabaseError: the database takes no writes now.
            DatabaseUnavailableError: the database did not answer, or gave up; nothing was written.
            UnknownOutcomeError: it is not known whether COMMIT succeeded; re-read by idempotency key.
        """
        try:
            async with self._acquire() as connection:
                await connection.execute("BEGIN")
                try:
                    yield connection
                except BaseException:
                    await roll_back(connection)
                    raise
                await commit(connection)
        except asyncpg.ReadOnlySQLTransactionError as error:
            await self._pool.expire_connections()
            raise ReadOnlyDatabaseError("the database takes no writes now") from error
        except UnknownOutcomeError:
            raise
        except BROKEN as error:
            raise DatabaseUnavailableError(f"the database did not answer: {type(error).__name__}") from error

    @asynccontextmanager
    async def _acquire(self) -> AsyncIterator[Connection]:
        if not self._open:
            async with self._opening:
                if not self._open:
                    await self._pool
                    self._open = True
        async with self._pool.acquire(timeout=self._acquire_seconds) as connection:
            try:
                yield connection
            except asyncpg.InternalClientError:
                connection.terminate()  # a broken connection given back to the pool would serve the next request
                raise


class PasswordsInTurn:
    """Opens connections with the one of two passwords that the server takes.

    PostgreSQL knows one password of a role, and changes it at a moment that no pod can know before. What was taken
    last is tried first, so that only the first connections after that moment are opened twice.
    """

    def __init__(self, dsn: str, other_dsn: str) -> None:
        self._dsns = (dsn, other_dsn)

    async def __call__(self, _dsn: str, **options: Any) -> Connection:
        """Open a connection; raises as `asyncpg.connect` does with the second password."""
        first, second = self._dsns
        try:
            return await asyncpg.connect(first, **options)
        except asyncpg.InvalidPasswordError:
            connection = await asyncpg.connect(second, **options)
        self._dsns = (second, first)
        return connection


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )


async def _keep(_connection: Connection) -> None:
    """Release a connection as it is."""
