"""How long the collector waits for a database that says nothing, and between tries."""

from __future__ import annotations

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from app.archive import base_backup, sealing
from app.archive.base_backup import pause_after, unpacked_bytes
from app.archive.settings import CollectorSettings
from app.errors import ShopError

pytestmark = pytest.mark.requirement("a database or program that says nothing any more does not stop the collector")
SETTINGS = CollectorSettings.read(
    {
        "ARCHIVE_DATABASE": "commerce", "ARCHIVE_HOST": "db", "ARCHIVE_URL": "https://there", "ARCHIVE_BUCKET": "b",
        "ARCHIVE_SECRET": "s", "ARCHIVE_RECIPIENT": "age1x",
    }
)  # fmt: skip


def test_a_machine_that_is_gone_is_noticed() -> None:
    for setting in ("keepalives=1", "keepalives_idle=10", "keepalives_count=3", "tcp_user_timeout=30000"):
        assert setting in SETTINGS.dsn.split()


def test_tries_are_one_five_and_thirty_minutes_apart() -> None:
    assert [pause_after(each) for each in range(6)] == [0, 60, 300, 1800, 1800, 1800]


def test_what_a_base_backup_unpacks_to_is_read_from_its_progress() -> None:
    said = "    0/24585 kB (0%), 0/1 tablespace\n24590/24590 kB (100%), 1/1 tablespace\n"
    assert unpacked_bytes(said) == 24590 * 1024
    assert unpacked_bytes("pg_basebackup: base backup completed") is None


def test_a_base_backup_without_bytes_is_ended_and_one_that_waits_for_the_archive_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Counted:
        reading_since: float | None = None

    def ended(counted: Any, seconds: float) -> bool:
        with subprocess.Popen(["sleep", "60"]) as program:
            done = Event()
            watch = Thread(target=base_backup._end_silent, args=(counted, (program,), done))  # noqa: SLF001
            watch.start()
            with suppress(subprocess.TimeoutExpired):
                program.wait(seconds)
            result = program.returncode is not None
            done.set()
            watch.join()
            program.kill()
        return result

    monkeypatch.setattr(base_backup, "SILENT_SECONDS", 1)
    counted = Counted()
    assert not ended(counted, 2.5)
    counted.reading_since = time.monotonic()
    assert ended(counted, 40)


def test_age_that_does_not_end_is_a_step_that_was_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "age"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(sealing, "SECONDS", 0.5)
    source = tmp_path / "source"
    source.write_bytes(b"x")
    with pytest.raises(ShopError, match="age ended with -9"):
        sealing.seal_file(source, tmp_path / "sealed", "age1x")
