"""One base backup: read by replication, compressed, encrypted and sent while it is read."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread
from typing import IO, Any

from app.archive.names import Segment, base_facts_key, base_key
from app.archive.receiving import Identity
from app.archive.settings import CollectorSettings
from app.archive.store import Store
from app.errors import ShopError

_START = re.compile(r"write-ahead log start point: ([0-9A-F]+/[0-9A-F]+) on timeline (\d+)")
_DONE = re.compile(r"(\d+)/\d+ kB \(\d+%\)")
END_SECONDS = 60
SILENT_SECONDS = 600
"""A base backup that gave no byte for this long is ended."""
_END = re.compile(r"write-ahead log end point: ([0-9A-F]+/[0-9A-F]+)")


class _Counted:
    """Hashes and counts what is read through it.

    Args:
        source: what is read.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self.digest = hashlib.sha256()
        self.size = 0
        self.reading_since: float | None = None

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        self.reading_since = time.monotonic()
        piece = self._source.read(size)
        self.reading_since = None
        self.digest.update(piece)
        self.size += len(piece)
        return piece


def take_base_backup(settings: CollectorSettings, store: Store, identity: Identity) -> dict[str, Any]:
    """Take one and send it; return what there is to know about it.

    The WAL that it needs to be consistent is inside (`-X fetch`): at a site that follows, a base backup begins at the
    last restart point, which may lie before the first segment that the collector received.

    Raises:
        ShopError: the database, the encryption or the archive did not go along.
        StoreAwayError: as of the archive.
    """
    started = datetime.now(UTC)
    label = started.strftime("%Y%m%dT%H%M%SZ")
    command = [
        "pg_basebackup", "-d", settings.dsn, "-D", "-", "-Ft", "-X", "fetch", "-c", "fast", "-Z", "1", "-l", label,
        "-v", "-P", f"--max-rate={settings.base_rate}", "--manifest-checksums=SHA256", "--no-password",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as told:
        environment = {**os.environ, "LC_ALL": "C"}  # its words are read below
        reading = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, env=environment)
        sealing = subprocess.Popen(
            ["age", "-r", settings.recipient], stdin=reading.stdout, stdout=subprocess.PIPE, stderr=told
        )
        if reading.stdout is None or sealing.stdout is None:
            raise ShopError("a program has no output")
        reading.stdout.close()  # age has it; without this, a reader whose age is gone would never hear of it
        counted = _Counted(sealing.stdout)
        done = Event()
        Thread(target=_end_silent, args=(counted, (reading, sealing), done), daemon=True, name="base watch").start()
        try:
            store.put_stream(base_key(identity.system, label), counted)
        except BaseException:
            sealing.kill()
            reading.kill()
            raise
        finally:
            done.set()
            sealing.stdout.close()
            # Both are looked at: what broke off before age would else look whole.
            ended = [_ended(each) for each in (sealing, reading)]
        told.seek(0)
        said = told.read().decode(errors="replace")
    start, end = _START.search(said), _END.search(said)
    if any(ended) or not start or not end:
        words = [line for line in said.splitlines() if not _DONE.search(line)]
        raise ShopError(f"the base backup broke off ({ended}): {' '.join(words).strip()[-300:]}")
    timeline = int(start[2])
    facts = {
        "label": label,
        "database": settings.database,
        "site": settings.site,
        "system": identity.system,
        "timeline": timeline,
        "started": started.isoformat(),
        "ended": datetime.now(UTC).isoformat(),
        "start": start[1],
        "end": end[1],
        "first_segment": Segment.at(timeline, end[1]).name,
        "bytes": counted.size,
        "unpacked_bytes": unpacked_bytes(said),
        "recipient": settings.recipient,
        "sha256": counted.digest.hexdigest(),
    }
    store.put_facts(base_facts_key(identity.system, label), facts)
    return facts


def unpacked_bytes(said: str) -> int | None:
    """Return what pg_basebackup has read, from what it said of its progress (bytes); None if it said nothing."""
    found = _DONE.findall(said)
    return int(found[-1]) * 1024 if found else None


def pause_after(failures: int) -> float:
    """Return how long to wait after so many tries that failed (s): 1, 5, then 30 minutes."""
    return (0.0, 60.0, 300.0, 1800.0)[min(failures, 3)]


def _end_silent(counted: _Counted, programs: tuple[subprocess.Popen[bytes], ...], done: Event) -> None:
    """End a base backup whose database gives nothing any more; waiting for the archive does not count."""
    while not done.wait(1):
        since = counted.reading_since
        if since is not None and time.monotonic() - since > SILENT_SECONDS:
            for each in programs:
                with suppress(ProcessLookupError):
                    each.kill()


def _ended(program: subprocess.Popen[bytes]) -> int:
    try:
        return program.wait(timeout=END_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        return program.wait()
