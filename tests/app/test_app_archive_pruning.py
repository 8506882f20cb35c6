"""Retention at a real gateway: versions go for good, no site removes any, and what stays can be restored."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import pytest
from archive_place import OWNERS, SECRET, ArchivePlace, soon
from postgres_cluster import Cluster

from runbooks.pruning.choosing import Keeping
from runbooks.pruning.pruning import prune
from runbooks.restore.archives import look
from runbooks.restore.beside import recover
from runbooks.restore.pieces import find_pieces
from runbooks.restore.server import BINARIES, as_server
from shopsphere.clients.archive import ArchiveAccess, ArchiveError
from shopsphere.clients.owned_archive import OwnedBucket, Version
from shopsphere.estate.archive_names import Segment, base_facts_key, base_key, kept_key, status_key, wal_key
from shopsphere.foundation.process import run

pytestmark = pytest.mark.requirement("old backups are removed at the archive, and nothing that a restore needs")
SYSTEM = "7001"


def owned(place: ArchivePlace) -> OwnedBucket:
    return OwnedBucket(ArchiveAccess(place.url, "owner", OWNERS, place.authority.certificate), place.bucket)


def files(place: ArchivePlace) -> list[Path]:
    """Return what takes room on the gateway's disk, old versions too."""
    folders = (place.folder / "store" / place.bucket / SYSTEM, place.folder / "versions" / place.bucket)
    return [each for folder in folders for each in folder.rglob("*") if each.is_file()]


def base(bucket: OwnedBucket, label: str, number: int) -> None:
    facts = {
        "label": label, "timeline": 1, "started": datetime.now(UTC).isoformat(), "ended": datetime.now(UTC).isoformat(),
        "start": f"0/{number:X}000028", "end": f"0/{number:X}000100",
        "first_segment": Segment(1, number).name, "bytes": 4,
    }  # fmt: skip
    put(bucket, base_key(SYSTEM, label), b"tar!")
    bucket.put_facts(base_facts_key(SYSTEM, label), facts)


def put(bucket: OwnedBucket, key: str, content: bytes) -> None:
    bucket._client.put_object(Bucket=bucket.name, Key=key, Body=content)  # noqa: SLF001 what a collector does


def moved(bucket: OwnedBucket, monkeypatch: pytest.MonkeyPatch, old: set[str], days: float) -> None:
    """Let the gateway, and the collector in its documents, say that some objects were written so many days ago."""
    real, told = OwnedBucket.versions, OwnedBucket.facts_of

    def aged(self: OwnedBucket, prefix: str) -> Iterator[Version]:
        for each in real(self, prefix):
            is_old = any(name in each.key for name in old)
            yield replace(each, written=each.written - timedelta(days=days)) if is_old else each

    def told_aged(self: OwnedBucket, version: Version) -> dict[str, Any]:
        facts = told(self, version)
        if any(name in version.key for name in old):
            facts["ended"] = (datetime.fromisoformat(facts["ended"]) - timedelta(days=days)).isoformat()
        return facts

    monkeypatch.setattr(OwnedBucket, "versions", aged)
    monkeypatch.setattr(OwnedBucket, "facts_of", told_aged)


def test_versions_are_removed_for_good_and_the_rest_is_as_it_was(
    place: ArchivePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = owned(place)
    for number in range(1, 6):
        put(bucket, wal_key(SYSTEM, Segment(1, number).name), b"first")
    put(bucket, wal_key(SYSTEM, Segment(1, 1).name), b"again")
    put(bucket, wal_key(SYSTEM, Segment(1, 4).name), b"again")
    put(bucket, wal_key(SYSTEM, "00000002.history"), b"h")
    for label, number in (("a", 1), ("b", 3), ("c", 5)):
        base(bucket, label, number)
    old = {"/base/a", "/base/b", *(Segment(1, each).name for each in range(1, 5))}
    moved(bucket, monkeypatch, old, 9)
    before = len(files(place))
    pruned = prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True)
    assert (pruned.labels, pruned.wal) == (["a"], 3)
    left = {each.key.partition("/")[2] for each in bucket.versions(f"{SYSTEM}/")}
    assert left == {
        "base/b.json", "base/b.tar.gz.age", "base/c.json", "base/c.tar.gz.age", "kept.json",
        *(f"wal/{Segment(1, each).name}.gz.age" for each in range(3, 6)), "wal/00000002.history.gz.age",
    }  # fmt: skip
    assert len(files(place)) == before - 5 + 1, "five versions less on the disk, and the word about it"
    found = place.owner.get_object(Bucket=place.bucket, Key=wal_key(SYSTEM, Segment(1, 4).name))["Body"].read()
    assert found == b"again"
    assert sum(each.key.endswith(f"{Segment(1, 4).name}.gz.age") for each in bucket.versions(f"{SYSTEM}/wal/")) == 2


