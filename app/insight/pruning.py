"""What is too old, or too much, goes: a few rows at a time, by the same worker that adds them.

How many rows there are is what PostgreSQL believes (live rows of its statistics): a bound on a disk that orders
need too, not a figure of a report.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.database import Connection, Database

ROWS_AT_ONCE = 500
DAY_SECONDS = 86_400
_EXCESS = """
SELECT greatest(coalesce(max(n_live_tup), 0), 0) - $2::bigint FROM pg_stat_all_tables WHERE relid = $1::text::regclass
"""


@dataclass(frozen=True, slots=True)
class Keeps:
    """How long rows are kept, and how many.

    Attributes:
        minute_days: counts by minute.
        session_days: looks of sessions.
        balance_days: what became of everything.
        most_minutes: rows of counts by minute, and of those of products.
        most_looks: looks of sessions; an index of sessions takes no more.
    """

    minute_days: float = 3
    session_days: float = 30
    balance_days: float = 90
    most_minutes: int = 5_000_000
    most_looks: int = 8_000_000


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table is pruned: which column is oldest first, and what rows are older than a number of days."""

    name: str
    column: str
    too_old: str
    days: float
    most: int

    @property
    def older(self) -> str:
        return self._deletes(f"WHERE {self.column} < {self.too_old}")

    @property
    def oldest(self) -> str:
        return self._deletes("WHERE $1::float8 IS NOT NULL")

    def _deletes(self, where: str) -> str:
        return (
            f"DELETE FROM insight.{self.name} WHERE ctid = ANY(ARRAY(SELECT ctid FROM insight.{self.name} {where} "  # noqa: S608
            f"ORDER BY {self.column} LIMIT $2::bigint))"
        )


_MOMENT = "now() - make_interval(secs => $1::float8)"
_SECOND = "extract(epoch FROM now())::bigint - $1::float8::bigint"


class Pruning:
    """Removes rows.

    Args:
        database: that has them.
        keeps: how long and how many.
        rows: that go at once.

    Attributes:
        removed: rows so far.
    """

    def __init__(self, database: Database, keeps: Keeps, rows: int = ROWS_AT_ONCE) -> None:
        self._database = database
        self._rows = rows
        self.removed = 0
        self._tables = (
            _Table("minute_count", "minute", _MOMENT, keeps.minute_days, keeps.most_minutes),
            _Table("minute_product", "minute", _MOMENT, keeps.minute_days, keeps.most_minutes),
            _Table("session_look", "at", _SECOND, keeps.session_days, keeps.most_looks),
            _Table("balance", "day", f"({_MOMENT})::date", keeps.balance_days, keeps.most_minutes),
        )

    async def step(self) -> bool:
        """Remove some rows of each table; return whether there may be more."""
        is_more = False
        for table in self._tables:
            async with self._database.write() as connection:
                is_more |= await self._prune(connection, table)
        return is_more

    async def _prune(self, connection: Connection, table: _Table) -> bool:
        gone = await self._delete(connection, table.older, table, self._rows)
        if gone < self._rows:
            excess = await connection.fetchval(_EXCESS, f"insight.{table.name}", table.most)
            if excess > 0:
                gone += await self._delete(connection, table.oldest, table, min(excess, self._rows - gone))
        self.removed += gone
        return gone >= self._rows

    async def _delete(self, connection: Connection, statement: str, table: _Table, rows: int) -> int:
        done: str = await connection.execute(statement, table.days * DAY_SECONDS, rows)
        return int(done.rpartition(" ")[2])
