"""A tab with the pages' script, in Python: what app/static/clicks.js does, with a clock that somebody else turns.

The same numbers, pauses and repeats: a batch is sent as it is, under its number, until it is answered; one batch is
under way; a new page knows nothing of the request of the page before. tests/model compares it with the script itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

BATCH_EVENTS = 16
MOST_WAITING = 200
QUIET_MS = 5_000
FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 1_000, 60_000
TAKEN, REFUSED, TOO_LARGE = 204, 400, 413
UNSENT, LOST = "unsent", "lost"
"""Answers that are none: nothing was sent, or nobody knows what became of it."""


@dataclass(eq=False)
class Batch:
    """A batch, and all that is known of it.

    Attributes:
        tab: number of its tab.
        number: of it in the tab.
        given_up: events that the tab lost before it.
        events: with their moments (ms of the tab's clock).
        part: what it is for, where it is none of a visitor's.
        answers: how often which status came, LOST or UNSENT.
        first: when it was sent for the first time (ms).
        last: when the last answer came (ms).
        longest: that an answer took, or was waited for (ms).
        open_tries: requests that are under way.
        is_left: whether its tab has gone on to something else.
    """

    tab: str
    number: int
    given_up: int
    events: list[dict[str, Any]]
    part: str = ""
    answers: Counter[str] = field(default_factory=Counter)
    first: float = 0
    last: float = 0
    longest: float = 0
    open_tries: int = 0
    is_left: bool = False

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be known."""
        return self.is_left and not self.open_tries


@dataclass(frozen=True, eq=False)
class Request:
    """One try to send a batch, at a moment (ms)."""

    batch: Batch
    sent: float

    def body(self) -> dict[str, Any]:
        """Return what is posted."""
        batch = self.batch
        return {
            "v": 1, "tab": batch.tab, "b": batch.number, "sent": round(self.sent), "c": 1, "d": batch.given_up,
            "e": batch.events,
        }  # fmt: skip


class Tab:
    """A tab, page after page.

    Args:
        name: its number.
        post: is given each request.
        chance: a number from 0 to 1, each time another one.
        part: see Batch.

    Attributes:
        timer: when it wants to send next (ms); None for not at all.
        lost: events that it gave up and has not told yet.
        is_hidden: whether its visitor has left it.
    """

    def __init__(
        self, name: str, post: Callable[[Request], None], chance: Callable[[], float], *, part: str = ""
    ) -> None:
        self.name = name
        self.timer: float | None = None
        self.lost = 0
        self.is_hidden = False
        self._post, self._chance, self._part = post, chance, part
        self._waiting: list[dict[str, Any]] = []
        self._batch: Batch | None = None
        self._number = self._events = 0
        self._not_before = 0.0
        self._flight: Request | None = None
        self._pause = 0.0

    @property
    def waiting(self) -> int:
        """How many events wait, those of the batch included."""
        return len(self._waiting)

    @property
    def batch(self) -> Batch | None:
        """The batch that is not answered yet."""
        return self._batch

    def awaits(self, request: Request) -> bool:
        """Whether the answer to a request would change anything."""
        return self._flight is request

    def open_page(self, now: float, click: dict[str, Any] | None = None) -> None:
        """Show another page, which says what it is."""
        self._flight, self.timer, self._pause = None, None, 0.0
        if click is not None:
            self.tell(now, click)
        if self.timer is None:
            self._plan(now, QUIET_MS)

    def tell(self, now: float, click: dict[str, Any]) -> None:
        """Note something that happens."""
        if len(self._waiting) >= MOST_WAITING:
            self.lost += 1
        else:
            self._waiting.append({**click, "at": round(now), "q": self._events})
            self._events += 1
        if len(self._waiting) >= BATCH_EVENTS and self._batch is None:
            self.send(now)
        elif self.timer is None and self._flight is None:
            self._plan(now, QUIET_MS)

    def hide(self, now: float) -> None:
        """Let the visitor leave."""
        self.is_hidden = True
        self.send(now)

    def send(self, now: float) -> None:
        """Send what waits, if it may be sent."""
        self.timer = None
        if self._flight is not None or not self._waiting:
            return
        if self._not_before > now:
            self._plan(now, self._not_before - now)
            return
        if self._batch is None:
            self._batch = self._packed(min(BATCH_EVENTS, len(self._waiting)), self.lost)
        self._flight = Request(self._batch, now)
        self._post(self._flight)

    def answered(self, request: Request, status: int, retry_after: float, now: float) -> None:
        """Take an answer; status 0 is none, `retry_after` what it asks for (s)."""
        if self._flight is not request:
            return
        self._flight = None
        batch = request.batch
        if self._batch is not batch:
            return
        if status == TOO_LARGE and len(batch.events) > 1:
            batch.is_left = True
            self._batch = self._packed(len(batch.events) // 2, batch.given_up)
        elif status in {TAKEN, REFUSED, TOO_LARGE}:
            self._go_on(batch, is_taken=status == TAKEN)
        else:
            self._pause = min(self._pause * 2 or FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
            self._not_before = now + max(self._pause, retry_after * 1000) * (1 + self._chance() / 2)
        if self._waiting:
            is_due = self._batch is not None or len(self._waiting) >= BATCH_EVENTS
            self._plan(now, self._not_before - now if is_due else QUIET_MS)

    def give_up(self) -> Batch | None:
        """Close it for good; return the batch that was not answered."""
        batch, self._batch, self._flight, self.timer = self._batch, None, None, None
        self._waiting.clear()
        if batch is not None:
            batch.is_left = True
        return batch

    def _go_on(self, batch: Batch, *, is_taken: bool) -> None:
        batch.is_left = True
        self._batch = None
        self._pause = 0.0
        del self._waiting[: len(batch.events)]
        if is_taken:
            self._number += 1
            self.lost -= batch.given_up
        else:
            self.lost += len(batch.events)

    def _packed(self, events: int, given_up: int) -> Batch:
        return Batch(self.name, self._number, given_up, self._waiting[:events], self._part)

    def _plan(self, now: float, wait: float) -> None:
        self.timer = now + max(wait, 0.0)
