"""Receives WAL by replication: `pg_receivewal` without a slot, started again whenever it ends.

A database never waits for it and keeps nothing for it: a receiver that is away for longer than `wal_keep_size` has a
gap, and a gap is closed by a new base backup.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from app.archive.log import say
from app.archive.names import PARTIAL, SEGMENT_BYTES, Segment
from app.errors import ShopError

ASK_SECONDS = 15
ANEW = {
    "has already been removed": "has already been removed",
    "is not in this server's history": "is not in this server's history",
    'replication command "TIMELINE_HISTORY"': "the database has no history of a timeline on which it was received",
}
"""What the server says when it cannot go on where the receiver ended, and what a gap is called for it.

The last one says an instance that was copied since: a copy gets the history of the timeline that it begins on alone.
"""
AHEAD = "is ahead of the WAL flush position"
"""What it says when it has less than was received: it follows and is behind for a moment, or its history is another."""
AHEAD_SECONDS = 120


@dataclass(frozen=True)
class Identity:
    """What a database says of itself.

    Attributes:
        system: made at `initdb`, the same at both sites of a pair.
        timeline: grows with each promotion.
        position: up to which its log is safe on its disk (`16/B374D848`).
        follows: whether it follows another one.
        hears: whether it leads, or receives from the one that it follows.
    """

    system: str
    timeline: int
    position: str
    follows: bool = False
    hears: bool = True


def identify(dsn: str) -> Identity:
    """Ask a database who it is.

    Raises:
        ShopError: it does not answer.
    """
    fields = _asked(f"{dsn} replication=true", "IDENTIFY_SYSTEM").split("|")
    if len(fields) < 3:  # noqa: PLR2004 system, timeline, position
        raise ShopError(f"the database does not say who it is: {fields}")
    system, timeline, position = fields[0], int(fields[1]), fields[2]
    if _asked(f"{dsn} replication=true", "SHOW in_hot_standby") != "on":
        return Identity(system, timeline, position)
    try:
        # Its details want pg_read_all_stats. That there is one does not, and it ends when it hears nothing.
        hears = _asked(f"{dsn} dbname=postgres", "SELECT count(pid) FROM pg_stat_wal_receiver") == "1"
    except ShopError:
        hears = False
    return Identity(system, timeline, position, follows=True, hears=hears)


def _asked(dsn: str, question: str) -> str:
    command = ["psql", "--no-psqlrc", "-At", dsn, "-c", question]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=ASK_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise ShopError("the database does not answer") from error
    if told.returncode:
        raise ShopError(f"the database does not answer {question}: {told.stderr.strip()[-200:]}")
    return told.stdout.strip()


def begin_after(folder: Path, passed: Segment | None) -> None:
    """Make the receiver go on after a segment that was sent and removed.

    `pg_receivewal` begins after the newest file in its folder. A sparse stand-in of the sent segment's size and name
    is that file; it is never sent, because nothing up to `passed` is.
    """
    held = [found for file in folder.iterdir() if (found := Segment.of(file.name))]
    if passed and not any(each >= passed for each in held):
        with (folder / passed.name).open("wb") as stand_in:
            stand_in.truncate(SEGMENT_BYTES)


class Receiver:
    """Keeps one `pg_receivewal` running.

    Args:
        dsn: libpq's settings.
        folder: that it writes into.
        passed: the newest segment that was sent and removed.
        begun_anew: called when it had to begin at another place than it ended, with the reason.
    """

    def __init__(
        self, dsn: str, folder: Path, passed: Callable[[], Segment | None], begun_anew: Callable[[str], None]
    ) -> None:
        self._dsn = dsn
        self._folder = folder
        self._passed = passed
        self._begun_anew = begun_anew
        self._ahead_since: float | None = None
        self._running: subprocess.Popen[str] | None = None
        self.stopped = False

    @property
    def is_running(self) -> bool:
        """Whether the program runs now."""
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Go on in a thread of its own until `stop`."""
        Thread(target=self._go_on, daemon=True, name="receiver").start()

    def stop(self) -> None:
        """End the program; what it was writing stays in the folder."""
        self.stopped = True
        if self._running:
            self._running.terminate()

    def _go_on(self) -> None:
        while not self.stopped:
            begin_after(self._folder, self._passed())
            said = self._run()
            if self.stopped:
                return
            self._judge(said)
            time.sleep(1)

    def _run(self) -> str:
        command = ["pg_receivewal", "--no-loop", "--status-interval=5", "-D", str(self._folder), "-d", self._dsn]
        started = time.monotonic()
        self._running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        said = self._running.communicate()[1]
        say("receiver ended", level="warning", after_seconds=round(time.monotonic() - started), said=said[-400:])
        return said

    def _judge(self, said: str) -> None:
        reason = next((reason for words, reason in ANEW.items() if words in said), "")
        if AHEAD in said:
            self._ahead_since = self._ahead_since or time.monotonic()
            if time.monotonic() - self._ahead_since > AHEAD_SECONDS:
                reason = AHEAD
        else:
            self._ahead_since = None
        if reason:
            self._ahead_since = None
            self._begun_anew(reason)


def empty(folder: Path) -> None:
    """Remove every WAL file of a folder."""
    for file in folder.iterdir():
        file.unlink(missing_ok=True)


def remove_passed(folder: Path, passed: Segment | None) -> None:
    """Remove the segments up to the newest one that was sent: stand-ins are among them."""
    for file in folder.iterdir():
        segment = Segment.of(file.name)
        if segment and passed and segment <= passed:
            file.unlink()


def partial_files(folder: Path) -> list[Path]:
    """Return the segments that are not full, the newest last."""
    found = [(segment, file) for file in folder.glob(f"*{PARTIAL}") if (segment := Segment.of(file.name))]
    return [file for _, file in sorted(found)]


def finished_files(folder: Path, passed: Segment | None) -> list[tuple[Segment, Path]]:
    """Return the full segments that were not sent yet, the oldest first."""
    found = [
        (segment, file)
        for file in folder.iterdir()
        if not file.name.endswith(PARTIAL) and (segment := Segment.of(file.name))
    ]
    return sorted((segment, file) for segment, file in found if passed is None or segment > passed)
