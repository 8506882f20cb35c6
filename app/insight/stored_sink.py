"""The sink in PostgreSQL: one transaction has the counts and how far they go.

The offset is compared before it is set. Of two workers that have counted the same records, the second one finds another
offset than it began at, and nothing of its transaction is written. So Kafka's assignment saves work, and is not what
makes counts exact. A transaction that is lost with a failover takes its offset with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.database import Database
from app.insight.balance import Unit
from app.insight.counting import MINUTE_MS, Extent, Place, Step, placed
from app.insight.rows import Catalogue, Rows
from app.insight.sink import FencedError, Source

ROLE = "insight_app"
_BEGIN = """
INSERT INTO insight.source_offset (site, topic, log, partition, next, marks_from, seen_end)
SELECT $1, $2, $3, each.partition, each.low, each.low, each.high
FROM unnest($4::int[], $5::bigint[], $6::bigint[]) AS each (partition, low, high) ORDER BY each.partition
ON CONFLICT DO NOTHING
"""
_PLACES = """
SELECT partition, next, marks_from, extract(epoch FROM now())::bigint / 86400 AS day FROM insight.source_offset
WHERE site = $1 AND topic = $2 AND log = $3 AND partition = ANY($4::int[])
"""
_PRODUCTS = "SELECT slug, id, category FROM catalogue.product"
_CATEGORIES = "SELECT slug FROM catalogue.category"
_MOVE = """
UPDATE insight.source_offset held
SET next = step.next, marks_from = step.marks_from, seen_end = step.seen_end, counted_at = now()
FROM unnest($4::int[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
    AS step (partition, before, next, marks_from, seen_end)
WHERE held.site = $1 AND held.topic = $2 AND held.log = $3 AND held.partition = step.partition
    AND held.next = step.before
"""
# Rows come in one order, so that two workers that add to the same ones wait for each other and never in a circle.
_MINUTES = """
INSERT INTO insight.minute_count AS held (minute, kind, category, sender, events)
SELECT * FROM unnest($1::timestamptz[], $2::insight.kind[], $3::text[], $4::insight.sender[], $5::bigint[])
ON CONFLICT (minute, kind, category, sender) DO UPDATE SET events = held.events + excluded.events
"""
_PRODUCT_MINUTES = """
INSERT INTO insight.minute_product AS held (minute, product, kind, events)
SELECT * FROM unnest($1::timestamptz[], $2::int[], $3::insight.kind[], $4::bigint[])
ON CONFLICT (minute, product, kind) DO UPDATE SET events = held.events + excluded.events
"""
_LOOKS = """
INSERT INTO insight.session_look AS held (session, product, at)
SELECT * FROM unnest($1::bigint[], $2::int[], $3::bigint[])
ON CONFLICT (session, product) DO UPDATE SET at = excluded.at WHERE held.at < excluded.at
"""
_BALANCE = """
INSERT INTO insight.balance AS held (day, outcome, records, batches, events)
SELECT * FROM unnest($1::date[], $2::insight.outcome[], $3::bigint[], $4::bigint[], $5::bigint[])
ON CONFLICT (day, outcome) DO UPDATE SET records = held.records + excluded.records,
    batches = held.batches + excluded.batches, events = held.events + excluded.events
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(milliseconds=MINUTE_MS)
_DAY = timedelta(days=1)


class StoredSink:
    """Counts in the database `commerce`, schema `insight`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def follows(self) -> bool:
        """Whether the database only follows another one now."""
        return await self._database.is_standby()

    async def places(self, source: Source, extents: Sequence[Extent]) -> list[Place]:
        """Return where each partition goes on; one that the database does not know begins at the log's beginning.

        Raises:
            DatabaseUnavailableError: it does not answer, or takes no writes.
        """
        here = (source.site, source.topic, source.log)
        asked = {each.partition: each for each in extents}
        columns = _columns([(each.partition, each.low, each.high) for each in extents], 3)
        async with self._database.write() as connection:
            await connection.execute(_BEGIN, *here, *columns)
            found = await connection.fetch(_PLACES, *here, columns[0])
        return [placed(asked[row["partition"]], row["next"], row["marks_from"], row["day"]) for row in found]

    async def catalogue(self) -> Catalogue:
        """Return what names mean."""
        products = await self._database.fetch(_PRODUCTS)
        categories = await self._database.fetch(_CATEGORIES)
        return Catalogue({slug: (number, category) for slug, number, category in products}, frozenset(
            slug for (slug,) in categories
        ))  # fmt: skip

    async def write(self, source: Source, steps: Sequence[Step], rows: Rows) -> None:
        """Write rows, and how far is counted then, or nothing of both.

        Raises:
            FencedError: the database says another place than a step begins at.
            DatabaseUnavailableError: it does not answer, or takes no writes; nothing was written.
            UnknownOutcomeError: it may be written or not; the places say.
        """
        moves = [(each.partition, each.before, each.next, each.marks_from, each.end) for each in steps]
        async with self._database.write() as connection:
            moved = await connection.execute(_MOVE, source.site, source.topic, source.log, *_columns(moves, 5))
            if moved != f"UPDATE {len(steps)}":
                raise FencedError(f"another worker counts some of the partitions {[each.partition for each in steps]}")
            for statement, columns in _statements(rows):
                await connection.execute(statement, *columns)


def _statements(rows: Rows) -> list[tuple[str, list[list[object]]]]:
    """Return what is to be executed for some rows."""
    minutes = [
        (_EPOCH + minute * _MINUTE, kind, category, sender, events)
        for (minute, kind, category, sender), events in sorted(rows.minutes.items())
    ]
    products = [
        (_EPOCH + minute * _MINUTE, product, kind, events)
        for (minute, product, kind), events in sorted(rows.products.items())
    ]
    looks = [(session, product, at) for (session, product), at in sorted(rows.looks.items())]
    kinds = sorted({(day, outcome) for day, outcome, _ in rows.balance})
    balance = [
        ((_EPOCH + day * _DAY).date(), outcome, *(rows.balance[day, outcome, unit] for unit in Unit))
        for day, outcome in kinds
    ]
    tables: list[tuple[str, list[tuple[object, ...]], int]] = [
        (_MINUTES, list(minutes), 5),
        (_PRODUCT_MINUTES, list(products), 4),
        (_LOOKS, list(looks), 3),
        (_BALANCE, list(balance), 5),
    ]
    return [(statement, _columns(some, width)) for statement, some, width in tables if some]


def _columns(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Return the columns of some rows."""
    return [[row[place] for row in rows] for place in range(width)]
