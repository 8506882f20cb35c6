"""A database at an earlier time, in a folder of this machine: recovered by Debian's PostgreSQL, served read-only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from runbooks.restore.archives import bucket_of, identity_file
from runbooks.restore.pieces import Pieces, Wanted, find_all, in_order
from runbooks.restore.reachable import require_reachable
from runbooks.restore.sealed import NoRoomError, PieceError, fetch_opened, private
from runbooks.restore.server import (
    BINARIES,
    as_server,
    end_recovery,
    lay_out,
    query,
    reached,
    start,
)
from runbooks.restore.wal_files import is_short
from shopsphere.clients.archive import ArchiveError
from shopsphere.estate.archive_names import base_key
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, UsageError, one_line
from shopsphere.foundation.process import run
from shopsphere.topology import Pair, Topology

COUNTS = """
SELECT format('SELECT %L, count(*) FROM %I.%I', schemaname || '.' || tablename, schemaname, tablename)
FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
FACTS = "restored.json"
"""What was restored, in the folder: database, system, time."""
LOGS = ("log", "start.log")
"""What stays of a restore that failed; it has no rows."""


def restore_beside(
    topology: Topology,
    pair: Pair,
    environment: Environment,
    database: DatabaseModel,
    wanted: Wanted,
    folder: Path,
    key: Path | None,
) -> Iterator[str]:
    """Bring a database to a time, in a folder; yield what there is to say, as it happens.

    Raises:
        UsageError: the time is none that can be restored; the error has those that can.
        ShopSphereError: no base backup of any bucket leads there, the key is not here, or the folder cannot be used.
            Nothing of the pair is touched in any case, and what was decrypted is removed.
    """
    identity = key or identity_file(topology, pair, environment)
    require_usable(identity, folder)
    sites = [site for site in pair.sites if wanted.site in {"", site}]
    if not sites:
        raise UsageError.build(
            "no such site", expected=" or ".join(pair.sites), found=wanted.site, action="name one of these"
        )
    buckets = [bucket_of(topology, pair, environment, database.cluster(site)) for site in sites]
    found: list[Pieces] = []
    problems: list[str] = []
    with suppress(ArchiveError):  # what one that is silent has is not known; below it is said
        require_reachable(buckets, wanted.system, wanted.to, datetime.now(UTC))
    for bucket in buckets:
        try:
            pieces, said = find_all(bucket, wanted, identity)
            found += pieces
            problems += said
        except ShopSphereError as error:
            problems.append(one_line(error))
    yield from (f"not used: {each}" for each in problems)
    yield from recover_first(in_order(found, wanted.to), wanted.to, folder, identity, database.name, problems)


def recover_first(
    found: list[Pieces], to: datetime | None, folder: Path, identity: Path, database: str, problems: list[str]
) -> Iterator[str]:
    """Try one base backup after the other, the best first; yield what there is to say.

    Raises:
        ShopSphereError: none of them led to the time.
    """
    for each in found:
        try:
            yield from recover(each, to, folder, identity, database)
        except (PieceError, ArchiveError) as error:
            problems.append(f"{each.name}: {one_line(error)}")
            yield f"not used: {problems[-1]}"
        else:
            return
    raise ShopSphereError.build(
        f"{database} cannot be brought to {to or 'the end of what is there'}",
        expected="a base backup before that time and all WAL from it, in one of the buckets",
        found="\n            ".join(problems),
        action="`shopsphere backups` tells what there is; --site, --base and --system choose",
    )


def recover(pieces: Pieces, to: datetime | None, folder: Path, identity: Path, database: str) -> Iterator[str]:
    """Fetch, open, recover and serve; yield what there is to say, as it happens.

    Raises:
        PieceError: a piece is damaged, or PostgreSQL did not come to the time.
        ShopSphereError: there is no room. In any case what was decrypted is removed.
    """
    with private(folder):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    free = shutil.disk_usage(folder).free
    require_room(folder, pieces, free)
    room = f"up to {-(-pieces.bytes_needed // 2**20)} MiB are needed, {free // 2**20} MiB are free"
    yield f"from {pieces.name} and {len(pieces.wal)} WAL files: {room}"
    yield from warnings(pieces, to)
    try:
        with private(folder):
            fetch_pieces(pieces, folder, identity)
        yield "all pieces are here and whole"
        with private(folder):
            lay_out(folder)
            start(folder, to, pieces.timeline)
        where = reached(folder)
        last = query(folder, "postgres", "SELECT coalesce(pg_last_xact_replay_timestamp()::text, 'none')")
        if where == "end":
            require_whole(pieces, query(folder, "postgres", "SELECT pg_last_wal_replay_lsn()"))
        end_recovery(folder, where, pieces.timeline)
        write_down(folder, database, pieces, to, last)
    except BaseException:
        remove_opened(folder)
        raise
    told = "the next transaction is later" if where == "there" else "and nothing was written after it"
    if where == "end" and not pieces.covers(to):
        told = "and what was written after it, if anything, is not in the archive"
    yield f"recovered to {to or 'the end of what is there'}: the last transaction is of {last}, {told}"
    for statement in query(folder, database, COUNTS).splitlines():
        name, count = query(folder, database, statement).split("|")
        yield f"  {name}: {count} rows"
    yield f"it serves, read-only: psql -h {folder / 'socket'} -U postgres {database}"
    yield f"in the place of the live one: shopsphere put-in-place PAIR --database {database} --from {folder}"
    yield f"when you are done: {' '.join(map(str, as_server(BINARIES / 'pg_ctl', folder)))} stop; rm -r {folder}"


