"""A database brought back to the second before a mistake, from what its collectors sent."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import pytest
from archive_place import OWNERS, ArchivePlace, soon
from postgres_cluster import Cluster

from app.archive.sealing import seal_file
from runbooks.putting_in_place.copy import Copy
from runbooks.restore.archives import look
from runbooks.restore.beside import FACTS, recover, recover_first
from runbooks.restore.pieces import find_pieces
from runbooks.restore.sealed import PieceError, open_sealed
from runbooks.restore.server import BINARIES, query
from shopsphere.clients.archive import ArchiveAccess, ArchiveError, Bucket
from shopsphere.estate.archive_names import Segment
from shopsphere.foundation.errors import ShopSphereError

pytestmark = pytest.mark.requirement("a mistake that replication copied is undone from the archive")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, which pytest's own is not."""
    made = Path(mkdtemp(prefix="shop-restore-"))
    made.chmod(0o755)
    yield made
    data = made / "restored" / "data"
    if (data / "postmaster.pid").exists():
        subprocess.run(
            ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", BINARIES / "pg_ctl", "-D", data,
             "-m", "immediate", "stop"],
            check=False, capture_output=True,
        )  # fmt: skip
    rmtree(made)


def bucket_of(place: ArchivePlace) -> Bucket:
    return Bucket(ArchiveAccess(place.url, "owner", OWNERS, place.authority.certificate), place.bucket)


def rows(cluster: Cluster, statement: str) -> None:
    cluster.query("commerce", statement)


def mistaken(place: ArchivePlace, database: Cluster) -> datetime:
    """Write 1000 rows, tell the time, drop the table, and wait until the archive has it all."""
    with place.collecting(place.settings(database, "spool")) as collector:
        soon("a base backup", lambda: len(place.facts()) == 1)
        rows(database, "CREATE TABLE placed (i int)")
        rows(database, "INSERT INTO placed SELECT generate_series(1, 1000)")
        time.sleep(1.5)
        before = datetime.now(UTC)
        time.sleep(1.5)
        rows(database, "DROP TABLE placed")
        after = time.time()
        soon("all of it in the archive", lambda: (collector.state.covered_at or 0) > after + 1)
        collector._last_status = float("-inf")  # noqa: SLF001 what is told each minute is told now
        soon("that being told", lambda: told(place) > before.timestamp())
    return before


def told(place: ArchivePlace) -> float:
    found = look(bucket_of(place), "commerce", "frankfurt").covered_at
    return found.timestamp() if found else 0


def test_a_dropped_table_is_back_as_it_was_the_second_before(
    place: ArchivePlace, database: Cluster, folder: Path
) -> None:
    before = mistaken(place, database)
    lines = list(
        recover(find_pieces(bucket_of(place), before, place.key), before, folder / "restored", place.key, "commerce")
    )
    assert re.search(r"^from .* WAL files: up to \d+ MiB are needed, \d+ MiB are free$", lines[0])
    assert any("public.placed: 1000 rows" in line for line in lines)
    assert any("the next transaction is later" in line for line in lines)
    assert query(folder / "restored", "commerce", "SHOW transaction_read_only") == "on"
    assert database.query("commerce", "SELECT to_regclass('placed')") == [(None,)]
    copy = Copy.of(folder / "restored", "commerce")
    ((system,),) = database.query("postgres", "SELECT system_identifier::text FROM pg_control_system()")
    assert (copy.to, copy.system) == (before, system)
    assert copy.ask("SELECT to_json(count(*)) FROM placed") == 1000
    assert b"COPY public.placed (i) FROM stdin;" in b"".join(copy.dump())
    assert (folder / "restored" / FACTS).stat().st_mode & 0o77 == 0


def test_a_time_after_which_nothing_was_written_is_reached_too(
    place: ArchivePlace, database: Cluster, folder: Path
) -> None:
    mistaken(place, database)
    later = datetime.fromtimestamp(told(place), UTC)
    lines = list(
        recover(find_pieces(bucket_of(place), later, place.key), later, folder / "restored", place.key, "commerce")
    )
    assert any("and nothing was written after it" in line for line in lines)
    assert query(folder / "restored", "commerce", "SELECT to_regclass('placed') IS NULL, pg_is_in_recovery()") == "t|f"


