"""A store that is made full for bench/stores: a real gateway says so, and all that came is in its folder at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from archive_place import ArchivePlace, soon
from botocore.exceptions import ClientError
from postgres_cluster import Cluster

from app.archive.names import Segment, missing_numbers
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import CommandError, run

sys.path.append(str(REPOSITORY / "bench" / "stores"))
from put_back import put_back
from small_room import SmallRoom

pytestmark = pytest.mark.requirement("a backup store that is full delays no order and loses no piece")


class Host:
    """A mount namespace as a lab's host has one, with the gateway in it."""

    def __init__(self, folder: Path) -> None:
        self.power_on()
        self.place = ArchivePlace(folder, within=self.words)

    def power_on(self) -> None:
        script = "echo; exec sleep 3600"
        self._init = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", script], stdout=subprocess.PIPE
        )
        assert self._init.stdout
        self._init.stdout.readline()

    @property
    def words(self) -> tuple[str, ...]:
        return ("nsenter", f"--target={self._init.pid}", "--mount")

    def inside(self, command: Sequence[str]) -> str:
        return run([*self.words, *command]).stdout

    def start(self) -> None:
        self.place.within = self.words
        self.place.start()
        soon("the gateway", self.place.accounts.answers)

    def stop(self) -> None:
        self.place.stop()

    def power_off(self) -> None:
        self.place.stop()
        self._init.kill()
        self._init.wait()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    made.power_off()


@pytest.fixture
def room(host: Host, tmp_path: Path) -> SmallRoom:
    return SmallRoom(tmp_path / "store", tmp_path / "room.img", tmp_path / "room", host, host.inside)


def put(host: Host, key: str, content: bytes) -> None:
    host.place.owner.put_object(Bucket=host.place.bucket, Key=key, Body=content)


def held(host: Host, key: str) -> bytes:
    found: bytes = host.place.owner.get_object(Bucket=host.place.bucket, Key=key)["Body"].read()
    return found


def test_a_full_store_refuses_and_all_that_came_is_in_its_own_folder(
    host: Host, room: SmallRoom, tmp_path: Path
) -> None:
    put(host, "a/before", b"before")
    put(host, "a/changed", b"old")
    put(host, "a/gone", b"gone")
    room.make(64)
    assert (held(host, "a/before"), room.is_left) == (b"before", True)
    put(host, "a/changed", b"new")
    put(host, "b/new", b"x" * 100_000)
    host.place.owner.delete_object(Bucket=host.place.bucket, Key="a/gone")
    room.fill()
    for content in (b"y" * 100_000, b"small"):
        with pytest.raises(ClientError) as refused:
            put(host, "b/refused", content)
        assert "No space left" in str(refused.value)
    assert held(host, "a/before") == b"before"
    room.empty()
    room.empty()
    put(host, "b/later", b"later")
    room.give_back()
    assert not room.is_left
    assert sorted(host.place.keys()) == ["a/before", "a/changed", "b/later", "b/new"]
    assert [held(host, each) for each in ("a/before", "a/changed", "b/later")] == [b"before", b"new", b"later"]
    own = tmp_path / "store" / host.place.bucket
    assert (own / "b/new").read_bytes() == b"x" * 100_000
    assert not list(own.rglob("*.put-back"))
    room.give_back()


def test_what_a_killed_run_and_a_lost_host_leave_is_put_back(host: Host, room: SmallRoom, tmp_path: Path) -> None:
    put(host, "a/before", b"before")
    room.make(64)
    put(host, "a/under", b"under the cover")
    room.fill()
    with pytest.raises(CommandError, match="--undo"):
        room.make(64)
    host.power_off()
    host.power_on()
    host.start()
    assert host.place.keys() == ["a/before"], "the cover went with the host's mounts"
    put(host, "a/meanwhile", b"without the cover")
    assert room.is_left
    room.give_back()
    assert not room.is_left
    assert sorted(host.place.keys()) == ["a/before", "a/meanwhile", "a/under"]
    assert held(host, "a/under") == b"under the cover"


def test_a_collector_loses_nothing_while_the_store_is_full(host: Host, room: SmallRoom, database: Cluster) -> None:
    settings = host.place.settings(database, "spool")
    with host.place.collecting(settings) as collector:
        soon("a base backup", lambda: len(host.place.facts()) == 1 and not collector.state.base_wanted)
        room.make(256)
        soon("that it goes on", lambda: collector.state.store_answers)
        room.fill()
        for _ in range(3):
            database.admin("CREATE TABLE IF NOT EXISTS placed (i int)")
            database.admin("INSERT INTO placed SELECT generate_series(1, 1000)")
            database.admin("SELECT pg_switch_wal()")
        soon("that being told", lambda: not collector.state.store_answers)
        room.empty()
        emptied = time.time()
        soon("that it has caught up", lambda: (collector.state.covered_at or 0) > emptied)
        room.give_back()
        given = time.time()
        soon("that it goes on in the store's own folder", lambda: (collector.state.covered_at or 0) > given)
        assert (collector.state.gaps, collector.state.dropped_segments) == ([], 0)
    first = Segment.of(host.place.facts()[0]["first_segment"])
    assert first
    whole = {each.number for name in host.place.names(".gz.age") if "." not in name and (each := Segment.of(name))}
    assert missing_numbers(whole, first.number) == []
    assert max(whole) >= first.number + 2


def test_what_came_later_stays_and_other_notes_than_the_overlays_are_kept(tmp_path: Path) -> None:
    upper, folder = tmp_path / "upper", tmp_path / "folder"
    for place, text in ((upper, "of the cover"), (folder, "later")):
        (place / "bucket").mkdir(parents=True)
        (place / "bucket" / "object").write_text(text)
    new = upper / "bucket" / "new"
    new.write_text("new")
    for name, value in (("user.etag", b"1"), ("trusted.overlay.origin", b"2")):
        os.setxattr(new, name, value)
    earlier = (upper / "bucket" / "object").stat().st_mtime - 100
    os.utime(upper / "bucket" / "object", (earlier, earlier))
    assert [each.partition(" ")[0] for each in put_back(upper, folder)] == ["put"]
    assert (folder / "bucket" / "object").read_text() == "later"
    kept = folder / "bucket" / "new"
    assert (kept.read_text(), os.getxattr(kept, "user.etag")) == ("new", b"1")
    with suppress(OSError):
        assert os.getxattr(kept, "trusted.overlay.origin") is None, "it is the overlay's"
