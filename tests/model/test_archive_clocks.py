"""Retention where a clock is wrong: that of the archive, which its objects have their times from, or a collector's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from versioned_bucket import NOW, SYSTEM, VersionedBucket, ago

from runbooks.pruning.choosing import Keeping, ListingError
from runbooks.pruning.pruning import prune
from runbooks.restore.archives import look
from shopsphere.clients.owned_archive import Upload
from shopsphere.estate.archive_names import Segment, base_key, kept_key, status_key, wal_key

pytestmark = pytest.mark.requirement("old backups are removed, and nothing that a restore of the kept days needs")
MONTH = Keeping(days=30, base_backups=3)
JUMP = timedelta(days=31)


def daily(days: int = 33) -> VersionedBucket:
    """Return a bucket with a base backup and a segment of each day, and what its collector says."""
    made = VersionedBucket()
    for each in range(days, -1, -1):
        made.base(each, days - each + 1)
    made.wal({days - each + 1: each for each in range(days, -1, -1)})
    made.status()
    return made


def held(bucket: VersionedBucket) -> list[tuple[str, str]]:
    return [(each.key, each.version) for each in bucket.held if each.key != kept_key(SYSTEM)]


def shifted(bucket: VersionedBucket, by: timedelta) -> None:
    """Let the archive's clock have been wrong while all of it was written."""
    bucket.held = [replace(each, written=each.written + by) for each in bucket.held]


def refused(bucket: VersionedBucket, by: timedelta) -> str:
    before = held(bucket)
    with pytest.raises(ListingError, match="clock and its collector's differ") as error:
        prune(bucket, MONTH, NOW + by, execute=True)
    assert held(bucket) == before
    told = look(bucket, "commerce", "frankfurt")
    assert "clock" in told.pruning_problem
    assert told.pruned_at is None
    return str(error.value)


@pytest.mark.parametrize("has_status", [True, False])
@pytest.mark.parametrize("has_base", [True, False])
def test_an_archives_clock_that_jumps_with_the_objects_of_the_last_minutes(*, has_base: bool, has_status: bool) -> None:
    bucket = daily()
    bucket.put(wal_key(SYSTEM, Segment(1, 35).name), 100, NOW + JUMP)
    if has_base:
        base = bucket.base(-0.001, 35)
        bucket.held = [replace(each, written=NOW + JUMP) if base in each.key else each for each in bucket.held]
    bucket.held = [each for each in bucket.held if each.key != status_key(SYSTEM)]
    if has_status:
        bucket.status(NOW + timedelta(minutes=2), NOW + JUMP)
    young = Upload(base_key(SYSTEM, "x"), "u", NOW)
    bucket.on_their_way = [young]
    said = refused(bucket, JUMP)
    assert "found:    2026-12-31 12:00:00 UTC by the archive's clock" in said
    assert bucket.on_their_way == [young]


def test_a_jump_of_hours_makes_nothing_older_than_the_collector_says() -> None:
    bucket, by = daily(), timedelta(hours=20)
    bucket.put(wal_key(SYSTEM, Segment(1, 35).name), 100, NOW + by)
    pruned = prune(bucket, MONTH, NOW + by, execute=True)
    assert pruned.stretches[0].begins == ago(31)
    assert len(pruned.labels) == 2


def test_a_clock_that_is_right_again_keeps_nothing_from_going() -> None:
    bucket = daily()
    label = bucket.base(0.5, 34)
    bucket.held = [
        replace(each, written=each.written + JUMP) if label in each.key or Segment(1, 33).name in each.key else each
        for each in bucket.held
    ]
    assert len(prune(bucket, MONTH, NOW, execute=True).labels) == 2
    assert label in bucket.labels()


def test_a_clock_that_was_behind_and_is_set_makes_nothing_old() -> None:
    bucket = daily()
    shifted(bucket, -JUMP)
    bucket.put(wal_key(SYSTEM, Segment(1, 35).name), 100, NOW)
    bucket.status()
    pruned = prune(bucket, MONTH, NOW, execute=True)
    assert pruned.stretches[0].begins == ago(31)
    assert len(bucket.labels()) == 32


def test_a_database_that_was_made_anew_is_not_older_for_a_clock_that_was_behind() -> None:
    bucket = daily()
    bucket.base(5, 3, system="6000")
    bucket.wal({3: 5, 4: 5}, system="6000")
    bucket.held = [replace(each, written=each.written - JUMP) if "6000" in each.key else each for each in bucket.held]
    prune(bucket, MONTH, NOW, execute=True)
    assert "6000" in bucket.systems()


@pytest.mark.parametrize("days", [-4000, -31, 31, 4000])
def test_a_collector_that_lies_about_what_is_covered_makes_nothing_go(days: int) -> None:
    bucket = daily()
    bucket.held = [each for each in bucket.held if each.key != status_key(SYSTEM)]
    bucket.status(NOW + timedelta(days=days))
    if days > 0:
        refused(bucket, timedelta(0))
    else:  # what its base backups say is newer
        assert len(prune(bucket, MONTH, NOW, execute=True).labels) == 2


def test_an_archives_clock_that_falls_behind_is_said() -> None:
    bucket = daily()
    assert "expected: objects of 2026-11-30 12:00:00 UTC" in refused(bucket, timedelta(days=-4000))
