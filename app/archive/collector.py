"""The collector's loop: sends what was received, keeps the folder small, asks for base backups."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from subprocess import SubprocessError
from threading import Event, Lock, Thread

from app.archive.already_sent import AlreadySent, gap_after, told_within
from app.archive.bases import BaseBackups
from app.archive.beginning import Beginning
from app.archive.coverage import Coverage, position_of, received_until
from app.archive.log import say
from app.archive.names import SEALED, Segment, is_history, status_key, wal_key
from app.archive.receiving import Identity, Receiver, empty, finished_files, identify, partial_files, remove_passed
from app.archive.sealing import seal_file
from app.archive.settings import CollectorSettings
from app.archive.state import State
from app.archive.store import Store, StoreAwayError
from app.errors import ShopError

TICK_SECONDS = 1.0
STATUS_SECONDS = 60.0
FIRST_LOOK_SECONDS = 90.0
"""For so long a collector that does not know where it was waits for the archive to tell it."""
BLOCK = 512
"""Bytes of a block as `stat` counts them: a sparse stand-in has none."""


class Collector:
    """Sends one database's WAL and base backups to one bucket.

    Args:
        settings: where from, where to and for whom.
        store: the bucket.
    """

    def __init__(self, settings: CollectorSettings, store: Store) -> None:
        self.settings = settings
        self.state = State(recipient=settings.recipient)
        self._store = store
        self._wal = settings.spool / "wal"
        self._out = settings.spool / "out"
        self._mark = settings.spool / "passed"
        self._identity: Identity | None = None
        self._looked = False  # at what the bucket has already
        self._receiver: Receiver | None = None
        self._sent_changes: dict[str, int] = {}
        self._last_round = self._last_status = float("-inf")
        self._place = Lock()  # over what was passed: three threads move it
        self._begun = 0
        self._coverage, self._beginning = Coverage(), Beginning()
        self._bases = BaseBackups(settings, store, self.state, self._beginning)
        self._first_look: float | None = None

    def run(self, until: Callable[[], bool] = lambda: False) -> None:
        """Go on until told; whatever keeps a step from being done is said, and the step is tried again."""
        empty(self._out)
        ended = Event()
        Thread(target=self._keep_bounded, args=(ended,), daemon=True, name="folder").start()
        try:
            while not until():
                self.step()
                time.sleep(TICK_SECONDS)
        finally:
            ended.set()
            if self._receiver:
                self._receiver.stop()

    def step(self) -> None:
        """Do what is due."""
        self.state.beat = time.monotonic()
        is_round = time.monotonic() - self._last_round >= self.settings.partial_seconds
        began = self.state.now()
        is_met = False
        if is_round:
            self._last_round = time.monotonic()
            is_met = self._meet()
        if self._identity is None or self._receiver is None or not (self._looked or is_round):
            return  # nothing is received, or a round has to look first
        try:
            self._look_at_bucket()
            begun, received = self._begun, 0
            with self._place:
                self._beginning.look(self._wal)
            if is_round:  # it reads what may be 16 MiB of zeros
                place = position_of(self._identity.position)
                received = received_until(self._wal, self.state.passed, self._identity.timeline, place)
            self._send_finished(self._identity.system)
            if is_round:
                # What a database that is lost had written until then is sent, too.
                self._send_partial(self._identity.system)
                if is_met and begun == self._begun:
                    self._cover(self._identity, began, received)
                self._tell(self._identity.system)
        except StoreAwayError as error:
            self.state.store_answers = False
            say("the archive did not take it", level="warning", found=str(error)[:300])
        except (ShopError, OSError, SubprocessError) as error:
            say("a step was not done", level="warning", found=str(error)[:300])
        self._start_base()

    def _cover(self, identity: Identity, began: float, received: int) -> None:
        """Note until when all is in the archive: what was received before the last sending."""
        position = position_of(identity.position)
        covered = self._coverage.look(began, position, received, is_current=identity.hears)
        if covered is not None:
            state, at = self.state, self._coverage.position
            state.covered_at, state.timeline = covered, identity.timeline
            state.position = f"{at >> 32:X}/{at & 0xFFFFFFFF:X}"
            state.role = "follows" if identity.follows else "leads"

    def _meet(self) -> bool:
        """Ask the database who it is, and receive from it; return whether it answered and is received from."""
        try:
            found = identify(self.settings.dsn)
        except ShopError as error:
            say("the database did not answer", level="warning", found=str(error)[:300])
            return False
        if self._identity and found.system != self._identity.system:
            self._begin_anew("another database answers: its system identifier is another")
            self._looked = False
        if self._identity and found.timeline != self._identity.timeline:
            self._coverage = Coverage()
        self._identity = found
        if self._receiver is None:
            self._take_up_mark()
            if not self._knows_where():
                return False
            if self.state.passed is None:
                self._beginning.from_now()
            self._receiver = Receiver(self.settings.dsn, self._wal, lambda: self.state.passed, self._begin_anew)
            self._receiver.start()
            return False
        return self._receiver.is_running

    def _knows_where(self) -> bool:
        """Whether it is known where to go on, or the archive did not tell it for FIRST_LOOK_SECONDS.

        A database keeps its log for longer than that. Who begins with what is written now leaves a gap. Without the
        archive, WAL is received from now on all the same.
        """
        self._first_look = self._first_look or time.monotonic()
        ends = self._first_look + FIRST_LOOK_SECONDS if self.state.passed is None else None
        try:
            self._look_at_bucket(ends)
        except StoreAwayError as error:
            self.state.store_answers = False
            waits = ends is not None and time.monotonic() < ends
            say("the archive did not tell what it has", level="warning", waits=waits, found=str(error)[:300])
            return not waits
        return True

    def _take_up_mark(self) -> None:
        """Take up where an earlier process of this pod ended, and remove its stand-ins: they are not to be sent."""
        system, _, name = self._mark.read_text().partition(" ") if self._mark.exists() else ("", "", "")
        if self._identity and system == self._identity.system:
            self.state.passed = Segment.of(name)
        else:
            empty(self._wal)
        remove_passed(self._wal, self.state.passed)

    def _look_at_bucket(self, ends: float | None = None) -> None:
        """Find out what the bucket has, until a monotonic time at most: does WAL go on from its newest base backup?"""
        if self._looked or self._identity is None:
            return
        ask = partial(AlreadySent.of, self._store, self._identity.system)
        sent = ask() if ends is None else told_within(ends - time.monotonic(), ask)
        self.state.store_answers = True
        if sent is None:
            self.state.want_base("no base backup yet")
            if self.state.passed:  # by an earlier process of this pod, which took none
                self._beginning.after(self.state.passed)
            self._looked = True
            return
        last = sent.goes_on_after(self.state.passed)
        began_with_now = self._receiver is not None and self.state.passed is None
        gap = gap_after(last, self._wal, began_with_now=began_with_now) if last else ""
        if gap is None:
            return  # the next look can tell
        self.state.base_at, self.state.newest = sent.base_at, sent.newest
        if sent.recipient not in {"", self.settings.recipient}:
            self.state.want_base("the newest is encrypted for other restorers")
        if sent.missing:
            self.state.want_base(f"gap: {sent.missing} segments after the newest base backup are missing", gap=True)
        if sent.newest and self._identity.timeline < sent.newest.timeline:
            self.state.want_base("the database's history began anew before what is in the archive", gap=True)
        elif gap:
            self.state.want_base(gap, gap=True)
        elif last:
            self._pass(last)
        self._looked = True

    def _begin_anew(self, reason: str) -> None:
        """Forget where it was: the database cannot go on from there."""
        self.state.want_base(f"gap: {reason}", gap=True)
        with self._place:
            self._begun += 1
            self._coverage = Coverage()
            self.state.passed = self.state.newest = None
            self._mark.unlink(missing_ok=True)
            self._sent_changes = {}
            empty(self._wal)
            self._beginning.from_now()

    def _pass(self, segment: Segment) -> None:
        self.state.passed = segment
        if self._identity:
            self._mark.write_text(f"{self._identity.system} {segment.name}")

    def _send_finished(self, system: str) -> None:
        for file in self._wal.iterdir():
            if is_history(file.name) and file.name not in self._sent_changes:
                self._send(system, file.name)
                self._sent_changes[file.name] = 1
        begun = self._begun
        for segment, file in finished_files(self._wal, self.state.passed):
            self._send(system, file.name)
            self.state.beat = time.monotonic()
            with self._place:
                if begun != self._begun:
                    return
                if self.state.passed is None or segment > self.state.passed:
                    self._pass(segment)
                file.unlink(missing_ok=True)

    def _send_partial(self, system: str) -> None:
        files = partial_files(self._wal)
        for file in files:
            changed = file.stat().st_mtime_ns
            if self._sent_changes.get(file.name) != changed:
                self._send(system, file.name)
                self._sent_changes[file.name] = changed
        for file in files[:-1]:  # of timelines that ended
            file.unlink(missing_ok=True)

    def _send(self, system: str, name: str) -> None:
        sealed = self._out / f"{name}{SEALED}"
        try:
            seal_file(self._wal / name, sealed, self.settings.recipient)
            self._store.put_file(wal_key(system, name), sealed)
            self.state.store_answers = True
            if (segment := Segment.of(name)) and (self.state.newest is None or segment > self.state.newest):
                self.state.newest = segment
        except FileNotFoundError:
            return  # the receiver has just finished and renamed it; the next round has it
        finally:
            sealed.unlink(missing_ok=True)

    def _tell(self, system: str) -> None:
        if self.state.covered_at is None or time.monotonic() - self._last_status < STATUS_SECONDS:
            return
        facts = {"database": self.settings.database, "site": self.settings.site, "system": system}
        self._store.put_facts(status_key(system), {**facts, **self.state.document()})
        self.state.store_answers = True
        self._last_status = time.monotonic()

    def _keep_bounded(self, ended: Event) -> None:
        """Look after the folder beside the sending, which may wait for an archive that is silent."""
        while not ended.wait(TICK_SECONDS):
            with suppress(OSError), self._place:
                self._bound_folder()

    def _bound_folder(self) -> None:
        """Keep the folder below its bound: the oldest segments go first, and the gap is said."""
        waiting = sum(file.stat().st_blocks * BLOCK for file in self._wal.iterdir())
        held = finished_files(self._wal, self.state.passed)
        while waiting > self.settings.most_bytes and held:
            segment, file = held.pop(0)
            waiting -= file.stat().st_blocks * BLOCK
            self._pass(segment)
            file.unlink(missing_ok=True)
            self.state.dropped_segments += 1
            self.state.want_base("gap: the archive was away for longer than the folder lasts", gap=True)
            say("dropped a segment: the folder is full", level="error", segment=segment.name)
        self.state.waiting_bytes = waiting

    def _start_base(self) -> None:
        # Without a receiver that receives, what comes after it would be missing.
        is_received = self._receiver is not None and self._receiver.is_running and self._beginning.is_known
        if self._identity and is_received:
            self._bases.take_if_due(self._identity)
