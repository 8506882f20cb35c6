"""The region's releases in its database: numbered, written once, with their cells and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from app.database import Connection, Queries
from app.export.budget import Spending
from app.export.outbox import BATCH, BehindError, Standing
from app.export.release import Sealed
from app.export.schema import Columns, Release, numbered_columns
from app.export.vocabulary import Kind

# PostgreSQL's timeline, which a promotion ends, and the number of the database, which is another one when a copy has
# taken its name. The control file would have the timeline of the latest checkpoint, which may be the one before.
_LINEAGE = """CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' ||
    (SELECT oid FROM pg_database WHERE datname = current_database()) END"""
_STANDING = f"SELECT last_seq, {_LINEAGE} FROM export.numbering"  # noqa: S608 constants only
_LOCK = f"{_STANDING} FOR UPDATE"
_TODAY = "SELECT (now() AT TIME ZONE 'UTC')::date"
_RELEASE = """
INSERT INTO export.release (seq, kind, day, part, parts, body, digest, signer, signature, is_adopted)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_CELLS = f"""
INSERT INTO export.cell (seq, place, {", ".join(Columns._fields)})
SELECT $1, * FROM unnest($2::smallint[], $3::export.table_name[], $4::date[], $5::smallint[], $6::export.audience[],
    $7::export.currency[], $8::smallint[], $9::int[], $10::export.metric[], $11::bigint[], $12::export.flag[])
"""  # noqa: S608 names of our own columns
_SEALED = "body, signer, signature"
_OF_DAY = f"SELECT {_SEALED} FROM export.release WHERE kind = $1 AND day = $2 ORDER BY part"  # noqa: S608 constants only
_LATEST = "SELECT max(day) FROM export.release WHERE kind = $1"
_SAID = "SELECT kind::text, day, part FROM export.release WHERE day = ANY($1::date[])"
_AFTER = f"SELECT {_SEALED} FROM export.release WHERE seq > $1 ORDER BY seq LIMIT {BATCH}"  # noqa: S608 constants only
_CONFIRM = f"""
UPDATE export.numbering SET confirmed_seq = greatest(confirmed_seq, $1),
    confirmed_at = CASE WHEN $1 > confirmed_seq THEN now() ELSE confirmed_at END
WHERE last_seq >= $1 RETURNING {_LINEAGE}
"""  # noqa: S608 constants only
_OLDEST = """
SELECT extract(epoch FROM now() - min(made_at))::float8 FROM export.release
WHERE seq > (SELECT confirmed_seq FROM export.numbering)
"""
_SPENT = """
SELECT day, seq, digest, rho_micro FROM export.spending
WHERE date_trunc('month', day) = date_trunc('month', $1::date)
"""
_SPEND = "INSERT INTO export.spending (day, seq, digest, rho_micro) VALUES ($1, $2, $3, $4)"


async def lock(connection: Connection, gone: Standing | None = None) -> int:
    """Return the number of the latest release; nobody else makes one until the transaction ends.

    Args:
        connection: within the transaction.
        gone: the latest release that has left, or may have, and where that was known; None where it does not matter.

    Raises:
        BehindError: the database has fewer, or is another one than that of which this is known.
    """
    here = Standing(*await connection.fetchrow(_LOCK))
    if gone is not None and (here.lineage != gone.lineage or here.seq < gone.seq):
        raise BehindError.build(
            "the database may lack releases that were sent",
            expected=f"release {gone.seq} or a later one, of {gone.lineage}",
            found=f"release {here.seq} as the latest, of {here.lineage}",
            action="wait for the exporter to ask headquarters, and to take them back; nothing is made before",
        )
    return here.seq


async def today(queries: Queries) -> date:
    """Return the day (UTC) by the database's clock."""
    found: date = await queries.fetchval(_TODAY)
    return found


async def of_day(queries: Queries, kind: Kind, day: date) -> tuple[Sealed, ...]:
    """Return what was released of a day, all parts; empty if nothing was."""
    return _sealed(await queries.fetch(_OF_DAY, kind, day))


async def latest(queries: Queries, kind: Kind) -> date | None:
    """Return the latest day of a kind's releases; None before the first."""
    found: date | None = await queries.fetchval(_LATEST, kind)
    return found


async def said(queries: Queries, days: Sequence[date]) -> frozenset[tuple[Kind, date, int]]:
    """Return kind, day and part of the releases of some days."""
    return frozenset((Kind(kind), day, part) for kind, day, part in await queries.fetch(_SAID, list(days)))


async def insert(connection: Connection, sealed: Sealed, release: Release, *, is_adopted: bool = False) -> None:
    """Write the next release, after `lock`."""
    await connection.execute(
        _RELEASE,
        release.seq,
        release.kind,
        release.day,
        release.part,
        release.parts,
        sealed.body,
        sealed.digest,
        sealed.signer,
        sealed.signature,
        is_adopted,
    )
    await connection.execute(_CELLS, release.seq, *numbered_columns(release.rows))


async def spent(queries: Queries, region: int, month: date) -> list[Spending]:
    """Return what was spent in the month that a day is in."""
    return [Spending(region, *row) for row in await queries.fetch(_SPENT, month)]


async def spend(connection: Connection, spending: Spending) -> None:
    """Write down what a release costs; the database refuses it too if the month does not have it."""
    await connection.execute(_SPEND, spending.day, spending.seq, spending.digest, spending.rho_micro)


async def standing(queries: Queries) -> Standing:
    """Return the number of the latest release, and of which database that is."""
    return Standing(*await queries.fetchrow(_STANDING))


async def after(queries: Queries, seq: int) -> tuple[Sealed, ...]:
    """Return the releases after a number, at most a batch of them."""
    return _sealed(await queries.fetch(_AFTER, seq))


async def confirm(connection: Connection, seq: int) -> str:
    """Write down that headquarters has all releases up to a number, never back; return the lineage of the database.

    Raises:
        BehindError: the database does not have that release.
    """
    lineage = await connection.fetchval(_CONFIRM, seq)
    if lineage is None:
        raise BehindError.build(
            "the database lacks releases that headquarters has",
            expected=f"release {seq}",
            found="fewer",
            action="wait for the exporter to take them back",
        )
    return str(lineage)


async def oldest_waiting_seconds(queries: Queries) -> float | None:
    """Return the age of the oldest release that headquarters is not known to have (s); None if it has all."""
    seconds = await queries.fetchval(_OLDEST)
    return None if seconds is None else float(seconds)


def _sealed(rows: Sequence[tuple[bytes, bytes, bytes]]) -> tuple[Sealed, ...]:
    return tuple(Sealed(body=body, signer=signer, signature=signature) for body, signer, signature in rows)
