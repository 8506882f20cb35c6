"""Backups as they are declared and told: names, workloads, ways, messages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.archive import names as collectors_names
from app.archive.receiving import begin_after, finished_files
from app.archive.settings import CollectorSettings
from app.archive.state import State
from app.errors import SettingsError
from cli.backups import time_of
from components.regional_pair import UnreadableBackupsError, require_readable_backups
from lab.archive import buckets_of
from lab.archive_accounts import bucket_policy
from shopsphere.estate import archive_names
from shopsphere.estate.archive_names import Segment
from shopsphere.estate.workloads import COLLECTORS
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("backups of both databases, outside both sites, readable by the restorers alone")
TOPOLOGY = load_topology()


def test_both_sides_have_one_table_of_names() -> None:
    for there, here in (
        (collectors_names.wal_key, archive_names.wal_key),
        (collectors_names.base_key, archive_names.base_key),
    ):
        assert there("7", "x") == here("7", "x")
    assert collectors_names.base_facts_key("7", "x") == archive_names.base_facts_key("7", "x") == "7/base/x.json"
    assert collectors_names.status_key("7") == archive_names.status_key("7") == "7/status.json"
    assert archive_names.wal_key("7", "00000001000000000000000A") == "7/wal/00000001000000000000000A.gz.age"


def test_segments_are_named_and_ordered_as_postgresql_does() -> None:
    assert Segment.of("000000020000000100000003") == Segment(2, 256 + 3)
    assert Segment(2, 259).name == "000000020000000100000003"
    assert Segment.at(1, "1/03000028") == Segment(1, 259)
    assert Segment.of("00000002.history") is None
    assert Segment.of("000000010000000000000004.partial") == Segment(1, 4)
    assert Segment(1, 9) < Segment(2, 1)


def test_missing_segments_are_counted_from_the_base_backup_on() -> None:
    assert collectors_names.missing_numbers({3, 4, 7}, 4) == [5, 6]
    assert collectors_names.missing_numbers({3}, 4) == []
    assert collectors_names.missing_numbers(set(), 4) == []
    assert collectors_names.missing_numbers({4}, 4, 6) == [5, 6]


def test_a_stand_in_makes_the_receiver_go_on_and_is_never_sent(tmp_path: Path) -> None:
    folder = tmp_path
    begin_after(folder, collectors_names.Segment(1, 5))
    made = folder / "000000010000000000000005"
    assert made.stat().st_size == 16 * 2**20
    assert made.stat().st_blocks == 0
    assert finished_files(folder, collectors_names.Segment(1, 5)) == []
    (folder / "000000010000000000000006").touch()
    assert [each.number for each, _ in finished_files(folder, collectors_names.Segment(1, 5))] == [6]


def test_a_base_backup_does_not_close_a_gap_that_came_after_its_beginning() -> None:
    state = State()
    state.want_base("gap: one", gap=True)
    begun = state.wishes
    state.want_base("gap: another", gap=True)
    state.base_done(1000.0, begun)
    assert state.open_gap
    assert state.base_wanted == "gap: another"
    state.base_done(1001.0, state.wishes)
    assert not state.open_gap
    assert state.base_wanted == ""


def test_ages_are_told_from_the_start_while_nothing_is_known() -> None:
    state = State(now=lambda: 1100.0, started=1000.0)
    assert "archive_wal_age_seconds 100\n" in state.metrics()
    assert "archive_base_backup_missing 1\n" in state.metrics()
    assert "archive_base_backup_age_seconds" not in state.metrics()
    state.base_at, state.covered_at = 1040.0, 1095.0
    assert "archive_base_backup_age_seconds 60\n" in state.metrics()
    assert "archive_wal_age_seconds 5\n" in state.metrics()


def test_settings_that_are_missing_or_wrong_are_all_named() -> None:
    with pytest.raises(SettingsError) as refused:
        CollectorSettings.read({"ARCHIVE_URL": "http://there", "ARCHIVE_RECIPIENT": "AGE-SECRET-KEY-1"})
    for part in ("ARCHIVE_DATABASE", "ARCHIVE_SECRET", "https://", "public key of age"):
        assert part in str(refused.value)


def test_collectors_have_no_password_of_a_database_and_one_way_out() -> None:
    assert [each.name for each in COLLECTORS] == ["archive-commerce", "archive-ledger"]
    for each in COLLECTORS:
        assert each.process
        assert each.endpoints == ("archive",)
        assert each.data_class == each.databases[0].data_class
        assert not [name for name in each.secrets(each.process).values() if name.endswith("Password")]


def test_accounts_write_read_and_list_and_never_delete() -> None:
    assert buckets_of(["frankfurt"]) == ["commerce-frankfurt", "ledger-frankfurt"]
    policy = bucket_policy("commerce-frankfurt", ["operator"])
    allowed = {action for each in policy["Statement"] for action in each["Action"]}
    assert not [action for action in allowed if "Delete" in action or action.endswith("*")]
    of_readers = [each for each in policy["Statement"] if each["Principal"] == {"AWS": ["operator"]}]
    assert {action for each in of_readers for action in each["Action"]}.isdisjoint({"s3:PutObject"})


def test_an_archive_without_restorers_is_refused() -> None:
    class Config:
        archive_recipient = ""

    with pytest.raises(UnreadableBackupsError, match="archiveRecipient"):
        require_readable_backups(Config(), TOPOLOGY, "frankfurt")  # type: ignore[arg-type]
    require_readable_backups(Config(), TOPOLOGY, "newyork")  # type: ignore[arg-type]


def test_a_time_without_a_zone_is_utc() -> None:
    assert time_of("2026-11-29T09:30:00") == datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
    assert time_of("2026-11-29T10:30:00+01:00") == datetime(2026, 11, 29, 9, 30, tzinfo=UTC)
    with pytest.raises(UsageError):
        time_of("yesterday")