def test_what_was_sent_long_after_it_was_written_is_there(place: ArchivePlace, database: Cluster, folder: Path) -> None:
    settings = place.settings(database, "spool")
    with place.collecting(settings):
        soon("a base backup", lambda: len(place.facts()) == 1)
    rows(database, "CREATE TABLE placed (i int)")
    for _ in range(3):
        rows(database, "INSERT INTO placed SELECT generate_series(1, 1000)")
        database.admin("SELECT pg_switch_wal()")
    time.sleep(1.5)
    before = datetime.now(UTC)
    time.sleep(1.5)
    rows(database, "DROP TABLE placed")
    ((last,),) = database.query("postgres", "SELECT pg_walfile_name(pg_current_wal_lsn())")
    database.admin("SELECT pg_switch_wal()")
    with place.collecting(settings) as collector:
        soon("the segment in which the table goes", lambda: last in place.names(".gz.age"))
        soon("a word about it", lambda: (collector.state.covered_at or 0) > before.timestamp())
    pieces = find_pieces(bucket_of(place), before, place.key)
    lines = list(recover(pieces, before, folder / "restored", place.key, "commerce"))
    assert any("public.placed: 3000 rows" in line for line in lines)
    assert any("the next transaction is later" in line for line in lines)


def test_the_next_base_backup_is_tried_and_nobody_else_reads_what_was_opened(
    place: ArchivePlace, database: Cluster, folder: Path
) -> None:
    before = mistaken(place, database)
    good = find_pieces(bucket_of(place), before, place.key)
    damaged = replace(good, base={**good.base, "sha256": "0" * 64})
    problems: list[str] = []
    restored = folder / "restored"
    lines = list(recover_first([damaged, good], before, restored, place.key, "commerce", problems))
    assert "damaged" in problems[0]
    assert any("public.placed: 1000 rows" in line for line in lines)
    assert restored.stat().st_mode & 0o777 == 0o700
    cut = replace(good, position="FF/0")
    again = folder / "again"
    with pytest.raises(ShopSphereError, match="the recovery ended before the WAL"):
        list(recover_first([cut], None, again, place.key, "commerce", []))
    assert {each.name for each in again.iterdir()} <= {"log", "start.log"}


def test_what_is_damaged_or_missing_is_named_before_anything_is_started(
    place: ArchivePlace, database: Cluster, folder: Path
) -> None:
    before = mistaken(place, database)
    bucket = bucket_of(place)
    pieces = find_pieces(bucket, before, place.key)
    last = sorted(name for name in pieces.wal if "history" not in name)[-1]
    stored = place.folder / "store" / place.bucket / pieces.wal[last].key
    content = bytearray(stored.read_bytes())
    content[len(content) // 2] ^= 1
    with stored.open("r+b") as file:  # in place: the gateway keeps its notes beside the bytes
        file.write(content)
    with pytest.raises((PieceError, ArchiveError)) as damaged:
        list(recover(pieces, before, folder / "restored", place.key, "commerce"))
    assert last in str(damaged.value)
    assert not (folder / "restored" / "data").exists()
    first = Segment.of(pieces.base["first_segment"])
    assert first
    for key in list(place.keys()):
        if f"/wal/{first.name}" in key:
            place.owner.delete_object(Bucket=place.bucket, Key=key)
    with pytest.raises(PieceError, match=first.name):
        find_pieces(bucket, before, place.key)
    assert look(bucket, "commerce", "frankfurt").missing == (first.name,)


def test_another_key_opens_nothing(place: ArchivePlace, database: Cluster, folder: Path, tmp_path: Path) -> None:
    before = mistaken(place, database)
    other = tmp_path / "other.key"
    subprocess.run(["age-keygen", "-o", other], check=True, capture_output=True)
    with pytest.raises(PieceError, match="cannot be opened"):
        list(recover(find_pieces(bucket_of(place), before, place.key), before, folder / "restored", other, "commerce"))


def test_what_was_changed_or_cut_off_is_not_opened(place: ArchivePlace, tmp_path: Path) -> None:
    plain, sealed, again = (tmp_path / name for name in ("plain", "sealed", "again"))
    plain.write_bytes(bytes(range(256)) * 4096)
    seal_file(plain, sealed, place.recipient)
    whole = sealed.read_bytes()
    open_sealed(sealed, again, place.key, "x")
    assert again.read_bytes() == plain.read_bytes()
    changed = bytearray(whole)
    changed[-100] ^= 1
    for content in (bytes(changed), whole[:-50], b"another file"):
        sealed.write_bytes(content)
        with pytest.raises(PieceError, match="x: cannot be opened, and nothing was started"):
            open_sealed(sealed, again, place.key, "x")
        assert not again.exists()
