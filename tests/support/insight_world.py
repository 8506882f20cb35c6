"""A log, a sink and a group in memory: what the worker reads, where it writes, and who has which partition."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

from app.clicks.events import batch_of, envelope_of
from app.clicks.senders import Sender
from app.errors import DatabaseUnavailableError, ReadOnlyDatabaseError, UnknownOutcomeError
from app.insight.balance import Balance, Outcome, Unit
from app.insight.consuming import Places
from app.insight.counting import DAY_MS, Extent, Partition, Place, Record, Step, placed
from app.insight.rows import Catalogue, Rows
from app.insight.sink import FencedError, Source

T0 = 1_764_500_040_000
"""A whole minute."""
SOURCE = Source("frankfurt", "clicks", "log-1")
CATALOGUE = Catalogue({"moon-tee": (1, "t-shirts"), "brass-lamp": (2, "lamps")}, frozenset({"t-shirts", "lamps"}))


def click(kind: str = "view", *, age: int = 0, q: int = 0, **more: Any) -> dict[str, Any]:
    """Return an event that happened so many ms before it was sent; a view is one of `moon-tee`."""
    about = {"p": "moon-tee", "k": "t-shirts"} if kind in {"view", "add", "remove"} and not more else more
    return {"t": kind, "at": T0 - age, "q": q, **about}


def envelope(
    tab: str, number: int, events: Sequence[dict[str, Any]], *, received: int = T0, sender: Sender = Sender.PERSON,
    given_up: int = 0,
) -> bytes:  # fmt: skip
    """Return a batch as the collector writes it, by the collector's own code."""
    body = {"v": 1, "tab": tab, "b": number, "sent": T0, "c": 1, "d": given_up, "e": list(events)}
    return envelope_of(batch_of(json.dumps(body).encode()), received, sender)


def value_of(*envelopes: bytes) -> bytes:
    return b"[" + b",".join(envelopes) + b"]"


def partition_of(tab: str, partitions: int) -> int:
    return crc32(tab.encode()) % partitions


class MemoryLog:
    """Records by partition; `low` is where each begins after what was removed."""

    def __init__(self, partitions: int = 2) -> None:
        self.records: list[list[Record]] = [[] for _ in range(partitions)]
        self.low = [0] * partitions

    def append(self, partition: int, value: bytes, time: int = T0, version: bytes | None = b"1") -> None:
        there = self.records[partition]
        there.append(Record(len(there), time, value, version))

    def extent(self, partition: int) -> Extent:
        return Extent(partition, self.low[partition], len(self.records[partition]))

    def extents(self) -> list[Extent]:
        return [self.extent(number) for number in range(len(self.records))]


class MemorySink:
    """Tables in memory, written all at once or not at all.

    Attributes:
        only_follows: whether another database leads.
        fails: raised by the next writes, before they write.
        forgets: the next write is written, and its answer is lost.
        hangs: whether writes never end.
    """

    def __init__(self) -> None:
        self.next: dict[int, tuple[int, int]] = {}
        self.minutes: Counter[Any] = Counter()
        self.products: Counter[Any] = Counter()
        self.looks: dict[Any, int] = {}
        self.balance: Balance = Counter()
        self.only_follows = self.forgets = self.hangs = False
        self.fails: Exception | None = None
        self.writes = 0

    def tables(self) -> tuple[Any, ...]:
        return (+self.minutes, +self.products, self.looks, +self.balance)

    def balance_of(self, outcome: Outcome, unit: Unit) -> int:
        return sum(number for (_, what, of), number in self.balance.items() if (what, of) == (outcome, unit))

    async def follows(self) -> bool:
        if isinstance(self.fails, DatabaseUnavailableError) and not isinstance(self.fails, ReadOnlyDatabaseError):
            raise self.fails
        return self.only_follows

    async def places(self, source: Source, extents: Sequence[Extent]) -> list[Place]:  # noqa: ARG002 as the interface says
        if self.fails is not None:
            raise self.fails
        return self.placed(extents)

    async def catalogue(self) -> Catalogue:
        return CATALOGUE

    async def write(self, source: Source, steps: Sequence[Step], rows: Rows) -> None:  # noqa: ARG002 as above
        if self.fails is not None:
            raise self.fails
        while self.hangs:  # noqa: ASYNC110 a test ends it by a timeout
            await asyncio.sleep(0.01)
        self.put(steps, rows)

    def placed(self, extents: Sequence[Extent]) -> list[Place]:
        found = []
        for each in extents:
            next_, marks_from = self.next.setdefault(each.partition, (each.low, each.low))
            found.append(placed(each, next_, marks_from, T0 // DAY_MS))
        return found

    def put(self, steps: Sequence[Step], rows: Rows) -> None:
        if any(self.next[each.partition][0] != each.before for each in steps):
            raise FencedError("another one was here")
        self.next.update({each.partition: (each.next, each.marks_from) for each in steps})
        self.minutes.update(rows.minutes)
        self.products.update(rows.products)
        self.balance.update(rows.balance)
        for key, at in rows.looks.items():
            self.looks[key] = max(at, self.looks.get(key, 0))
        self.writes += 1
        if self.forgets:
            self.forgets = False
            raise UnknownOutcomeError("no answer")


class MemoryReader:
    """A member of a group that has all partitions, or those that a test gives it.

    Attributes:
        fails: raised by the next reads.
        has_joined: whether its group has said what is its own.
        waits: whether the group says nothing yet.
    """

    def __init__(self, log: MemoryLog, places: Places, *, at_once: int = 8) -> None:
        self.partitions: dict[int, Partition] = {}
        self.fails: Exception | None = None
        self.is_closed = self.has_joined = self.waits = False
        self.slept = 0.0
        self._log, self._places, self._at_once = log, places, at_once

    def read(self, seconds: float) -> None:
        self.slept += seconds
        if self.fails is not None:
            raise self.fails
        if self.waits:
            return
        self.has_joined = True
        if not self.partitions:
            self.partitions = {each.partition: Partition(each) for each in self._places(self._log.extents())}
        left = self._at_once
        for number, partition in self.partitions.items():
            for record in self._log.records[number][partition.reads :][:left]:
                partition.take(record)
                left -= 1

    def look_at_ends(self) -> None:
        for number, partition in self.partitions.items():
            partition.end = len(self._log.records[number])

    def ask(self) -> None:
        if self.fails is not None:
            raise self.fails

    def close(self) -> None:
        self.is_closed, self.partitions = True, {}


Opened = Callable[[str, Places], MemoryReader]
