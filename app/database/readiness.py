"""Whether the database answers, asked over a connection that no request can take.

A pool that is full of slow requests says nothing about the database. If readiness waited for it, a crowd at one form
would take every pod out of its Service, and the shop would be gone for readers too.
"""

from __future__ import annotations

import asyncio
import time

import structlog

from app.database.pool import Database
from app.errors import DatabaseUnavailableError

FRESH_SECONDS = 1.0
"""An answer counts for so long: the endpoint costs the database one query a second, however often it is asked."""


class Readiness:
    """Asks one question of one database; all who ask at once get the same answer."""

    def __init__(self, dsn: str, *, role: str, application: str, question: str, other_dsn: str = "") -> None:
        self._database = Database(dsn, role=role, application=application, size=1, other_dsn=other_dsn)
        self._question = question
        self._asking = asyncio.Lock()
        self._asked_at = -FRESH_SECONDS
        self._problem: DatabaseUnavailableError | None = None

    async def ask(self) -> None:
        """Return when the database answers.

        Raises:
            DatabaseUnavailableError: it does not, or did not less than a second ago.
        """
        async with self._asking:
            if time.monotonic() - self._asked_at >= FRESH_SECONDS:
                try:
                    await self._database.fetchval(self._question)
                    self._problem = None
                except DatabaseUnavailableError as error:
                    if self._problem is None:
                        structlog.get_logger("readiness").warning("not ready", problem=str(error))
                    self._problem = error
                self._asked_at = time.monotonic()
        if self._problem is not None:
            raise DatabaseUnavailableError(str(self._problem))

    async def close(self) -> None:
        """Close the connection."""
        await self._database.close()
