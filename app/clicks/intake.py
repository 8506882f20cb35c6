"""Takes batches from connections to the packer, counts, and answers probes; the one thing that a process has once."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from itertools import count

from app.clicks.answers import Answers
from app.clicks.backoff import Backoff
from app.clicks.events import batch_of, envelope_of
from app.clicks.figures import Figures
from app.clicks.packing import PACK_SECONDS, Packer, Waiter
from app.clicks.producing import SAY_SECONDS, Producer
from app.clicks.reasons import Reason, RefusedError
from app.clicks.reception import Ended
from app.clicks.senders import sender_of
from app.clicks.settings import Bounds
from app.gauges import MEDIA_TYPE

TRY_SECONDS = 5.0
"""After so long without an acknowledgement a record without batches is written, to see whether there is one."""
READY_SECONDS = 15.0
"""After so long without an acknowledgement no more batches are wanted."""
SPARE_CONNECTIONS = 256
"""Connections beyond the bound that get an answer, which says so; what comes beside these is ended without one."""
TEXT = "text/plain; charset=utf-8"
_GROWING = frozenset({Reason.FULL, Reason.LATE, Reason.BROKER})
"""Reasons that get browsers to wait longer and longer."""


class Intake:
    """The reception of all connections.

    Args:
        producer: writes.
        bounds: of what waits, and how many connections there may be.
        later: calls something after some seconds, once.
        clock: seconds, monotonic.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        producer: Producer,
        bounds: Bounds,
        later: Callable[[float, Callable[[], None]], object],
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._producer = producer
        self._bounds = bounds
        self._later = later
        self._clock, self._wall = clock, wall
        self.now = self._started = clock()
        self.leaving = False
        self._answers = Answers(wall())
        self._backoff = Backoff()
        self._figures = Figures()
        self._packer = Packer(
            producer,
            partitions=bounds.partitions,
            most_waiting=bounds.most_waiting,
            figures=self._figures,
            told=self._told,
        )
        self._connections: set[Ended] = set()
        self._held = 0  # bytes of unfinished bodies
        self._ticks = False  # whether tick() is to come
        self._broken = ""
        self._acknowledged: float | None = None
        self._tried = self._said = self._blamed = float("-inf")
        self._faults = 0
        self._places = count()
        self._log = logging.getLogger("clicks")

    # What connections say.

    def opened(self, connection: Ended) -> bool:
        """Note a connection. Return False when there are too many; where there are far too many, it is ended."""
        self._connections.add(connection)
        if len(self._connections) > self._bounds.connections + SPARE_CONNECTIONS:
            self._figures.refused[Reason.CONNECTIONS] += 1
            connection.abort()
        return len(self._connections) <= self._bounds.connections

    def closed(self, connection: Ended) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def failed(self, error: Exception) -> None:
        """Note a fault of ours, met while a request was read: its connection ends, and all others go on."""
        self._faults += 1
        if self.now - self._blamed >= SAY_SECONDS:
            self._blamed = self.now
            cause = error.__context__ or error
            # Where it was, and of which kind: its words may hold a piece of what a browser sent.
            place = traceback.extract_tb(cause.__traceback__)[-1:]
            self._log.error("a request was not read to its end: %s in %s", type(cause).__name__, place)

    def hold(self, size: int) -> bool:
        """Note that unfinished bodies have grown by so many bytes. Return False when there is no room for them."""
        self._held += size
        return self._packer.has_room(self._held)

    def take(self, waiter: Waiter, number: int, body: bytes, name: bytes) -> None:
        """Take the body of a POST; its waiter is told what became of it, now or later."""
        if not self._packer.has_room(self._held + len(body)):
            waiter.answer(number, Reason.FULL)
            return
        try:
            batch = batch_of(body)
            sender = sender_of(name)
            text = envelope_of(batch, int(self._wall() * 1000), sender)
        except RefusedError as refused:
            waiter.answer(number, refused.reason)
            return
        if not self._packer.take(batch.tab, text, len(batch.e), sender, waiter, number):
            waiter.answer(number, Reason.FULL)
        elif not self._ticks:
            self._ticks = True
            self._later(PACK_SECONDS, self.tick)

    def outcome(self, reason: Reason | None, *, last: bool) -> bytes:
        """Return the answer that says that a batch is written, or why not, and count it."""
        if reason is None:
            return self._answers.taken_last if last else self._answers.taken
        self._figures.refused[reason] += 1
        wait = self._backoff.refused(self._clock()) if reason in _GROWING else self._backoff.seconds
        return self._answers.refused(reason, last=last, retry_after=wait)

    def page(self, path: bytes, *, last: bool) -> bytes:
        """Return the answer to a GET of one of the pages."""
        if path == b"/metrics":
            return self._answers.page(HTTPStatus.OK, self._figures.text(self._gauges()), MEDIA_TYPE, last=last)
        problem = self.death() if path == b"/livez" else self.unreadiness()
        status = HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK
        return self._answers.page(status, f"{problem or 'ok'}\n", TEXT, last=last)

    # What the clock says.

    def tick(self) -> None:
        """Give the producer what has come, and connections what the brokers said; every PACK_SECONDS while any wait."""
        with self._watched("tick"):
            self._packer.flush()
            self._producer.poll()
        self._ticks = not self._packer.is_idle
        if self._ticks:
            self._later(PACK_SECONDS, self.tick)

    def second(self) -> None:
        """Do what is due once a second."""
        self.now = self._clock()
        with self._watched("second"):
            self._answers.renew(self._wall())
            for connection in tuple(self._connections):
                connection.look(self.now)
            if self.now - max(self._tried, self._acknowledged or self._tried) >= TRY_SECONDS:
                self._tried = self.now
                self._packer.try_out(next(self._places))
        if not self._ticks:
            self.tick()

    # What the process says.

    def death(self) -> str:
        """Return why this process has to start anew; empty while it need not."""
        return self._broken or self._producer.problem

    def unreadiness(self) -> str:
        """Return why no batches are wanted now; empty while they are."""
        if self.leaving:
            return "draining"
        if self._acknowledged is None:
            return "not ready: the brokers have acknowledged nothing yet"
        if self._clock() - self._acknowledged > READY_SECONDS:
            return "not ready: the brokers acknowledge nothing"
        return self.death()

    @property
    def is_idle(self) -> bool:
        """Whether every batch is answered."""
        return self._packer.is_idle

    @property
    def is_alone(self) -> bool:
        """Whether there is no connection."""
        return not self._connections

    def leave(self) -> None:
        """End connections that are owed nothing; all others end with their last answer."""
        self.leaving = True
        for connection in tuple(self._connections):
            connection.leave()

    def give_up(self) -> None:
        """Answer everything that waits with 503: it may be written, and its browser sends it again."""
        self._packer.give_up(Reason.LEAVING)
        self._producer.give_up()

    def abort(self) -> None:
        """End all connections."""
        for connection in tuple(self._connections):
            connection.abort()

    # Within.

    @contextmanager
    def _watched(self, what: str) -> Iterator[None]:
        """Let nothing unexpected end what comes again and again; /livez says it instead, and the pod is restarted."""
        try:
            yield
        except Exception:  # noqa: BLE001 whatever it is, it must not end what comes again
            self._broken = f"not alive: {what} failed"
            self._log.exception(self._broken)

    def _told(self, reason: Reason | None) -> None:
        if reason is None:
            now = self._clock()
            if self._acknowledged is None:
                self._log.info("the brokers acknowledge, %.3f s after the start", now - self._started)
            self._acknowledged = now
            self._backoff.acknowledged(now)
        elif self.now - self._said >= SAY_SECONDS:
            self._said = self.now
            self._log.warning("a record is not known to be written: %s", reason)

    def _gauges(self) -> dict[str, float | None]:
        since = None if self._acknowledged is None else self._clock() - self._acknowledged
        return {
            "clicks_connections": len(self._connections),
            "clicks_faults": self._faults,
            "clicks_waiting_bytes": self._packer.waiting + self._held,
            "clicks_waiting_most_bytes": self._bounds.most_waiting,
            "clicks_acknowledged_seconds_ago": since,
            "clicks_retry_after_seconds": self._backoff.seconds,
            "clicks_ready": float(not self.unreadiness()),
        }
