"""Whatever the account of one site writes into its bucket: it stops no other bucket, and nobody who looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from versioned_bucket import NOW, SYSTEM, VersionedBucket, ago

from lab import archive_keeper
from runbooks.pruning.choosing import Keeping, ListingError
from runbooks.pruning.pruning import prune, prune_all
from runbooks.readiness.p12_backups import judge
from runbooks.restore import archives
from runbooks.restore.archives import bases_of, look
from runbooks.restore.pieces import Wanted, find_all
from runbooks.restore.reachable import require_reachable
from runbooks.restore.told import time_of, what_is_wrong
from runbooks.restore.wal_files import begins_listed, run_from
from shopsphere.clients.archive import LARGEST_DOCUMENT, document_in
from shopsphere.estate.archive_names import Segment, base_facts_key, base_key, kept_key, status_key, wal_key
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("what one site's account writes stops no retention and no look at other buckets")
TOPOLOGY = load_topology()
WEEK = Keeping(days=7, base_backups=2)
DEEP = b"[" * 200_000
WRONG: dict[str, Any] = {
    "ended": ["x", "2026-11-30T12:00:00", "0001-01-01T00:00:00+14:00", None, 7e300, ["x"]],
    "started": ["x", "2026-11-30T12:00:00"],
    "first_segment": ["x", 5, None, "00000001FFFFFFFFFFFFFFFF"],
    "start": ["x", "0/-5", 4, "0/" + "F" * 99],
    "end": ["x", None],
    "timeline": ["x", None, -1],
    "bytes": ["1000", None, True],
    "label": ["another", 5],
    "unpacked_bytes": ["x"],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]


def daily(name: str = "commerce-frankfurt", days: int = 20) -> VersionedBucket:
    made = VersionedBucket(name)
    for each in range(days, -1, -1):
        made.base(each, days - each + 1)
    made.wal({days - each + 1: each for each in range(days, -1, -1)})
    made.status()
    return made


def add_bad(bucket: VersionedBucket, days: float, content: bytes | dict[str, Any]) -> str:
    """Keep a base backup in full whose document is bad, as it was written first."""
    label = bucket.base(days, 21)
    (document,) = [each for each in bucket.held if each.key == base_facts_key(SYSTEM, label)]
    told = content if isinstance(content, bytes) else json.dumps(told_of(bucket, label) | content).encode()
    bucket.contents[document.key, document.version] = told
    return label


def told_of(bucket: VersionedBucket, label: str) -> dict[str, Any]:
    return bucket.facts(base_facts_key(SYSTEM, label))


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_bad_value_makes_a_base_backup_count_for_nothing_and_is_said(name: str, value: Any) -> None:
    bucket = daily()
    label = add_bad(bucket, -0.01, {name: value})
    found = look(bucket, "commerce", "frankfurt")
    assert found.base_at == ago(0.01), "that of the one before"
    (said,) = found.unread
    assert f"{label}.json cannot be used: {name}: " in said
    assert label not in [each["label"] for each in bases_of(bucket, SYSTEM)]
    assert label in judge("rdc-a", [found], NOW).found
    require_reachable([bucket], "", ago(1), NOW)
    pieces, problems = find_all(bucket, Wanted(ago(1)), Path("/none"))
    assert len(pieces) == 19
    assert [each for each in problems if f"{label}.json cannot be used" in each]
    with pytest.raises(ListingError, match=f"{label}.json: {name}: "):
        prune(bucket, WEEK, NOW, execute=True)


def test_a_missing_value_is_as_bad() -> None:
    bucket = daily()
    facts = told_of(bucket, bucket.labels()[0])
    assert what_is_wrong(facts, facts["label"]) == ""
    for name in ("ended", "started", "first_segment", "end", "timeline", "bytes", "label"):
        assert what_is_wrong({key: value for key, value in facts.items() if key != name}, facts["label"])


def test_an_old_one_is_said_and_keeps_nothing_from_going() -> None:
    bucket = daily()
    label = add_bad(bucket, 9.5, {"ended": "x"})
    pruned = prune(bucket, WEEK, NOW, execute=True)
    assert any(f"does not count as a base backup: {label}: ended: " in each for each in pruned.lines(execute=True))
    assert label not in bucket.labels()


@pytest.mark.parametrize("content", [b"{", b"5", b"[]", b"\xff", DEEP, b" " * (LARGEST_DOCUMENT + 1)])
def test_what_is_no_document(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        document_in(content)
    bucket = daily()
    label = add_bad(bucket, -0.01, content)
    bucket.put(status_key(SYSTEM), content)
    bucket.put(kept_key(SYSTEM), content)
    assert "no document" in look(bucket, "commerce", "frankfurt").unread[0]
    with pytest.raises(ListingError, match=f"{label}.json: no document"):
        prune(bucket, WEEK, NOW, execute=True)


@pytest.mark.parametrize("name", ["covered_at", "newest", "timeline", "position", "role", "open_gap", "base_wanted"])
@pytest.mark.parametrize("value", ["x", -1, 1e300, float("nan"), [], ["x"], {"a": 1}, None])
def test_what_a_status_says_wrongly_counts_as_not_said(name: str, value: Any) -> None:
    bucket = daily()
    bucket.put(status_key(SYSTEM), json.dumps({"covered_at": NOW.timestamp(), "timeline": 1, name: value}).encode())
    look(bucket, "commerce", "frankfurt")
    require_reachable([bucket], "", ago(1), NOW)
    find_all(bucket, Wanted(ago(1)), Path("/none"))
    prune(bucket, WEEK, NOW, execute=True)


def test_a_status_of_another_database_that_cannot_be_read_hides_none() -> None:
    bucket = daily()
    bucket.put(status_key("6000"), b'{"covered_at": "x"}')
    assert look(bucket, "commerce", "frankfurt").base_at == ago(0.01)


@pytest.mark.parametrize("value", ["x", "2026-11-30T12:00:00", 5, None, [], "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("name", ["looked_at", "begun", "pruned_at", "begins", "ends", "lost_by"])
def test_a_record_of_retention_that_is_wrong_is_none(name: str, value: Any) -> None:
    bucket = daily()
    prune(bucket, WEEK, NOW, execute=True)
    told = bucket.facts(kept_key(SYSTEM))
    (told["stretches"][0] if name in {"begins", "ends", "lost_by"} else told)[name] = value
    bucket.put_facts(kept_key(SYSTEM), told)
    found = look(bucket, "commerce", "frankfurt")
    judge("rdc-a", [found], NOW)
    prune(bucket, WEEK, NOW, execute=True)


@pytest.mark.parametrize("name", ["00000001FFFFFFFFFFFFFFFF", "00000001FFFFFFFF000000FF", "FFFFFFFFFFFFFFFF000000FF"])
def test_a_segment_far_away_takes_no_memory(name: str) -> None:
    bucket = daily()
    bucket.put(wal_key(SYSTEM, name), 1)
    found = look(bucket, "commerce", "frankfurt")
    if name.endswith("FFFFFFFF"):
        assert found.missing == (), "no segment has that name"
        prune(bucket, WEEK, NOW, execute=True)
        return
    assert 0 < len(found.missing) <= 100
    require_reachable([bucket], "", ago(1), NOW)
    find_all(bucket, Wanted(ago(1)), Path("/none"))
    with pytest.raises(ListingError, match="WAL is missing after the newest base backup"):
        prune(bucket, WEEK, NOW, execute=True)


def test_all_that_is_missing_is_counted_and_the_first_are_named() -> None:
    first, last = Segment(1, 4), Segment(1, 4 + 10**9)
    run = run_from([first.name, Segment(1, 6).name, last.name], first, {1: 4})
    assert (run.names, run.after) == ((first.name,), (Segment(1, 6).name, last.name))
    assert run.lost == 10**9 - 2
    assert [each.number for each in run.missing] == [5, *range(7, 106)]
    assert run_from([first.name], first, {1: 4}, last).lost == 10**9


def test_a_number_of_timelines_takes_no_time_of_each_name() -> None:
    first = Segment(1, 4)
    names = [Segment(1 + each, 4 + each).name for each in range(20_000)]
    assert run_from(names, first, begins_listed(names, first)).names == tuple(names)


def test_whatever_one_bucket_holds_the_others_are_pruned(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = daily("commerce-frankfurt"), daily("ledger-frankfurt")

    def broken(_prefix: str) -> Iterator[Any]:
        raise RuntimeError("nobody\nforesaw this")

    monkeypatch.setattr(bad, "versions", broken)
    said: list[str] = []
    with pytest.raises(ShopSphereError) as error:
        said.extend(prune_all([bad, good], WEEK, NOW, execute=True))
    assert str(error.value).startswith("commerce-frankfurt: RuntimeError: nobody")
    assert "\n" not in str(error.value), "one line of each"
    assert any("ledger-frankfurt: removed 12 base backups" in each for each in said)


def test_whatever_a_bucket_holds_the_labs_keeper_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: Any, **__: Any) -> Iterator[str]:
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(archive_keeper, "owned_buckets", lambda *_: ([], WEEK))
    monkeypatch.setattr(archive_keeper, "prune_all", broken)
    archive_keeper.remove_old(TOPOLOGY.jurisdictions["eu"])
    assert "RuntimeError: nobody foresaw this" in capsys.readouterr().out


def test_whatever_a_bucket_holds_the_others_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def bucket_of(_topology: Any, _pair: Any, _environment: Any, name: str) -> VersionedBucket:
        if name == "commerce-frankfurt":
            raise RuntimeError("nobody foresaw this")
        return daily(name)

    monkeypatch.setattr(archives, "bucket_of", bucket_of)
    found = archives.backups_of(TOPOLOGY, TOPOLOGY.pair("rdc-a"), Environment.LAB)
    assert [each.problem for each in found if each.problem] == ["RuntimeError: nobody foresaw this"]
    assert {each.jurisdiction for each in found} == {"eu"}
    assert sum(each.base_at is not None for each in found) == 3


def test_a_time_is_one_that_can_be_reckoned_with() -> None:
    assert time_of("2026-11-30T14:00:00+02:00") == time_of(NOW.timestamp()) == NOW
    bad: tuple[Any, ...] = (
        "", "x", "2026-11-30", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+00:00", None, [], 1e300
    )  # fmt: skip
    for wrong in bad:
        with pytest.raises(ValueError, match=r"."):
            time_of(wrong)


def test_of_a_base_backup_without_a_document_nothing_is_whole() -> None:
    bucket = daily()
    bucket.put(base_key(SYSTEM, "lone"), 1000)
    assert "lone" not in [each["label"] for each in bases_of(bucket, SYSTEM)]
