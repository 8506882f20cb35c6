"""Between which times a database can be restored: told from the archive, promised, judged, and refused outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from versioned_bucket import NOW, SYSTEM, VersionedBucket, ago

from cli.backups import backups as backups_command
from runbooks.metrics.sources import backups as source
from runbooks.pruning.choosing import Keeping
from runbooks.pruning.pruning import prune
from runbooks.readiness.p12_backups import judge, window_short
from runbooks.restore import beside
from runbooks.restore.archives import Backup, look
from runbooks.restore.pieces import Wanted
from runbooks.restore.reachable import require_reachable
from runbooks.restore.stretches import KeptRecord, Stretch, stretches_of, whole_time
from shopsphere.clients.archive import ArchiveError, Kept
from shopsphere.estate.archive_names import Segment, kept_key, status_key
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.foundation.finding import Verdict
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("from when to when each database can be restored is told, promised and judged")
TOPOLOGY = load_topology()


def seg(number: int, timeline: int = 1) -> str:
    return Segment(timeline, number).name


def base(days: float, number: int, timeline: int = 1) -> dict[str, Any]:
    return {"ended": ago(days).isoformat(), "first_segment": seg(number, timeline)}


def wal(ages: Mapping[int, float], timeline: int = 1) -> dict[str, datetime]:
    return {seg(number, timeline): ago(days) for number, days in ages.items()}


def told(*stretches: Stretch) -> list[tuple[datetime, datetime, str]]:
    return [(each.begins, each.ends, each.missing) for each in stretches]


def test_it_begins_where_the_oldest_base_backup_ended_and_ends_with_what_is_covered() -> None:
    found = stretches_of([base(2, 6), base(9, 3)], wal({each: 9 - each for each in range(3, 10)}), None, ago(0.01))
    assert told(*found) == [(ago(9), ago(0.01), "")]
    found = stretches_of([base(9, 3)], wal({3: 6, 4: 5}), None, None)
    assert told(*found) == [(ago(9), ago(5), "")], "the collector says nothing"


def test_a_hole_splits_and_the_next_base_backup_begins_anew() -> None:
    names = wal({3: 9, 4: 8, 6: 5, 7: 4, 8: 3})
    found = stretches_of([base(9, 3), base(4, 7)], names, None, NOW)
    assert told(*found) == [(ago(9), ago(8), seg(5)), (ago(4), NOW, "")]
    assert found[0].lost_by == ago(5)
    assert whole_time(found) == (ago(4), NOW)


def test_what_the_collector_sent_and_is_not_there_is_missing() -> None:
    found = stretches_of([base(9, 3)], wal({3: 9, 4: 8}), Segment(1, 5), NOW)
    assert told(*found) == [(ago(9), ago(8), seg(5))]


def test_a_failover_splits_nothing_and_a_timeline_that_was_left_leads_nowhere() -> None:
    names = wal({3: 9, 4: 8, 5: 7}) | wal({5: 6, 6: 5}, timeline=2)
    assert told(*stretches_of([base(9, 3)], names, None, NOW)) == [(ago(9), NOW, "")]
    names = wal({3: 9, 4: 8, 5: 7, 6: 7}) | wal({5: 6, 6: 5}, timeline=2)
    found = stretches_of([base(8, 6), base(5, 6, 2)], names, None, NOW)
    assert told(*found) == [(ago(5), NOW, "")]


def test_a_base_backup_that_nothing_came_after_yet_is_itself() -> None:
    assert told(*stretches_of([base(1, 9)], wal({8: 2}), None, None)) == [(ago(1), ago(1), "")]
    assert told(*stretches_of([base(1, 9)], wal({10: 0.5}), None, None)) == [], "its end was lost"


def test_either_sites_bucket_is_enough() -> None:
    holed = stretches_of([base(9, 3), base(2, 7)], wal({3: 9, 4: 8, 6: 4, 7: 2}), None, ago(0.5))
    whole = stretches_of([base(7, 5)], wal({5: 7, 6: 6}), None, ago(1))
    assert whole_time([*holed, *whole]) == (ago(7), ago(0.5))
    late = stretches_of([base(8.5, 5)], wal({5: 7, 6: 6}), None, ago(1))
    assert whole_time([*holed, *late]) == (ago(9), ago(0.5)), "the other bucket has what is missing here"
    assert whole_time([]) is None


def kept(days: int = 20) -> VersionedBucket:
    """Return a bucket that retention looked at a while ago, and that was written since."""
    made = VersionedBucket()
    for each in range(days, -1, -1):
        made.base(each, days - each + 1)
    made.wal({days - each + 1: each for each in range(days, -1, -1)})
    prune(made, Keeping(7, 2), NOW, execute=True)
    made.put_facts(status_key(SYSTEM), {"covered_at": NOW.timestamp(), "newest": ""})
    return made


def test_what_came_after_retention_looked_is_taken_up_without_a_list_of_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket = kept()
    bucket.wal({22: -0.1, 23: -0.2})
    asked: list[str] = []
    real = bucket.listed

    def listed(prefix: str, after: str = "") -> Iterator[Kept]:
        asked.append(after)
        return real(prefix, after)

    monkeypatch.setattr(bucket, "listed", listed)
    found = look(bucket, "commerce", "frankfurt")
    assert told(*found.stretches) == [(ago(8), NOW, "")]
    assert found.stretches[0].last == seg(23)
    assert [each for each in asked if each] == [f"{SYSTEM}/wal/{seg(21)}"]
    assert found.begun == ago(20)
    assert found.pruned_at == NOW


def test_the_end_is_what_the_collector_says_and_not_when_a_file_was_sent() -> None:
    bucket = kept()
    assert look(bucket, "commerce", "frankfurt").stretches[0].ends == NOW
    bucket.put_facts(status_key(SYSTEM), {"covered_at": ago(0.3).timestamp(), "newest": ""})
    assert look(bucket, "commerce", "frankfurt").stretches[0].ends == ago(0.3)
    (left,) = prune(bucket, Keeping(7, 2), NOW, execute=True).stretches
    assert left.ends == ago(0.3)


def test_a_hole_after_retention_looked_ends_what_it_knew() -> None:
    bucket = kept()
    bucket.wal({22: -0.1, 24: -0.3})
    found = look(bucket, "commerce", "frankfurt")
    assert told(*found.stretches) == [(ago(8), ago(-0.1), seg(23))]
    assert found.missing == (seg(23),)
    bucket.base(-0.4, 24)
    found = look(bucket, "commerce", "frankfurt")
    assert found.missing == ()
    assert [(each.begins, each.missing) for each in found.stretches] == [(ago(8), seg(23)), (ago(-0.4), "")]


def test_without_retention_what_follows_from_the_newest_base_backup_is_known() -> None:
    bucket = kept()
    bucket.held = [each for each in bucket.held if each.key != kept_key(SYSTEM)]
    found = look(bucket, "commerce", "frankfurt")
    assert told(*found.stretches) == [(NOW, NOW, "")]
    assert (found.pruned_at, found.begun) == (None, ago(8))
    bucket.put(kept_key(SYSTEM), b'{"looked_at": 7}')
    assert look(bucket, "commerce", "frankfurt").pruned_at is None


def test_a_record_is_read_as_it_was_written() -> None:
    record = KeptRecord(NOW, ago(3), (Stretch(ago(2), ago(1), seg(4), seg(5), ago(0.5)),), "no", ago(4))
    assert KeptRecord.of(record.as_json()) == record
    for wrong in ({}, {**record.as_json(), "stretches": [{}]}, {**record.as_json(), "begun": "x"}):
        with pytest.raises(ValueError, match=r"no|Invalid"):
            KeptRecord.of(wrong)


# Judged.
def backup(site: str, begins: float, **changed: Any) -> Backup:
    made = Backup(
        "commerce", site, ago(0.1), NOW, stretches=(Stretch(ago(begins), NOW, seg(9)),), begun=ago(40), kept_days=30,
        looked_at=ago(0.5), pruned_at=ago(0.5),
    )  # fmt: skip
    return replace(made, **changed)


def judged(*found: Backup) -> tuple[Verdict, str]:
    finding = judge("rdc-a", found, NOW)
    return finding.verdict, finding.found


def test_all_promised_days_pass_from_one_site_or_the_other() -> None:
    verdict, said = judged(backup("frankfurt", 31), backup("dublin", 2))
    assert verdict is Verdict.PASSED
    assert "commerce: any time of 30 days can be restored" in said


def test_fewer_days_fail_and_the_hole_is_named() -> None:
    hole = (Stretch(ago(31), ago(12), seg(5), seg(6), ago(11)), Stretch(ago(11), NOW, seg(9)))
    verdict, said = judged(backup("frankfurt", 0, stretches=hole), backup("dublin", 10))
    assert verdict is Verdict.FAILED
    assert "2026-11-19 12:00:00 UTC, 11.0 days back and not 30" in said
    assert f"missing: {seg(6)} at frankfurt" in said


def test_an_archive_that_is_younger_than_the_promise_fails_nothing() -> None:
    young = [backup(site, 2, begun=ago(31), looked_at=None) for site in ("frankfurt", "dublin")]
    assert judged(*young)[0] is Verdict.PASSED
    assert window_short(young, NOW) is None
    old = [replace(each, begun=ago(31.2), looked_at=ago(0.5)) for each in young]
    assert window_short(old, NOW) == timedelta(days=28)


@pytest.mark.parametrize(
    ("pruned", "said"), [(None, "never"), (ago(4), "4 days ago"), (ago(-31), "31.0 days from now, by its clock")]
)
def test_what_retention_has_not_looked_at_is_not_known(pruned: datetime | None, said: str) -> None:
    verdict, found = judged(*(backup(site, 31, looked_at=pruned) for site in ("frankfurt", "dublin")))
    assert verdict is Verdict.FAILED
    assert f"commerce: retention looked {said}" in found


@pytest.mark.parametrize(
    ("begun", "verdict"), [(2, Verdict.PASSED), (31.2, Verdict.PASSED), (37.9, Verdict.PASSED), (38.1, Verdict.FAILED)]
)
def test_an_archive_from_before_retention_has_a_week_and_is_told_what_to_install(
    begun: float, verdict: Verdict
) -> None:
    found = [
        backup(site, 2, begun=ago(begun), looked_at=None, pruned_at=None, jurisdiction="eu")
        for site in ("frankfurt", "dublin")
    ]
    finding = judge("rdc-a", found, NOW)
    assert finding.verdict is verdict
    assert "commerce: retention looked never" in finding.found
    told_to = finding.found if finding.passed else finding.action
    assert "`shopsphere install-files archive-eu --into FOLDER`" in told_to
    assert "`systemctl enable --now shopsphere-prune-backups.timer`" in told_to


def test_an_archive_from_before_retention_raises_no_ticket_meanwhile() -> None:
    now = datetime.now(NOW.tzinfo)
    for days, tickets in ((37, False), (39, True)):
        begun = now - timedelta(days=days)
        found = [
            backup(site, 2, begun=begun, looked_at=None, pruned_at=None, base_at=now, covered_at=now)
            for site in ("frankfurt", "dublin")
        ]
        view: Any = SimpleNamespace(access=SimpleNamespace(backups=lambda found=found: found))
        values = {each.metric.name.removeprefix("shopsphere_"): each.value for each in source.ask(view, "")}
        assert (values["restorable_short_seconds"] > 0) is tickets
        assert ("backups_pruned_timestamp_seconds" in values) is tickets


def test_a_site_that_was_not_looked_at_is_unknown_and_not_a_shorter_past() -> None:
    verdict, said = judged(backup("frankfurt", 2), Backup("commerce", "dublin", problem="silent"))
    assert verdict is Verdict.UNKNOWN
    assert "days back" not in said


def test_figures_are_those_of_both_sites() -> None:
    found = [backup("frankfurt", 9), backup("dublin", 12, pruned_at=None)]
    view: Any = SimpleNamespace(access=SimpleNamespace(backups=lambda: found))
    values = {each.metric.name.removeprefix("shopsphere_"): each.value for each in source.ask(view, "")}
    assert values["restorable_from_timestamp_seconds"] == ago(12).timestamp()
    assert values["backups_pruned_timestamp_seconds"] == 0
    shorter = values["restorable_short_seconds"]  # by the clock, which NOW is not
    promised = 30 * 86400 - (datetime.now(NOW.tzinfo) - ago(12)).total_seconds()
    assert shorter == pytest.approx(max(0, promised), abs=60)


def test_an_archive_of_which_one_bucket_is_silent_has_no_figures() -> None:
    """So that `shopsphere_source_up` is 0, and ArchiveSilent pages."""
    found = [backup("frankfurt", 9), Backup("commerce", "dublin", problem="it does not answer")]
    view: Any = SimpleNamespace(access=SimpleNamespace(backups=lambda: found))
    with pytest.raises(ArchiveError, match="it does not answer"):
        list(source.ask(view, ""))


def test_the_command_tells_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = [backup("frankfurt", 9, pruning_problem="a hole", pruned_at=None), backup("dublin", 12)]
    monkeypatch.setattr("runbooks.restore.archives.backups_of", lambda *_: found)
    with pytest.raises(Exception):  # noqa: B017, PT011 typer's own way to end
        backups_command("rdc-a")
    said = " ".join(capsys.readouterr().out.split())
    assert "commerce of dublin can be restored: 2026-11-18 12:00:00 UTC to 2026-11-30 12:00:00 UTC" in said
    assert "commerce of frankfurt: retention removed nothing: a hole" in said


# Refused.
def refused(to: datetime, *buckets: VersionedBucket) -> str:
    with pytest.raises(UsageError) as error:
        require_reachable(buckets, "", to, NOW)
    return str(error.value)


def test_a_time_before_everything_or_to_come_is_refused_with_those_that_are_there() -> None:
    bucket = kept()
    said = refused(ago(8), bucket)
    assert "commerce-frankfurt: 2026-11-22 12:00:00 UTC to 2026-11-30 12:00:00 UTC" in said
    assert "before all that" in said
    assert "which is to come" in refused(NOW + timedelta(minutes=6), bucket)
    require_reachable([bucket], "", ago(7.99), NOW)
    require_reachable([bucket], "", NOW + timedelta(minutes=4), NOW)
    require_reachable([bucket], "", None, NOW)
    assert "there is none" in refused(ago(1), VersionedBucket())


def test_a_time_in_a_hole_is_refused_once_nobody_can_have_it() -> None:
    bucket = kept()
    bucket.held = [each for each in bucket.held if seg(17) not in each.key]  # of four days ago; the next came after it
    said = refused(ago(3), bucket)
    assert f"then {seg(17)} is missing" in said
    require_reachable([bucket], "", ago(3.5), NOW)
    require_reachable([bucket], "", ago(2.9), NOW)
    require_reachable([bucket, kept()], "", ago(3), NOW)


def test_what_a_lost_primary_wrote_alone_may_still_be_wanted() -> None:
    bucket = VersionedBucket()
    bucket.base(3, 8)
    bucket.wal({8: 3, 9: 2.5})
    bucket.wal({7: 2, 8: 1}, timeline=2)
    require_reachable([bucket], "", ago(2.6), NOW)


@pytest.mark.parametrize("is_silent", [False, True])
def test_restore_refuses_before_it_fetches(*, is_silent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = kept()

    def silent() -> list[str]:
        raise ArchiveError("the archive does not answer")

    if is_silent:
        monkeypatch.setattr(bucket, "systems", silent)
    monkeypatch.setattr(beside, "bucket_of", lambda *_: bucket)
    monkeypatch.setattr(beside, "require_usable", lambda *_: None)
    monkeypatch.setattr(beside, "identity_file", lambda *_: Path("/none"))
    wanted, folder = Wanted(ago(30)), tmp_path / "restored"
    said = "does not answer" if is_silent else "2026-11-22 12:00:00 UTC to"
    with pytest.raises(ShopSphereError, match=said):
        list(
            beside.restore_beside(TOPOLOGY, TOPOLOGY.pair("rdc-a"), Environment.LAB, DATABASES[0], wanted, folder, None)
        )
    assert not folder.exists()
