"""Which base backup of which bucket a restore begins with."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runbooks.restore.archives import bases_of, look
from runbooks.restore.beside import require_room, require_whole, warnings
from runbooks.restore.pieces import Pieces, Wanted, find_all, in_order
from runbooks.restore.sealed import NoRoomError, PieceError, private
from runbooks.restore.wal_files import Run
from shopsphere.clients.archive import ArchiveAccess, ArchiveError, Bucket, Kept
from shopsphere.estate.archive_names import Segment

pytestmark = pytest.mark.requirement("a restore uses what there is, at either site, and says what it lacks")
START = datetime(2026, 11, 29, 6, tzinfo=UTC)
KEY = Path("/none")


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


class Held(Bucket):
    """A bucket with objects that were all written at one time, and documents.

    Args:
        name: of the bucket.
        objects: sizes by keys.
        documents: by keys.
    """

    def __init__(self, name: str, objects: dict[str, int], documents: dict[str, dict[str, Any]]) -> None:
        super().__init__(ArchiveAccess("https://none", "none", "none", None), name)
        self.objects, self.documents = objects, documents
        self.written = at(9)

    def listed(self, prefix: str, after: str = "") -> Iterator[Kept]:
        keys = sorted({**self.objects, **self.documents})
        return iter(
            [
                Kept(each, self.objects.get(each, 9), self.written)
                for each in keys
                if each.startswith(prefix) and each > after
            ]
        )

    def systems(self) -> list[str]:
        return sorted({key.partition("/")[0] for key in self.objects})

    def facts(self, key: str) -> dict[str, Any]:
        if key not in self.documents:
            raise ArchiveError("not there")
        return self.documents[key]


def base(label: str, hours: float, first: int) -> dict[str, Any]:
    return {
        "label": label, "timeline": 1, "started": at(hours).isoformat(), "ended": at(hours).isoformat(),
        "end": f"0/{first:X}000100", "first_segment": Segment(1, first).name, "bytes": 1000, "sha256": "x",
    }  # fmt: skip


def held(name: str, bases: dict[str, dict[str, Any]], numbers: range, *, system: str = "7", covered: float = 8) -> Held:
    objects = {f"{system}/base/{label}.tar.gz.age": 1000 for label in bases}
    objects |= {f"{system}/wal/{Segment(1, each).name}.gz.age": 74_000 for each in numbers}
    documents: dict[str, dict[str, Any]] = {f"{system}/base/{label}.json": each for label, each in bases.items()}
    documents[f"{system}/status.json"] = {"covered_at": at(covered).timestamp(), "newest": ""}
    return Held(name, objects, documents)


def chosen(to: datetime | None, *buckets: Held, wanted: Wanted | None = None) -> list[Pieces]:
    return in_order([each for bucket in buckets for each in find_all(bucket, wanted or Wanted(to), KEY)[0]], to)


def test_a_document_without_its_base_backup_is_none() -> None:
    bucket = held("commerce-frankfurt", {"a": base("a", 0, 4), "b": base("b", 1, 5)}, range(4, 8))
    assert [each["label"] for each in bases_of(bucket, "7")] == ["a", "b"]
    bucket.objects["7/base/b.tar.gz.age"] = 999
    assert [each["label"] for each in bases_of(bucket, "7")] == ["a"]
    del bucket.objects["7/base/a.tar.gz.age"]
    assert look(bucket, "commerce", "frankfurt").base_at is None


def test_the_other_sites_bucket_comes_next_and_then_an_older_base_backup() -> None:
    one = held("commerce-frankfurt", {"a": base("a", 0, 4), "b": base("b", 2, 6)}, range(4, 10))
    other = held("commerce-dublin", {"a": base("a", 1, 5)}, range(5, 10))
    found = [each.name for each in chosen(at(7), one, other)]
    assert found == [
        "commerce-frankfurt, base backup b",
        "commerce-dublin, base backup a",
        "commerce-frankfurt, base backup a",
    ]
    assert [each.base["label"] for each in chosen(at(1.5), one)] == ["a"]
    named = chosen(at(7), one, wanted=Wanted(at(7), base="a"))
    assert [each.base["label"] for each in named] == ["a"]


def test_every_segment_is_taken_though_all_were_sent_after_the_time() -> None:
    bucket = held("commerce-frankfurt", {"a": base("a", 0, 4)}, range(4, 8))
    (found,) = chosen(at(7), bucket)
    assert sorted(found.wal) == [Segment(1, each).name for each in range(4, 8)]


def test_a_hole_that_may_be_later_than_the_time_comes_last_and_one_before_it_is_refused() -> None:
    holed = held("commerce-frankfurt", {"b": base("b", 2, 4)}, range(4, 9))
    del holed.objects[f"7/wal/{Segment(1, 6).name}.gz.age"]
    whole = held("commerce-dublin", {"a": base("a", 1, 4)}, range(4, 8))
    found = chosen(at(7), holed, whole)
    assert [each.bucket.name for each in found] == ["commerce-dublin", "commerce-frankfurt"]
    with pytest.raises(PieceError, match=Segment(1, 6).name):
        require_whole(found[1], "0/5FFFFFF")
    holed.written = at(6)
    pieces, problems = find_all(holed, Wanted(at(7)), KEY)
    assert pieces == []
    assert Segment(1, 6).name in problems[0]


def test_the_bucket_whose_wal_goes_furthest_is_first_where_nobody_says_that_the_time_is_reached() -> None:
    behind = held("commerce-frankfurt", {"b": base("b", 2, 6)}, range(6, 8))
    ahead = held("commerce-dublin", {"a": base("a", 1, 5)}, range(5, 10))
    assert [each.bucket.name for each in chosen(None, behind, ahead)] == ["commerce-dublin", "commerce-frankfurt"]
    assert [each.bucket.name for each in chosen(at(7), behind, ahead)] == ["commerce-frankfurt", "commerce-dublin"]
    later = chosen(at(12), behind, ahead)
    assert later[0].bucket.name == "commerce-dublin"
    assert any("its WAL goes to 2026-11-29 14:00:00 UTC" in each for each in warnings(later[0], at(12)))
    assert not list(warnings(chosen(at(7), ahead)[0], at(7)))


def test_a_database_that_was_made_anew_does_not_hide_the_one_before() -> None:
    old = held("commerce-frankfurt", {"a": base("a", 0, 4)}, range(4, 8), covered=3)
    new = held("commerce-frankfurt", {"b": base("b", 5, 2)}, range(2, 4), system="8")
    both = Held(old.name, old.objects | new.objects, old.documents | new.documents)
    assert [each.system for each in chosen(at(2), both)] == ["7"]
    assert [each.system for each in chosen(at(6), both)] == ["8", "7"]
    assert [each.system for each in chosen(at(6), both, wanted=Wanted(at(6), system="7"))] == ["7"]
    del both.documents["7/status.json"]
    assert [each.system for each in chosen(at(2), both)] == ["7"]


def test_room_is_asked_for_what_the_base_backup_unpacks_to(tmp_path: Path) -> None:
    run = Run((), None, False, (), ())
    facts = {"label": "a", "bytes": 1000}
    bucket = held("commerce-frankfurt", {}, range(0))
    assert Pieces(bucket, "7", facts, {}, run, 1).bytes_needed == 17_000
    told = Pieces(bucket, "7", {**facts, "unpacked_bytes": 50_000}, {}, run, 1)
    assert told.bytes_needed == 101_000
    with pytest.raises(NoRoomError):
        require_room(tmp_path, told, 100_999)
    require_room(tmp_path, told, 101_000)


def test_a_full_disk_is_named_and_nobody_else_reads_what_is_made(tmp_path: Path) -> None:
    with private(tmp_path):
        (tmp_path / "made").write_text("x")
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600
    with pytest.raises(NoRoomError, match="the disk is full"), private(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(PermissionError), private(tmp_path):
        raise PermissionError
