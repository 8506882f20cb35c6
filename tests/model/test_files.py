"""Files that are written whole, also by several writers at once."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shopsphere.foundation.files import secret_in, write_whole

WRITERS = 8


@pytest.mark.requirement("regions that are deployed side by side write the same record without an error")
def test_writers_do_not_meet(tmp_path: Path) -> None:
    file = tmp_path / "record"

    def write(number: int) -> None:
        for _ in range(50):
            write_whole(file, f"{number}\n" * 1000)

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))
    lines = file.read_text().splitlines()
    assert (len(lines), len(set(lines))) == (1000, 1)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.requirement("what was written is there after a power loss: the file, its name, and in this order")
@pytest.mark.parametrize("write", [lambda file: write_whole(file, "new"), secret_in])
def test_the_name_is_on_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path], object]
) -> None:
    synced: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"
        synced.append((kind, (tmp_path / "record").exists()))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write(tmp_path / "record")
    assert synced == [("file", False), ("folder", True)]


@pytest.mark.requirement("a secret is made once, however many ask for it at once")
def test_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(WRITERS) as askers:
        found = set(askers.map(secret_in, [tmp_path / "secret"] * 64))
    assert len(found) == 1
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_a_disk_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "record"
    write_whole(file, "old")

    def fail(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write_whole(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.requirement("what a killed writer has left goes with the next write, and what a living one writes stays")
def test_what_killed_writers_left(tmp_path: Path) -> None:
    file = tmp_path / "record"
    killed, alive, fresh = (tmp_path / f".record.{name}.new" for name in ("killed", "alive", "fresh"))
    for each in (killed, alive, fresh):
        each.write_text("half")
    long_ago = time.time() - 3600
    for each in (killed, alive):
        os.utime(each, (long_ago, long_ago))
    with alive.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        write_whole(file, "whole")
    assert sorted(tmp_path.iterdir()) == [alive, fresh, file]
