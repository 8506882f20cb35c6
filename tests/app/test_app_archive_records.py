"""Where the whole records of a WAL file end, in files that a real PostgreSQL wrote, and with a stalled receiver."""

from __future__ import annotations

import time
from io import BytesIO
from pathlib import Path

import pytest
from archive_place import ArchivePlace, soon
from postgres_cluster import Cluster

from app.archive.coverage import position_of, received_until
from app.archive.names import SEGMENT_BYTES, Segment
from app.archive.records import ends_whole_at

pytestmark = pytest.mark.requirement("the collector says that WAL is in the archive only when it has received it")
ZEROS = "SELECT pg_logical_emit_message(false, 'idle', repeat('x', 30000)::bytea || decode(repeat('00', 4000), 'hex'))"
"""A record of several pages that ends in 4000 zeros."""


def written(database: Cluster) -> tuple[bytes, int, int]:
    """Return a segment as the server has it, and where in the log it begins and where its last record ends."""
    database.admin("SELECT pg_switch_wal()")
    database.admin("CREATE TABLE placed AS SELECT generate_series(1, 3000) AS i")
    database.admin(ZEROS)
    database.admin("SELECT pg_logical_emit_message(true, 'flush', 'all before')")
    database.admin("SELECT pg_logical_emit_message(false, 'end', decode(repeat('00', 3000), 'hex'))")
    database.admin("CREATE TABLE last (i int)")
    ((name, end),) = database.query("postgres", "SELECT pg_walfile_name(f), f::text FROM pg_current_wal_flush_lsn() f")
    segment = Segment.of(name)
    assert segment
    content = (database.data / "pg_wal" / name).read_bytes()
    return content, segment.number * SEGMENT_BYTES, position_of(end)


def test_a_whole_record_ends_where_the_server_says_and_nowhere_else(database: Cluster, tmp_path: Path) -> None:
    content, begin, end = written(database)
    assert ends_whole_at(BytesIO(content), end)
    assert not ends_whole_at(BytesIO(content), end - 8)
    assert not ends_whole_at(BytesIO(content), end + 8)
    for missing in (1, 8, 40, 9000):
        cut = content[: end - begin - missing]
        torn = cut + bytes(SEGMENT_BYTES - len(cut))
        lost = content[: end - begin].rstrip(b"\0") != cut.rstrip(b"\0")
        assert ends_whole_at(BytesIO(torn), end) is not lost, missing
    name = Segment(1, begin // SEGMENT_BYTES).name
    file = tmp_path / f"{name}.partial"
    file.write_bytes(content[: end - begin] + bytes(SEGMENT_BYTES - (end - begin)))
    assert received_until(tmp_path, None, 1, end) == end
    half = (end - begin) // 2
    file.write_bytes(content[:half] + bytes(SEGMENT_BYTES - half))
    assert begin < received_until(tmp_path, None, 1, end) <= begin + half


def test_a_record_that_ends_in_zeros_is_covered_only_when_it_was_received(
    place: ArchivePlace, database: Cluster
) -> None:
    with place.collecting(place.settings(database, "spool")) as collector:
        soon("all of it in the archive", lambda: len(place.facts()) == 1 and bool(collector.state.covered_at))
        database.admin(ZEROS)
        database.admin("CREATE TABLE unseen (i int)")
        wrote = time.time()
        soon("the rest in the archive", lambda: (collector.state.covered_at or 0) > wrote + 2)


def test_the_begun_page_of_an_idle_database_is_not_enough(database: Cluster, tmp_path: Path) -> None:
    content, begin, end = written(database)
    page = (end - 1) // 8192 * 8192
    received = page + 100  # as of a receiver that stood still within the last page
    file = tmp_path / f"{Segment(1, begin // SEGMENT_BYTES).name}.partial"
    file.write_bytes(content[: received - begin] + bytes(SEGMENT_BYTES - (received - begin)))
    assert received_until(tmp_path, None, 1, end) <= received