def test_old_versions_of_what_is_written_again_and_again_go(
    place: ArchivePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = owned(place)
    base(bucket, "a", 1)
    part = wal_key(SYSTEM, f"{Segment(1, 1).name}.partial")
    for content in (b"1", b"2", b"3"):
        put(bucket, part, content)
        put(bucket, status_key(SYSTEM), json.dumps({"covered_at": time.time()}).encode())
    moved(bucket, monkeypatch, {"partial", "status"}, 1)
    put(bucket, wal_key(SYSTEM, "00000001.history"), b"now")
    pruned = prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True)
    assert (pruned.wal, pruned.others) == (2, 2)
    assert [each.is_newest for each in bucket.versions(part)] == [True]
    assert place.owner.get_object(Bucket=place.bucket, Key=part)["Body"].read() == b"3"


def test_an_upload_that_broke_off_gives_its_room_back(place: ArchivePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = owned(place)
    base(bucket, "a", 1)
    key, of_bucket = base_key(SYSTEM, "b"), {"Bucket": place.bucket}
    begun = place.owner.create_multipart_upload(**of_bucket, Key=key)
    part = b"x" * 5 * 2**20
    place.owner.upload_part(**of_bucket, Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=part)

    def on_disk() -> int:
        return sum(each.stat().st_size for each in place.folder.rglob("*") if each.is_file())

    assert prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True).uploads == 0
    assert on_disk() > len(part)
    real = OwnedBucket.uploads
    aged = lambda self: [replace(each, begun=each.begun - timedelta(days=4)) for each in real(self)]  # noqa: E731
    monkeypatch.setattr(OwnedBucket, "uploads", aged)
    assert prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True).uploads == 1
    assert on_disk() < len(part)
    assert place.owner.list_multipart_uploads(**of_bucket).get("Uploads", []) == []


def test_an_account_of_a_site_removes_no_version_and_reads_what_retention_says(place: ArchivePlace) -> None:
    bucket = owned(place)
    base(bucket, "a", 1)
    put(bucket, wal_key(SYSTEM, Segment(1, 1).name), b"1")
    prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True)
    sites = OwnedBucket(ArchiveAccess(place.url, place.bucket, SECRET, place.authority.certificate), place.bucket)
    with pytest.raises(ArchiveError):
        sites.remove(list(bucket.versions(SYSTEM)))
    assert len(list(bucket.versions(SYSTEM))) == 4
    assert sites.facts(kept_key(SYSTEM))["problem"] == ""
    place.stop()
    with pytest.raises(ArchiveError):
        prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user may enter, which pytest's own is not."""
    made = Path(mkdtemp(prefix="shop-retention-"))
    made.chmod(0o755)
    yield made
    for restored in made.iterdir():
        if (restored / "data" / "postmaster.pid").exists():
            run([*as_server(BINARIES / "pg_ctl", restored), "-m", "immediate", "stop"], check=False)
    rmtree(made)


def is_told(bucket: OwnedBucket, after: float) -> bool:
    """Whether the collector's status, and not an earlier one of it, says that all up to a time is there."""
    covered = look(bucket, "commerce", "frankfurt").covered_at
    return covered is not None and covered.timestamp() > after


