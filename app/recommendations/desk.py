"""Takes questions from connections and answers them at once; the one thing that a process of the recommender has once.

Connections are those of the collector (app/clicks/protocol.py), with all of their bounds. An answer is calculated while
its question is taken, so that nothing waits, and nothing can pile up, between the two.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus

import msgspec

from app.clicks.answers import Answers
from app.clicks.packing import Waiter
from app.clicks.protocol import Connection
from app.clicks.reasons import Reason
from app.clicks.reception import Ended
from app.gauges import MEDIA_TYPE
from app.recommendations.because import Because
from app.recommendations.counts import Counts
from app.recommendations.knowledge import Knowledge
from app.recommendations.question import LARGEST_QUESTION, PATH, Answer, question_of

SPARE_CONNECTIONS = 64
"""Connections beyond the bound that get an answer, which says so; what comes beside these is ended without one."""
MOST_HELD = 2**20
"""Bytes of bodies that are not whole yet, of all connections."""
MOST_AT_ONCE = 16
"""Questions of one connection that are answered before all others have their turn; the storefront sends one."""
RETRY_SECONDS = 1
SAY_SECONDS = 10.0
JSON, TEXT = "application/json", "text/plain; charset=utf-8"


class Asking(Connection):
    """A connection on which the storefront asks."""

    path = PATH.encode()
    __slots__ = ()


class Desk:
    """The reception of all connections.

    Args:
        knowledge: what is answered from.
        most_connections: that may be open.
        unready: why no questions are wanted; empty while they are.
        dead: why the process has to start anew; empty while it need not.
        figures: values of this moment by name, for /metrics.
        soon: calls something when all connections had their turn.
        clock: seconds, monotonic.
        wall: seconds since 1970.
    """

    def __init__(
        self,
        knowledge: Knowledge,
        most_connections: int,
        *,
        unready: Callable[[], str],
        dead: Callable[[], str],
        figures: Callable[[], dict[str, float | None]],
        soon: Callable[[Callable[[], None]], object],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._knowledge, self._most = knowledge, most_connections
        self._unready, self._dead, self._figures, self._soon = unready, dead, figures, soon
        self._clock, self._wall = clock, wall
        self.now = clock()
        self.leaving = False
        self._answers = Answers(wall())
        self._counts = Counts()
        self._connections: set[Ended] = set()
        self._held = 0
        self._asked: Counter[int] = Counter()  # questions of each connection in this turn, by its id
        self._blamed = float("-inf")
        self._body = ""
        self._log = logging.getLogger("recommend")

    # What connections say.

    def opened(self, connection: Ended) -> bool:
        """Note a connection. Return False when there are too many; where there are far too many, it is ended."""
        self._connections.add(connection)
        if len(self._connections) > self._most + SPARE_CONNECTIONS:
            self._counts.refused[Reason.CONNECTIONS] += 1
            connection.abort()
        return len(self._connections) <= self._most

    def closed(self, connection: Ended) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def failed(self, error: Exception) -> None:
        """Note a fault of ours, met while a question was answered: its connection ends, and all others go on."""
        self._counts.faults += 1
        if self.now - self._blamed >= SAY_SECONDS:
            self._blamed = self.now
            cause = error.__context__ or error
            # Where it was, and of which kind: its words may hold what a visitor looked at.
            place = traceback.extract_tb(cause.__traceback__)[-1:]
            self._log.error("a question was not answered: %s in %s", type(cause).__name__, place)

    def hold(self, size: int) -> bool:
        """Note that unfinished bodies have grown by so many bytes. Return False when there is no room for them."""
        self._held += size
        return self._held <= MOST_HELD

    def take(self, waiter: Waiter, number: int, body: bytes, name: bytes) -> None:  # noqa: ARG002 whose name it is says nothing
        """Answer a question."""
        if not self._asked:
            self._soon(self._asked.clear)
        self._asked[id(waiter)] += 1
        waiter.answer(number, self._problem(id(waiter), body))

    def outcome(self, reason: Reason | None, *, last: bool) -> bytes:
        """Return the answer to the question that was just taken, or why there is none, and count it."""
        if reason is None:
            return self._answers.page(HTTPStatus.OK, self._body, JSON, last=last)
        self._counts.refused[reason] += 1
        return self._answers.refused(reason, last=last, retry_after=RETRY_SECONDS)

    def page(self, path: bytes, *, last: bool) -> bytes:
        """Return the answer to a GET of one of the pages."""
        if path == b"/metrics":
            text = self._counts.text({"recommend_connections": len(self._connections), **self._figures()})
            return self._answers.page(HTTPStatus.OK, text, MEDIA_TYPE, last=last)
        problem = self._dead() or ("" if path == b"/livez" else "draining" if self.leaving else self._unready())
        status = HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK
        return self._answers.page(status, f"{problem or 'ok'}\n", TEXT, last=last)

    # What the process says.

    def second(self) -> None:
        """Do what is due once a second."""
        self.now = self._clock()
        self._answers.renew(self._wall())
        for connection in tuple(self._connections):
            connection.look(self.now)

    @property
    def is_alone(self) -> bool:
        """Whether there is no connection."""
        return not self._connections

    def leave(self) -> None:
        """End connections that are owed nothing; all others end with their last answer."""
        for connection in tuple(self._connections):
            connection.leave()

    def abort(self) -> None:
        """End all connections."""
        for connection in tuple(self._connections):
            connection.abort()

    def _problem(self, connection: int, body: bytes) -> Reason | None:
        """Make the answer to a question, for `outcome`; return why there is none."""
        if self._asked[connection] > MOST_AT_ONCE:
            return Reason.PIPELINED
        if len(body) > LARGEST_QUESTION:
            return Reason.SIZE
        began = self._clock()
        try:
            question = question_of(body)
        except ValueError:
            return Reason.SHAPE
        row = self._knowledge.row(question)
        self._body = msgspec.json.encode(Answer(row)).decode()
        self._counts.answered(question, Counter[Because](each.because for each in row), self._clock() - began)
        return None
