"""What retention removes from an archive, and what it never does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from versioned_bucket import NOW, SYSTEM, VersionedBucket, ago

from runbooks.pruning import pruning
from runbooks.pruning.choosing import Keeping, ListingError
from runbooks.pruning.holding import holding_of
from runbooks.pruning.pruning import Pruned, prune, prune_all
from runbooks.restore.archives import look
from shopsphere.clients.archive import ArchiveError
from shopsphere.clients.owned_archive import Upload
from shopsphere.estate.archive_names import Segment, base_facts_key, base_key, kept_key, status_key, wal_key
from shopsphere.foundation.errors import ShopSphereError

pytestmark = pytest.mark.requirement("old backups are removed, and nothing that a restore of the kept days needs")
WEEK = Keeping(days=7, base_backups=2)
HISTORY = wal_key(SYSTEM, "00000002.history")


def seg(number: int, timeline: int = 1) -> str:
    return Segment(timeline, number).name


def daily(days: int = 20) -> VersionedBucket:
    """Return a bucket with a base backup and a segment of each day: day d ago is segment `days - d`."""
    made = VersionedBucket()
    for each in range(days, -1, -1):
        made.base(each, days - each + 1)
    made.wal({days - each + 1: each for each in range(days, -1, -1)})
    return made


def run(bucket: VersionedBucket, keeping: Keeping = WEEK) -> Pruned:
    return prune(bucket, keeping, NOW, execute=True)


def test_seven_days_stay_with_the_base_backup_that_leads_into_them() -> None:
    bucket = daily()
    pruned = run(bucket)
    # Of 8 to 20 days ago 12 go; the one of 8 days ago is needed for what is a little less than 8 and more than 7.
    assert len(pruned.labels) == 12
    assert bucket.labels()[0] == f"{ago(8):%Y%m%dT%H%M%SZ}"
    assert len(bucket.labels()) == 9
    assert bucket.names() == [seg(each) for each in range(13, 22)]
    assert pruned.wal == 12
    (left,) = pruned.stretches
    assert (left.begins, left.last, left.missing) == (ago(8), seg(21), "")


def test_a_dry_run_removes_and_writes_nothing() -> None:
    bucket = daily()
    before = list(bucket.held)
    told = prune(bucket, WEEK, NOW, execute=False)
    assert bucket.held == before
    assert (len(told.labels), told.wal) == (12, 12)
    (line, *_) = told.lines(execute=False)
    assert "would remove 12 base backups" in line
    assert next(run(bucket).lines(execute=True)).startswith("commerce-frankfurt: removed 12 base backups")


def test_a_second_run_finds_nothing() -> None:
    bucket = daily()
    run(bucket)
    left = [each for each in bucket.held if each.key != kept_key(SYSTEM)]
    again = run(bucket)
    assert (again.labels, again.wal, again.others) == ([], 0, 0)
    assert [each for each in bucket.held if each.key != kept_key(SYSTEM)] == left


@pytest.mark.parametrize("after", [0, 1, 2, 7, 23, 24, 30])
def test_a_run_that_was_killed_is_gone_on_with(after: int) -> None:
    bucket = daily()
    bucket.breaks_after = after
    with pytest.raises(KeyboardInterrupt):
        run(bucket)
    bucket.breaks_after = None
    told = look(bucket, "commerce", "frankfurt")
    assert [each.begins for each in told.stretches] == [ago(8)], "nobody is told of what may be gone already"
    run(bucket)
    assert len(bucket.labels()) == 9
    assert bucket.names() == [seg(each) for each in range(13, 22)]


def test_a_run_is_bounded_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "MOST_REMOVED", 5)
    bucket = daily()
    first = run(bucket)
    assert len(bucket.removed) == 5
    assert "the next run goes on" in list(first.lines(execute=True))[1]
    runs = 1
    while run(bucket).stopped:
        runs += 1
        assert runs < 20
    assert bucket.names() == [seg(each) for each in range(13, 22)]
    clock = iter([0.0, *[pruning.MOST_SECONDS + 1] * 100])
    late = prune(daily(), WEEK, NOW, execute=True, monotonic=lambda: next(clock))
    assert (late.versions, bool(late.stopped)) == (0, True)


def test_so_many_base_backups_stay_however_old() -> None:
    bucket = VersionedBucket()
    for each in (40, 30, 20, 10):
        bucket.base(each, 50 - each)
    bucket.wal({each: 50 - each for each in range(10, 51)})
    bucket.status()
    run(bucket, Keeping(days=7, base_backups=3))
    assert bucket.labels() == [f"{ago(each):%Y%m%dT%H%M%SZ}" for each in (30, 20, 10)]
    assert bucket.names()[0] == seg(20)


def test_an_archive_that_nothing_reaches_any_more_loses_nothing() -> None:
    bucket = daily()
    run(bucket)
    left = [each for each in bucket.held if each.key != kept_key(SYSTEM)]
    bucket.held = list(left)
    prune(bucket, WEEK, NOW + timedelta(days=400), execute=True)
    assert [each for each in bucket.held if each.key != kept_key(SYSTEM)] == left


def test_a_time_of_the_future_removes_nothing_that_is_young() -> None:
    """That of the question alone: tests/model/test_archive_clocks.py has what the archive itself gets wrong."""
    bucket = daily()
    prune(bucket, WEEK, NOW + timedelta(days=4000), execute=True)
    assert bucket.names() == [seg(each) for each in range(13, 22)]


def test_wal_of_the_base_backups_own_beginning_stays() -> None:
    bucket = daily()
    bucket.base(7.9, 14, start=11)
    run(bucket)
    assert bucket.names()[0] == seg(11)


def test_after_a_failover_the_earlier_timeline_and_all_histories_stay() -> None:
    bucket = VersionedBucket()
    bucket.base(9, 10)
    bucket.base(8, 20)
    bucket.base(5, 41, timeline=2)
    bucket.wal({10: 9, 15: 8.5, **{each: 8 - (each - 20) * 0.1 for each in range(20, 41)}})
    # The other site had only up to 38 when it was promoted, so that the new timeline begins there.
    bucket.wal({each: 5.9 - (each - 38) * 0.1 for each in range(38, 98)}, timeline=2)
    bucket.put(HISTORY, 50, ago(5.9))
    bucket.status()
    bucket.put(wal_key(SYSTEM, "00000001.history"), 50, ago(30))
    run(bucket, Keeping(days=7, base_backups=1))
    names = bucket.names()
    assert [each for each in names if each.startswith("00000001") and "history" not in each] == [
        seg(each) for each in range(20, 41)
    ]
    assert [each for each in names if each.startswith("00000002") and "history" not in each] == [
        seg(each, 2) for each in range(38, 98)
    ]
    assert [each for each in names if "history" in each] == ["00000001.history", "00000002.history"]
    assert bucket.labels() == [f"{ago(each):%Y%m%dT%H%M%SZ}" for each in (8, 5)]


def test_a_base_backup_of_a_timeline_that_was_left_leads_nowhere_so_an_older_one_stays() -> None:
    bucket = VersionedBucket()
    bucket.base(10, 20)
    bucket.base(8, 40)  # taken from a primary whose last hours the other site never had
    bucket.base(1, 50, timeline=2)
    bucket.wal({each: 10 - (each - 20) * 0.1 for each in range(20, 42)})
    bucket.wal({each: 7.5 - (each - 35) * 0.3 for each in range(35, 61)}, timeline=2)
    run(bucket, Keeping(days=7, base_backups=1))
    assert f"{ago(10):%Y%m%dT%H%M%SZ}" in bucket.labels()
    assert bucket.names()[0] == seg(20)


def test_wal_of_the_kept_days_stays_whatever_its_number() -> None:
    bucket = VersionedBucket()
    bucket.base(8, 40)
    bucket.wal(dict.fromkeys(range(40, 50), 9))
    bucket.wal(dict.fromkeys(range(30, 60), 1), timeline=2)
    bucket.status(ago(1))
    run(bucket, Keeping(days=7, base_backups=1))
    assert seg(30, 2) in bucket.names()


def test_a_database_that_was_made_anew_stays_for_the_kept_days_and_then_goes() -> None:
    bucket = daily()
    bucket.base(25, 3, system="6000")
    bucket.wal({3: 25, 4: 22}, system="6000")
    bucket.base(25, 3, system="6001")
    bucket.wal({3: 25, 4: 6.9}, system="6001")
    bucket.put(status_key("6000"), b"{}", ago(22))
    run(bucket)
    assert bucket.systems() == ["6001", SYSTEM]
    assert bucket.names("6001") == [seg(3), seg(4)]


def test_the_database_before_stays_while_the_new_one_has_too_little() -> None:
    bucket = VersionedBucket()
    bucket.base(1, 3)
    bucket.wal({3: 1, 4: 0})
    bucket.base(25, 3, system="6000")
    bucket.wal({3: 25, 4: 22}, system="6000")
    run(bucket)
    assert bucket.names("6000") == [seg(3), seg(4)]


def test_parts_that_were_replaced_go_and_the_newest_stays() -> None:
    bucket = daily()
    part, newest = f"{seg(20)}.partial", f"{seg(22)}.partial"
    for each in (part, newest):
        for hours in (30, 29, 28, 0.5):
            bucket.put(wal_key(SYSTEM, each), 60, NOW - timedelta(hours=hours))
    for hours in (30, 29, 0.2):
        bucket.put(status_key(SYSTEM), b"{}", NOW - timedelta(hours=hours))
    run(bucket)
    assert part not in bucket.names()
    kept = [NOW - each.written for each in bucket.held if each.key == wal_key(SYSTEM, newest)]
    assert kept == [timedelta(hours=28), timedelta(hours=0.5)], "it was replaced half an hour ago"
    assert len([each for each in bucket.held if each.key == status_key(SYSTEM)]) == 2


def test_what_a_taken_over_site_wrote_over_stays_as_it_was() -> None:
    bucket = daily()
    young = bucket.labels()[-1]
    wrong = {"label": young, "timeline": 1, "first_segment": seg(9999), "start": "9/0", "end": "9/0", "bytes": 1}
    for label in bucket.labels():
        bucket.put(base_key(SYSTEM, label), 5)
        bucket.put(base_facts_key(SYSTEM, label), json.dumps(wrong).encode())
    for number in range(13, 22):
        bucket.put(wal_key(SYSTEM, seg(number)), 3)
    assert holding_of(bucket, SYSTEM).wal[seg(15)] == ago(6), "when it was sent first"
    run(bucket)
    assert bucket.names() == [seg(each) for each in range(13, 22)]
    sizes = {each.size for each in bucket.held if each.key == base_key(SYSTEM, young)}
    assert sizes == {1000, 5}
    assert {each.size for each in bucket.held if "/wal/" in each.key} == {100, 3}


def test_what_broke_off_goes_once_it_is_old() -> None:
    bucket = daily()
    for days in (9, 1):
        bucket.put(base_key(SYSTEM, f"broken{days}"), 17, ago(days))
    run(bucket)
    assert [each for each in bucket.labels() if "broken" in each] == ["broken1"]


def _without_base(bucket: VersionedBucket) -> None:
    bucket.held = [each for each in bucket.held if "/base/" not in each.key]


def _without_tars(bucket: VersionedBucket) -> None:
    bucket.held = [each for each in bucket.held if ".tar" not in each.key]


def _with_hole(bucket: VersionedBucket) -> None:
    bucket.wal({22: 0.1, 23: 0.1, 25: 0.1})


def _unreadable(bucket: VersionedBucket) -> None:
    bucket.put(base_key(SYSTEM, "unread"), 1000, ago(3))
    bucket.put(base_facts_key(SYSTEM, "unread"), b"{", ago(3))


def _empty(bucket: VersionedBucket) -> None:
    bucket.held = []


REFUSED: dict[str, Any] = {
    "no base backup of 7001 is whole": _without_base,
    "21 in part": _without_tars,
    f"no {seg(24)}": _with_hole,
    "unread.json": _unreadable,
    "no backup at all": _empty,
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_does_not_fit_together_is_left_alone(said: str) -> None:
    bucket = daily()
    REFUSED[said](bucket)
    before = list(bucket.held)
    with pytest.raises(ListingError, match="nothing was removed") as refused:
        run(bucket)
    assert said in str(refused.value)
    assert [each for each in bucket.held if each.key != kept_key(SYSTEM)] == before
    if before:
        told = look(bucket, "commerce", "frankfurt")
        assert "nothing was removed" in told.pruning_problem
        assert (told.looked_at, told.pruned_at) == (NOW, None)


def test_a_hole_that_a_base_backup_came_after_is_said_and_keeps_nothing_from_going() -> None:
    bucket = daily()
    bucket.held = [each for each in bucket.held if each.key != wal_key(SYSTEM, seg(17))]
    pruned = run(bucket)
    assert len(pruned.labels) == 12
    first, second = pruned.stretches
    assert (first.begins, first.last, first.missing, first.lost_by) == (ago(8), seg(16), seg(17), ago(3))
    assert (second.begins, second.last) == (ago(3), seg(21))


def test_one_bucket_that_is_refused_hides_no_other() -> None:
    good, bad = daily(), VersionedBucket("ledger-frankfurt")
    said: list[str] = []
    with pytest.raises(ShopSphereError, match="ledger-frankfurt: no backup at all"):
        said.extend(prune_all([bad, good], WEEK, NOW, execute=True))
    assert bad.held == []
    assert len(good.labels()) == 9


def test_an_archive_that_is_silent_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = daily()

    def silent() -> list[str]:
        raise ArchiveError("the archive does not answer")

    monkeypatch.setattr(bucket, "systems", silent)
    with pytest.raises(ShopSphereError, match="commerce-frankfurt: the archive does not answer"):
        list(prune_all([bucket], WEEK, NOW, execute=True))


def test_since_when_there_are_backups_is_remembered() -> None:
    bucket = daily()
    run(bucket)
    assert look(bucket, "commerce", "frankfurt").begun == ago(20)
    run(bucket)
    assert look(bucket, "commerce", "frankfurt").begun == ago(20)


def test_when_everything_fitted_together_last_is_remembered() -> None:
    bucket = daily()
    run(bucket)
    bucket.wal({22: 0.1, 24: 0.1})
    with pytest.raises(ListingError):
        prune(bucket, WEEK, NOW + timedelta(hours=5), execute=True)
    told = look(bucket, "commerce", "frankfurt")
    assert (told.looked_at, told.pruned_at) == (NOW + timedelta(hours=5), NOW)


def test_of_one_object_the_newest_version_goes_last() -> None:
    bucket = daily()
    key = wal_key(SYSTEM, seg(1))
    bucket.put(key, 3, ago(19))
    before = len(list(bucket.versions(key)))
    assert before == 2
    bucket.breaks_after = 25  # twelve base backups of two objects, and one version of the first segment
    with pytest.raises(KeyboardInterrupt):
        run(bucket)
    assert [(each.size, each.is_newest) for each in bucket.versions(key)] == [(3, True)]


def test_uploads_that_broke_off_are_ended_and_one_that_goes_on_is_not() -> None:
    bucket = daily()
    old, young = (Upload(base_key(SYSTEM, "x"), f"u{days}", ago(days)) for days in (3.1, 2.9))
    bucket.on_their_way = [old, young]
    assert prune(bucket, WEEK, NOW, execute=False).uploads == 1
    assert bucket.on_their_way == [old, young]
    run(bucket)
    assert bucket.on_their_way == [young]
