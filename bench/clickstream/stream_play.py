"""Plays a crowd: each event when it is due, each batch when its tab wants to send it; a line says what became of it."""

from __future__ import annotations

import asyncio
import heapq
import json
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from zlib import crc32

from stream_connections import Answer, NoAnswerError, NotSentError
from stream_ledger import MARKER, PROBE, Entry
from stream_plan import Plan, Posts, Seen
from stream_tab import LOST, TAKEN, UNSENT, Batch, Request, Tab
from stream_visits import FORMS, Crowd, tab_name

LOOK_SECONDS = 0.01
HIDDEN_A_TAB = 4
"""Tabs that were left and still have something to send, for each that was open; beyond these the oldest are closed."""
FEWEST_HIDDEN = 400
MOST_TIMES = 200_000
"""Times of answers that are kept."""


class Play:
    """One load.

    Args:
        crowd: who does what.
        plan: how much of it.
        posts: where batches go.
        write: takes a line of the ledger.
        chance: decides pauses of tabs.
    """

    def __init__(self, crowd: Crowd, plan: Plan, posts: Posts, write: Callable[[str], object], chance: Random) -> None:
        self.seen = Seen()
        self._crowd, self._plan, self._posts, self._write, self._chance = crowd, plan, posts, write, chance
        self._tabs: dict[str, Tab] = {}
        self._hidden: OrderedDict[str, Tab] = OrderedDict()
        self._timers: list[tuple[float, int, Tab]] = []
        self._noted = 0
        self._ready: deque[Request] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._wall, self._began = time.time(), time.monotonic()
        self._most_tabs = 0
        self._is_ended = self._is_settled = self._is_over = False
        self._begins_to_end = math.inf

    def end(self) -> None:
        """Let no more events come."""
        self._is_ended = True

    def now(self) -> float:
        """Milliseconds since 1970, without steps."""
        return (self._wall + time.monotonic() - self._began) * 1000

    async def run(self) -> None:
        """Play all of it, and wait for the answers."""
        begin = self.seen.last_taken = self.now()
        await self._let_events_come(begin)
        self._begins_to_end = self.now()
        for tab in list(self._tabs.values()):
            self._leave(tab)
        await self._drained(self._plan.patience)
        if self._hidden or not self.seen.answers[str(TAKEN)]:
            self._note_gap(self.now(), is_taken=False)
        self._is_settled = True
        await asyncio.sleep(self._plan.settle)
        self._mark_the_end()
        await self._drained(self._plan.patience / 2)
        self._is_over = True
        await asyncio.sleep(0)  # one that never began would never be told
        for task in list(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for request in self._ready:
            self._answered(request, Answer(0, 0), UNSENT)
        for tab in [*self._tabs.values(), *self._hidden.values()]:
            self._close(tab)

    async def _let_events_come(self, begin: float) -> None:
        total, apart = int(self._plan.rate * self._plan.seconds), 1000 / self._plan.rate
        due, probe, last_probe = begin, begin, begin + 1000 * self._plan.seconds
        while self.seen.made < total and not self._is_ended:
            now = self.now()
            while due <= now and self.seen.made < total:
                self.seen.behind = max(self.seen.behind, now - due)
                self._happens(due)
                self.seen.made += 1
                due = begin + self.seen.made * apart
            if self._plan.probes and probe <= min(now, last_probe - 1):
                self._show(tab_name(self._plan.run, PROBE, round((probe - begin) / 1000)), PROBE)
                probe += 1000
            await self._turn(min(due, probe) if self._plan.probes else due)

    def _happens(self, due: float) -> None:
        happening = self._crowd.next()
        tab = self._tabs.get(happening.tab)
        if tab is None:
            tab = self._tabs[happening.tab] = Tab(happening.tab, self._post, self._chance.random)
            self._most_tabs = max(self._most_tabs, len(self._tabs))
        with self._noting(tab):
            if happening.click["t"] in FORMS:
                tab.tell(due, happening.click)
                tab.open_page(due)  # the cart
            else:
                tab.open_page(due, happening.click)
        if happening.is_last:
            self._leave(tab)

    def _show(self, name: str, part: str) -> None:
        tab = Tab(name, self._post, self._chance.random, part=part)
        with self._noting(tab):
            tab.open_page(self.now(), {"t": "view", "p": self._plan.shown})
        self._leave(tab)

    def _mark_the_end(self) -> None:
        number, wanted = 0, set(range(self._plan.partitions))
        while wanted:
            number += 1
            name = tab_name(self._plan.run, MARKER, number)
            if (place := crc32(name.encode()) % self._plan.partitions) in wanted:
                wanted.remove(place)
                self._show(name, MARKER)

    def _leave(self, tab: Tab) -> None:
        self._tabs.pop(tab.name, None)
        if not tab.waiting:
            self.seen.lost_by_tabs += tab.lost
            return
        self._hidden[tab.name] = tab
        with self._noting(tab):
            tab.hide(self.now())
        if len(self._hidden) > max(FEWEST_HIDDEN, HIDDEN_A_TAB * self._most_tabs):
            _, oldest = self._hidden.popitem(last=False)
            self._close(oldest)

    def _close(self, tab: Tab) -> None:
        self.seen.lost_by_tabs += tab.lost
        waiting = tab.waiting
        batch = tab.give_up()
        self.seen.never_sent += waiting - (len(batch.events) if batch else 0)
        if batch is not None and batch.is_over:
            self._tell(batch)

    @contextmanager
    def _noting(self, tab: Tab) -> Iterator[None]:
        """Note afterwards when a tab wants to send."""
        before = tab.timer
        yield
        if tab.timer is not None and tab.timer != before:
            self._noted += 1
            heapq.heappush(self._timers, (tab.timer, self._noted, tab))

    async def _turn(self, until: float) -> None:
        """Let tabs send that want to, and rest."""
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            at, _, tab = heapq.heappop(self._timers)
            if tab.timer == at:
                with self._noting(tab):
                    tab.send(now)
        await asyncio.sleep(max(0.0, min((until - self.now()) / 1000, LOOK_SECONDS)))

    async def _drained(self, seconds: float) -> None:
        """Go on until all is answered, or for so long."""
        until = time.monotonic() + seconds
        while (self._hidden or self._running) and time.monotonic() < until:
            await self._turn(self.now() + 1000)

    def _post(self, request: Request) -> None:
        request.batch.open_tries += 1
        self._ready.append(request)
        if len(self._ready) > max(FEWEST_HIDDEN, HIDDEN_A_TAB * self._most_tabs):
            self._forget_what_nobody_awaits()
        self._begin_some()

    def _forget_what_nobody_awaits(self) -> None:
        """Take requests out whose pages went on while nothing could be sent."""
        waiting, self._ready = self._ready, deque()
        for request in waiting:
            if self._is_awaited(request):
                self._ready.append(request)
            else:
                self._answered(request, Answer(0, 0), UNSENT)

    def _is_awaited(self, request: Request) -> bool:
        tab = self._tab_of(request.batch)
        return tab is not None and tab.awaits(request)

    def _tab_of(self, batch: Batch) -> Tab | None:
        return self._tabs.get(batch.tab) or self._hidden.get(batch.tab)

    def _begin_some(self) -> None:
        while self._ready and len(self._running) < self._plan.connections and not self._is_over:
            task = asyncio.create_task(self._ask(self._ready.popleft()))
            self._running.add(task)
            task.add_done_callback(self._ran)

    def _ran(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._begin_some()

    async def _ask(self, request: Request) -> None:
        answer, told = Answer(0, 0), LOST
        try:
            if self._is_awaited(request):
                request.batch.first = request.batch.first or request.sent
                answer = await self._posts.post(json.dumps(request.body(), separators=(",", ":")).encode())
                told = str(answer.status)
            else:
                told = UNSENT
        except NotSentError:
            told = UNSENT
        except NoAnswerError:
            told = LOST
        finally:
            self._answered(request, answer, told)

    def _answered(self, request: Request, answer: Answer, told: str) -> None:
        now, batch, seen = self.now(), request.batch, self.seen
        took = now - request.sent
        batch.open_tries -= 1
        batch.answers[told] += 1
        batch.last, batch.longest = now, max(batch.longest, took)
        seen.answers[told] += 1
        if answer.status == TAKEN:
            self._note_gap(now, is_taken=True)
            if request.sent < self._begins_to_end and len(seen.times) < MOST_TIMES:
                seen.times.append(took)
        tab = self._tab_of(batch)
        if tab is not None:
            with self._noting(tab):
                tab.answered(request, answer.status, answer.retry_after, now)
            if tab.is_hidden and tab.waiting and tab.batch is None:
                with self._noting(tab):
                    tab.send(now)  # nobody looks at it: it need not wait for more
            if tab.is_hidden and not tab.waiting:
                self._hidden.pop(tab.name, None)
                seen.lost_by_tabs += tab.lost
        if batch.is_over:
            self._tell(batch)

    def _note_gap(self, now: float, *, is_taken: bool) -> None:
        if self._is_settled:
            return
        self.seen.gap = max(self.seen.gap, ((now - self.seen.last_taken) / 1000, self.seen.last_taken))
        if is_taken:
            self.seen.last_taken = now

    def _tell(self, batch: Batch) -> None:
        entry = Entry.of(batch)
        self.seen.batches[entry.fate] += 1
        self.seen.events[entry.fate] += len(entry.events)
        self._write(entry.line())
