"""A database session that its server ends, at every moment at which a query can meet that."""

import asyncio

import pytest
from postgres_cluster import Cluster

from app.database.pool import Database
from app.errors import DatabaseUnavailableError

LAST_MOMENT = 5
"""Turns of the event loop after which asyncpg has read the end of the session."""


@pytest.mark.requirement("connection pools follow the role without a restart")
@pytest.mark.parametrize("turns", range(LAST_MOMENT + 1))
def test_a_session_that_ended_is_no_answer_and_the_next_one_is(cluster: Cluster, turns: int) -> None:
    """asyncpg names the moment in the middle with an error of its own, "cannot switch to state"."""

    async def end_within(database: Database) -> None:
        async with database.write() as connection:
            session = await connection.fetchval("SELECT pg_backend_pid()")
            cluster.admin(f"SELECT pg_terminate_backend({session}, 5000)")
            for _ in range(turns):
                await asyncio.sleep(0)
            await connection.execute("SELECT 1")

    async def end_and_go_on() -> int:
        database = Database(cluster.dsn("commerce"), role="commerce", application="test", size=1)
        try:
            with pytest.raises(DatabaseUnavailableError):
                await end_within(database)
            found: int = await database.fetchval("SELECT 2")
            return found
        finally:
            await database.close()

    assert asyncio.run(end_and_go_on()) == 2
