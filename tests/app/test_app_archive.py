"""The collector of backups against a real PostgreSQL and a real archive."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from archive_place import ArchivePlace, soon
from postgres_cluster import Cluster

from app.archive import bases
from app.archive import collector as collecting
from app.archive.names import Segment
from app.archive.settings import MEBIBYTE

pytestmark = pytest.mark.requirement("a database's WAL and base backups are in the archive, encrypted, without a gap")


def switch(cluster: Cluster, times: int = 1) -> None:
    for _ in range(times):
        cluster.admin("CREATE TABLE IF NOT EXISTS planted_name (i int)")
        cluster.admin("INSERT INTO planted_name SELECT generate_series(1, 1000)")
        cluster.admin("SELECT pg_switch_wal()")


def whole(place: ArchivePlace) -> list[int]:
    """Return the numbers of the whole segments that are in the archive."""
    found = [Segment.of(name) for name in place.names(".gz.age") if "." not in name]
    return sorted(each.number for each in found if each)


def current(cluster: Cluster) -> int:
    name = cluster.query("commerce", "SELECT pg_walfile_name(pg_current_wal_lsn() + 1)")[0][0]
    found = Segment.of(name)
    assert found
    return found.number


def test_a_base_backup_and_wal_come_by_themselves_and_nothing_is_in_clear(
    place: ArchivePlace, database: Cluster
) -> None:
    with place.collecting(place.settings(database, "spool")) as collector:
        soon("a base backup", lambda: len(place.facts()) == 1)
        switch(database, 2)
        last = current(database) - 1
        soon("the last full segment", lambda: last in whole(place))
        database.admin("INSERT INTO planted_name VALUES (7)")
        soon("its partial one", lambda: any("partial" in name for name in place.names(".gz.age")))
        soon("everything sent", lambda: collector.state.covered_at is not None and not collector.state.base_wanted)
        assert "archive_gap_open 0" in collector.state.metrics()
    facts = place.facts()[0]
    with tarfile.open(fileobj=io.BytesIO(place.opened(f"{facts['system']}/base/{facts['label']}.tar.gz.age"))) as tar:
        names = tar.getnames()
    assert {"backup_label", "backup_manifest", "PG_VERSION"} <= set(names)
    first = Segment.of(facts["first_segment"])
    assert first
    numbers = whole(place)
    assert set(range(first.number, last + 1)) <= set(numbers)
    for file in (place.folder / "store").rglob("*.age"):
        assert file.read_bytes().startswith(b"age-encryption.org/v1")
    sealed = place.opened(next(key for key in list(place.keys()) if key.endswith(f"{last:08X}.gz.age")))
    assert len(sealed) == 16 * MEBIBYTE


def test_another_pod_goes_on_where_the_last_one_ended(place: ArchivePlace, database: Cluster) -> None:
    with place.collecting(place.settings(database, "one")):
        soon("a base backup", lambda: len(place.facts()) == 1)
        switch(database)
        last = current(database) - 1
        soon("the segment", lambda: last in whole(place))
    switch(database, 3)
    with place.collecting(place.settings(database, "another")) as collector:
        wanted = set(range(last, current(database)))
        soon("what came about meanwhile", lambda: wanted <= set(whole(place)))
        assert collector.state.gaps == []
    assert len(place.facts()) == 1
    for key in list(place.keys()):  # no stand-in was sent: what the archive has is what the database wrote
        if key.endswith(".gz.age") and "/wal/" in key and "partial" not in key:
            assert place.opened(key)[:2] != b"\0\0", key


def test_wal_that_the_database_removed_is_a_gap_and_a_new_base_backup(place: ArchivePlace, database: Cluster) -> None:
    with place.collecting(place.settings(database, "one")):
        soon("a base backup", lambda: len(place.facts()) == 1)
        switch(database)
        last = current(database) - 1
        soon("the segment", lambda: last in whole(place))
    for _ in range(4):
        switch(database, 2)
        database.admin("CHECKPOINT")
    time.sleep(1.1)  # a label is made of the second
    with place.collecting(place.settings(database, "another")) as collector:
        soon("a second base backup", lambda: len(place.facts()) == 2)
        soon("no gap after it", lambda: not collector.state.open_gap)
        assert any("removed" in each for each in collector.state.gaps)
    first = Segment.of(place.facts()[1]["first_segment"])
    assert first
    assert first.number > last + 1


def test_an_archive_that_is_away_delays_nothing_and_the_folder_stays_small(
    place: ArchivePlace, database: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "pause_after", lambda _failures: 2.0)  # a minute is waited for by nobody here
    settings = replace(place.settings(database, "spool"), most_bytes=64 * MEBIBYTE)
    with place.collecting(settings) as collector:
        soon("a base backup", lambda: len(place.facts()) == 1)
        place.stop()
        for _ in range(8):
            began = time.monotonic()
            switch(database)
            assert time.monotonic() - began < 60, "the archive is away until the end of this test"
            time.sleep(0.5)
        soon("dropped segments", lambda: collector.state.dropped_segments > 0)
        soon("a small folder", lambda: collector.state.waiting_bytes <= 64 * MEBIBYTE)
        assert "archive_store_answers 0" in collector.state.metrics()
        database.stop("fast")  # which fails after a minute
        database.start()
        place.start()
        soon("a base backup after the gap", lambda: len(place.facts()) == 2, seconds=120)
        soon("no gap after it", lambda: not collector.state.open_gap)


def test_a_collector_that_starts_while_the_archive_is_away_waits_and_leaves_no_gap(
    place: ArchivePlace, database: Cluster
) -> None:
    with place.collecting(place.settings(database, "spool")):
        soon("a base backup", lambda: len(place.facts()) == 1)
    switch(database, 2)
    last = current(database) - 1
    place.stop()
    with place.collecting(place.settings(database, "other")) as collector:  # as a pod that is made anew
        time.sleep(5)
        place.start()
        time.sleep(1)
        soon("what was written meanwhile", lambda: last in whole(place))
        assert collector.state.gaps == []


def test_what_was_not_received_before_the_archive_told_is_a_gap(
    place: ArchivePlace, database: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collecting, "FIRST_LOOK_SECONDS", 0.0)
    with place.collecting(place.settings(database, "spool")):
        soon("a base backup", lambda: len(place.facts()) == 1)
    for key in filter(lambda each: "/wal/" in each, place.keys()):  # as where none was full yet
        place.owner.delete_object(Bucket=place.bucket, Key=key)
    switch(database, 2)
    settings = place.settings(database, "other")
    place.stop()
    with place.collecting(settings) as collector:
        soon("something received", lambda: any((settings.spool / "wal").glob("*.partial")))
        place.start()
        time.sleep(1)
        soon("the gap", lambda: any("nothing between" in each for each in collector.state.gaps))
        soon("a base backup that closes it", lambda: len(place.facts()) == 2)


def test_a_promotion_goes_on_in_the_same_bucket(place: ArchivePlace, database: Cluster) -> None:
    follower = Cluster(database)
    try:
        with place.collecting(place.settings(follower, "spool")) as collector:
            soon("a base backup from the site that follows", lambda: len(place.facts()) == 1)
            switch(database)
            number = current(database) - 1
            soon("the segment", lambda: number in whole(place))
            database.stop()
            follower.promote()
            switch(follower, 2)
            soon("the new timeline's history", lambda: "00000002.history" in place.names(".gz.age"))
            soon("its segments", lambda: any(name.startswith("00000002") for name in place.names(".gz.age")))
            last = current(follower) - 1
            soon("its last one", lambda: last in whole(place))
            assert collector.state.gaps == []
    finally:
        follower.remove()


def test_an_instance_that_lacks_the_history_of_a_timeline_is_a_gap_and_a_new_base_backup(
    place: ArchivePlace, database: Cluster
) -> None:
    follower = Cluster(database)
    try:
        with place.collecting(place.settings(follower, "one")):
            soon("a base backup", lambda: len(place.facts()) == 1)
            database.stop()
            follower.promote()
            switch(follower)
            soon("its segments", lambda: any(name.startswith("00000002") for name in place.names(".gz.age")))
        follower.stop("fast")
        (follower.data / "standby.signal").touch()
        follower.start()
        follower.promote()
        switch(follower)
        (follower.data / "pg_wal" / "00000002.history").unlink()  # as in an instance that was copied on the third one
        time.sleep(1.1)  # a label is made of the second
        with place.collecting(place.settings(follower, "another")) as collector:
            soon("a second base backup", lambda: len(place.facts()) == 2)
            soon("no gap after it", lambda: not collector.state.open_gap)
            assert any("no history of a timeline" in each for each in collector.state.gaps)
    finally:
        follower.remove()


def test_the_account_of_a_site_deletes_nothing_and_sees_no_other_bucket(place: ArchivePlace, database: Cluster) -> None:
    import boto3  # noqa: PLC0415
    from archive_place import SECRET  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    place.accounts.ensure_account("commerce-dublin", SECRET)
    place.accounts.ensure_bucket("commerce-dublin", readers=())
    own = boto3.session.Session().client(
        "s3", endpoint_url=place.url, aws_access_key_id=place.bucket, aws_secret_access_key=SECRET,
        region_name="us-east-1", verify=str(place.authority.certificate),
    )  # fmt: skip
    own.put_object(Bucket=place.bucket, Key="a", Body=b"x")
    refusals: tuple[Callable[[], object], ...] = (
        lambda: own.delete_object(Bucket=place.bucket, Key="a"),
        lambda: own.put_object(Bucket="commerce-dublin", Key="a", Body=b"x"),
        lambda: own.list_objects_v2(Bucket="commerce-dublin"),
        lambda: own.delete_bucket_policy(Bucket=place.bucket),
        lambda: own.put_bucket_versioning(Bucket=place.bucket, VersioningConfiguration={"Status": "Suspended"}),
    )
    for refused in refusals:
        # The gateway may end the connection before it has read what it refuses.
        with pytest.raises((ClientError, BotoCoreError)):
            refused()
    assert "Contents" not in place.owner.list_objects_v2(Bucket="commerce-dublin")
    assert place.keys() == ["a"]
