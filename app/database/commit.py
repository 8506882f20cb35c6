"""COMMIT with an outcome that is either known or said to be unknown.

Why not asyncpg's own transaction block: when a statement times out or its task is cancelled, asyncpg asks the server
to cancel it. A COMMIT that waits for a synchronous standby answers such a cancel with success, though the standby
does not have it. So COMMIT is never cancelled here: it runs in its own task, without a statement timeout, and when
its time is over the connection is dropped and the outcome is called unknown.
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from app.errors import UnknownOutcomeError

COMMIT_SECONDS = 10.0
ROLLBACK_SECONDS = 2.0
NO_CLIENT_TIMEOUT = 86_400.0  # asyncpg reads None as "the pool's default", which must not be around COMMIT


async def commit(connection: Any) -> None:
    """Commit the open transaction.

    Raises:
        UnknownOutcomeError: no answer within 10 s, or an error that leaves it open: it may or may not be committed.
        asyncpg.PostgresError: the server refused (a deferred constraint, say); nothing was written.
    """
    await connection.execute("SET LOCAL statement_timeout = 0")
    task = asyncio.ensure_future(connection.execute("COMMIT", timeout=NO_CLIENT_TIMEOUT))
    try:
        done, _ = await asyncio.wait({task}, timeout=COMMIT_SECONDS)
    except asyncio.CancelledError:
        task.add_done_callback(_retrieve)
        connection.terminate()
        raise
    if not done:
        task.add_done_callback(_retrieve)
        connection.terminate()
        raise UnknownOutcomeError(f"COMMIT got no answer within {COMMIT_SECONDS:.0f} s")
    error = task.exception()
    if error is None:
        return
    if isinstance(
        error, asyncpg.IntegrityConstraintViolationError | asyncpg.RaiseError | asyncpg.TransactionRollbackError
    ):
        raise error
    connection.terminate()
    raise UnknownOutcomeError(f"COMMIT failed: {type(error).__name__}") from error


async def roll_back(connection: Any) -> None:
    """Undo the open transaction, or drop the connection when the server does not confirm that within 2 s."""
    if connection.is_closed():
        return
    try:
        await connection.execute("ROLLBACK", timeout=ROLLBACK_SECONDS)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError):
        connection.terminate()


def _retrieve(task: asyncio.Future[Any]) -> None:
    """Take the result of an abandoned COMMIT, so that the loop does not complain about it."""
    if not task.cancelled():
        task.exception()