def test_a_database_is_restored_from_what_retention_left(
    place: ArchivePlace, database: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = owned(place)
    with place.collecting(place.settings(database, "spool")) as collector:
        soon("a base backup", lambda: len(place.facts()) == 1)
        database.query("commerce", "CREATE TABLE placed (i int)")
        for _ in range(3):
            database.query("commerce", "INSERT INTO placed SELECT generate_series(1, 1000)")
            database.admin("SELECT pg_switch_wal()")
        collector.state.want_base("another one")
        soon("a second base backup", lambda: len(place.facts()) == 2)
        database.query("commerce", "INSERT INTO placed SELECT generate_series(1, 1000)")
        time.sleep(1.5)
        before = datetime.now(UTC)
        time.sleep(1.5)
        database.query("commerce", "DROP TABLE placed")
        after = time.time()
        soon("all of it in the archive", lambda: (collector.state.covered_at or 0) > after + 1)
        collector._last_status = float("-inf")  # noqa: SLF001 what is told each minute is told now
        soon("that being told", lambda: is_told(bucket, after))
    first, second = sorted(place.facts(), key=lambda each: each["started"])
    (system,) = bucket.systems()
    cut = Segment.of(second["first_segment"])
    assert cut
    names = [Segment.of(each) for each in place.names(".gz.age")]
    old = {each.name for each in names if each and each.number < cut.number}
    assert old
    moved(bucket, monkeypatch, {first["label"], *old}, 9)
    pruned = prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True)
    assert pruned.labels == []
    nine = timedelta(days=9)
    assert pruned.stretches[0].begins == datetime.fromisoformat(first["ended"]) - nine, "it leads into the kept days"
    moved(bucket, monkeypatch, {second["label"]}, 9)
    pruned = prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True)
    assert pruned.labels == [first["label"]]
    assert not old & set(place.names(".gz.age"))
    told = look(bucket, "commerce", "frankfurt")
    assert [each.begins for each in told.stretches] == [datetime.fromisoformat(second["ended"]) - nine]
    assert told.missing == ()
    assert told.stretches[0].ends == told.covered_at
    assert bucket.facts(kept_key(system))["problem"] == ""
    lines = list(recover(find_pieces(bucket, before, place.key), before, folder / "restored", place.key, "commerce"))
    assert any("public.placed: 4000 rows" in line for line in lines)


def test_after_a_failover_retention_leaves_what_leads_to_both_sides_of_it(
    place: ArchivePlace, database: Cluster, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, follower = owned(place), Cluster(database)
    try:
        with place.collecting(place.settings(follower, "spool")) as collector:
            soon("a base backup", lambda: len(place.facts()) == 1)
            database.query("commerce", "CREATE TABLE placed AS SELECT generate_series(1, 1000) AS i")
            for _ in range(3):
                database.admin("SELECT pg_switch_wal()")
                database.query("commerce", "INSERT INTO placed SELECT generate_series(1, 1000)")
            database.admin("CHECKPOINT")
            wrote = database.query("commerce", "SELECT count(*) FROM placed")
            soon(
                "all of it at the follower", lambda: follower.query("commerce", "SELECT count(*) FROM placed") == wrote
            )
            follower.admin("CHECKPOINT")  # a restart point: a base backup of one that follows begins there
            collector.state.want_base("another one")
            soon("a second base backup", lambda: len(place.facts()) == 2)
            database.query("commerce", "INSERT INTO placed SELECT generate_series(1, 1000)")
            soon("it at the follower", lambda: follower.query("commerce", "SELECT count(*) FROM placed") == [(5000,)])
            time.sleep(1.5)
            before = datetime.now(UTC)
            time.sleep(1.5)
            database.stop()
            follower.promote()
            follower.query("commerce", "INSERT INTO placed SELECT generate_series(1, 1000)")
            follower.admin("SELECT pg_switch_wal()")
            soon("the new timeline", lambda: any(name.startswith("00000002") for name in place.names(".gz.age")))
            time.sleep(1.5)
            after = datetime.now(UTC)
            time.sleep(1.5)
            follower.query("commerce", "DROP TABLE placed")
            dropped = time.time()
            soon("all of it in the archive", lambda: (collector.state.covered_at or 0) > dropped + 1)
        first, second = sorted(place.facts(), key=lambda each: each["started"])
        begins = Segment.at(second["timeline"], second["start"])
        names = [each for each in map(Segment.of, place.names(".gz.age")) if each]
        old = {each.name for each in names if each.number < begins.number}
        assert old
        moved(bucket, monkeypatch, {first["label"], second["label"], *old}, 9)
        pruned = prune(bucket, Keeping(7, 1), datetime.now(UTC), execute=True)
        assert pruned.labels == [first["label"]]
        assert not old & set(place.names(".gz.age"))
        (left,) = pruned.stretches
        begun = datetime.fromisoformat(second["ended"]) - timedelta(days=9)
        assert (left.begins, left.last[:8]) == (begun, "00000002")
        for name, to, count in (("one", before, 5000), ("other", after, 6000)):
            pieces = find_pieces(bucket, to, place.key)
            lines = list(recover(pieces, to, folder / name, place.key, "commerce"))
            assert any(f"public.placed: {count} rows" in line for line in lines), lines
    finally:
        follower.remove()
