"""Gives sessions that are in use their full time again, in the background and many at once.

A page is a read, also at a site that takes no writes; so the sessions that it saw are noted and written down later.
What is lost with a process is noted again at the next visit.
"""

from __future__ import annotations

from uuid import UUID

from app.database import Database

EVERY_SECONDS = 1.0
MOST_NOTED = 10_000
# Nobody waits for the other site to have a renewal: the COMMIT of a few dates may be lost.
_UNHURRIED = "SET LOCAL synchronous_commit = off"
_RENEW = """
UPDATE customers.session SET expires_at = now() + make_interval(days => $2)
WHERE id IN (SELECT id FROM customers.session WHERE id = ANY($1) AND expires_at > now() FOR UPDATE SKIP LOCKED)
"""


class Renewals:
    """The sessions that this process has seen in use since it last wrote.

    Args:
        commerce: where they are.
        session_days: for how long each use renews one.
    """

    def __init__(self, commerce: Database, session_days: int) -> None:
        self._commerce = commerce
        self._session_days = session_days
        self._noted: set[UUID] = set()

    def note(self, session: UUID) -> None:
        """Remember that a session was used; beyond the bound it is left to its next use."""
        if len(self._noted) < MOST_NOTED:
            self._noted.add(session)

    async def write_noted(self) -> None:
        """Write down what was noted; at a site that takes no writes it is dropped.

        Raises:
            DatabaseUnavailableError: nothing was written; the sessions are renewed at their next use.
        """
        noted, self._noted = list(self._noted), set()
        if noted and not await self._commerce.is_standby():
            async with self._commerce.write() as connection:
                await connection.execute(_UNHURRIED)
                await connection.execute(_RENEW, noted, self._session_days)