def write_down(folder: Path, database: str, pieces: Pieces, to: datetime | None, last: str) -> None:
    """Keep in the folder what was restored: the database's own files do not say it."""
    with private(folder):
        facts = {
            "id": uuid4().hex,
            "database": database,
            "system": pieces.system,
            "to": to.isoformat() if to else None,
            "last_transaction": last,
            "from": pieces.name,
        }
        (folder / FACTS).write_text(f"{json.dumps(facts, indent=2)}\n")


def warnings(pieces: Pieces, to: datetime | None) -> Iterator[str]:
    """Yield what an operator should know before the recovery."""
    if pieces.lacking:
        yield f"warning: not in the archive: {', '.join(pieces.lacking[:5])}; it is enough for a time before that"
    if to and not pieces.covers(to):
        known = f"{pieces.covered_at:%Y-%m-%d %H:%M:%S %Z}" if pieces.covered_at else "no time that is known"
        yield f"warning: the collector says that its WAL goes to {known}; the copy may end before {to}"


def require_whole(pieces: Pieces, replayed: str) -> None:
    """Refuse a recovery that ended before the archive does.

    Raises:
        PieceError: it did.
    """
    if pieces.lacking:
        raise PieceError.build(
            "the recovery ended before the time, and the archive has later WAL that does not follow",
            expected="all WAL up to the time",
            found=f"no {', '.join(pieces.lacking[:5])}; it ended at {replayed}",
            action="take an earlier time, or another --site or --base",
        )
    end = pieces.run.end
    if is_short(replayed, end, pieces.position, is_partial=pieces.run.is_partial):
        raise PieceError.build(
            "the recovery ended before the WAL that was fetched does",
            expected=f"to come into {end.name if end else 'its WAL'}, to {pieces.position or 'its end'}",
            found=f"it ended at {replayed or 'no position'}",
            action="take an earlier time, or another --site or --base",
        )


def fetch_pieces(pieces: Pieces, folder: Path, identity: Path) -> None:
    """Fetch and open everything: the base backup as `base.tar`, WAL files by their names below `wal/`.

    Raises:
        PieceError: an object is damaged, is another one than was sent, or the key does not open it.
        ArchiveError: the archive broke off.
    """
    key = base_key(pieces.system, pieces.base["label"])
    fetch_opened(pieces.bucket, key, folder / "base.tar", identity, pieces.base["sha256"])
    wal = folder / "wal"
    wal.mkdir()
    for name, kept in pieces.wal.items():
        fetch_opened(pieces.bucket, kept.key, wal / name, identity)


def remove_opened(folder: Path) -> None:
    """End PostgreSQL and remove everything but its log: what was decrypted stays nowhere."""
    if (folder / "data" / "postmaster.pid").exists():
        run([*as_server(BINARIES / "pg_ctl", folder), "-m", "immediate", "-w", "stop"], check=False)
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each, ignore_errors=True)
        elif each.name not in LOGS:
            each.unlink(missing_ok=True)


def require_room(folder: Path, pieces: Pieces, free: int) -> None:
    """Refuse a folder that may become full in the middle.

    Raises:
        NoRoomError: there is less room than the restore may take.
    """
    if free < pieces.bytes_needed:
        raise NoRoomError.build(
            f"{folder}: not enough room",
            expected=f"{pieces.bytes_needed // 2**20} MiB for the base backup and {len(pieces.wal)} WAL files",
            found=f"{free // 2**20} MiB",
            action="name a folder on a larger disk",
        )


def require_usable(identity: Path, folder: Path) -> None:
    """Refuse what would fail in the middle.

    Raises:
        ShopSphereError: no private key, no PostgreSQL or age, or a folder with something in it.
    """
    missing = [str(each) for each in (identity, BINARIES / "postgres") if not each.exists()]
    missing += [] if shutil.which("age") else ["the program age"]
    if missing:
        raise ShopSphereError.build(
            "what a restore needs is not on this machine",
            expected="the restorers' private key (--key), Debian's postgresql-15 and age",
            found=f"no {', no '.join(missing)}",
            action="bring the key; apt-get install postgresql-15 age",
        )
    if folder.exists() and any(each.name not in LOGS for each in folder.iterdir()):
        raise ShopSphereError.build(
            f"{folder} is not empty", expected="an empty folder, or none", found="files", action="name another one"
        )
