"""Headquarters' database: what was taken from each region, once, in the order of the region's numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from app.database import Connection, Queries
from app.export.outbox import BATCH, Batch, Mark, Receipt, fitting
from app.export.release import Sealed
from app.export.schema import Columns, Release, numbered_columns
from app.export.verifying import TAKEN, Judged, Known, Register, Verdict, authentic, in_turn
from app.export.vocabulary import Kind, Vocabulary

_LOCK = "SELECT last_seq, session FROM reporting.region WHERE number = $1 FOR UPDATE"
_SESSION = """
INSERT INTO reporting.region (number, session, heard_at) VALUES ($1, $2, now())
ON CONFLICT (number) DO UPDATE SET session = excluded.session, heard_at = now() RETURNING last_seq
"""
_HEARD = "UPDATE reporting.region SET heard_at = now() WHERE number = $1"
_DIGESTS = "SELECT seq, digest FROM reporting.release WHERE region = $1 AND seq = ANY($2::bigint[])"
_SAID = "SELECT kind::text, day, part FROM reporting.release WHERE region = $1 AND day = ANY($2::date[])"
_RELEASE = """
INSERT INTO reporting.release (region, seq, kind, day, part, parts, body, digest, signer, signature)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""
_CELLS = f"""
INSERT INTO reporting.cell (region, seq, place, {", ".join(Columns._fields)})
SELECT $1, $2, * FROM unnest($3::smallint[], $4::reporting.table_name[], $5::date[], $6::smallint[],
    $7::reporting.audience[], $8::reporting.currency[], $9::smallint[], $10::int[], $11::reporting.metric[],
    $12::bigint[], $13::reporting.flag[])
"""  # noqa: S608 names of our own columns
_AFTER = f"""
SELECT body, signer, signature FROM reporting.release WHERE region = $1 AND seq > $2 ORDER BY seq LIMIT {BATCH}
"""  # noqa: S608 a constant only
_REGIONS = "SELECT number, last_seq, extract(epoch FROM heard_at)::float8 FROM reporting.region ORDER BY number"
_COMPLETE = """
SELECT day FROM reporting.release WHERE region = $1 AND kind = $2 AND day >= $3 AND day < $4
GROUP BY day HAVING count(*) = max(parts)
"""


class Heard(NamedTuple):
    """How headquarters stands with a region: its latest release, and when it was heard last (Unix time)."""

    region: int
    last: int
    heard_at: float | None


async def receive(
    connection: Connection, batch: Batch, register: Register, peer: int, vocabulary: Vocabulary
) -> tuple[Receipt, Judged | None]:
    """Keep what is new of a batch, up to the first release that is refused; return the answer and that refusal.

    Args:
        connection: within a transaction of headquarters' database.
        batch: as it was sent.
        register: whose key is whose.
        peer: number of the region whose certificate the connection was made with.
        vocabulary: numbers of the catalogue.
    """
    judged = [authentic(sealed, register, peer, vocabulary) for sealed in batch.releases]
    last, session = await connection.fetchrow(_LOCK, peer) or (0, None)
    if session != batch.session:
        refused = Judged(Verdict.SUPERSEDED, found="another process asked since where headquarters stands")
        return Receipt(region=peer, last=last, verdict=refused.verdict), refused
    await connection.execute(_HEARD, peer)
    known = await _known(connection, peer, last, [each.release for each in judged if each.release is not None])
    for sealed, first in zip(batch.releases, judged, strict=True):
        found = in_turn(sealed, first, known)
        if found.verdict not in TAKEN:
            seq = None if found.release is None else found.release.seq
            return Receipt(region=peer, last=known.last, verdict=found.verdict, seq=seq), found
        if found.verdict is Verdict.NEW and found.release is not None:
            await _insert(connection, sealed, found.release)
            known = known.beside(sealed, found.release)
    return Receipt(region=peer, last=known.last), None


async def begin(connection: Connection, region: int, session: bytes) -> Mark:
    """Return where headquarters stands with a region; what is sent in an earlier session is not taken any more."""
    return Mark(region=region, last=int(await connection.fetchval(_SESSION, region, session)))


async def after(queries: Queries, region: int, seq: int) -> tuple[Sealed, ...]:
    """Return a region's releases after a number, as many as fit into one answer."""
    rows = await queries.fetch(_AFTER, region, seq)
    return fitting(Sealed(body=body, signer=signer, signature=signature) for body, signer, signature in rows)


async def regions(queries: Queries) -> list[Heard]:
    """Return how headquarters stands with each region that has ever asked."""
    return [Heard(*row) for row in await queries.fetch(_REGIONS)]


async def complete_days(queries: Queries, region: int, kind: Kind, since: date, until: date) -> frozenset[date]:
    """Return of which days (from `since` until before `until`) a region's releases of a kind are here, all parts."""
    return frozenset(row[0] for row in await queries.fetch(_COMPLETE, region, kind, since, until))


async def _known(connection: Connection, region: int, last: int, releases: Sequence[Release]) -> Known:
    digests = await connection.fetch(_DIGESTS, region, [each.seq for each in releases])
    said = await connection.fetch(_SAID, region, [each.day for each in releases])
    return Known(last, dict(digests), frozenset((Kind(kind), day, part) for kind, day, part in said))


async def _insert(connection: Connection, sealed: Sealed, release: Release) -> None:
    await connection.execute(
        _RELEASE,
        release.region,
        release.seq,
        release.kind,
        release.day,
        release.part,
        release.parts,
        sealed.body,
        sealed.digest,
        sealed.signer,
        sealed.signature,
    )
    await connection.execute(_CELLS, release.region, release.seq, *numbered_columns(release.rows))
