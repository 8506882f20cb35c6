"""Puts batches of many browsers into few records, and tells each browser what became of its record.

A record is open for PACK_SECONDS or until it has RECORD_BYTES: one produce then, and one report for all that wait for
it. What waits is bounded in bytes, from the moment a batch is taken until its browser is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol
from zlib import crc32

from app.clicks.figures import Figures
from app.clicks.producing import Producer
from app.clicks.reasons import Reason
from app.clicks.senders import Sender

PACK_SECONDS = 0.005
RECORD_BYTES = 200_000
"""Bytes beyond which a record takes no further batch; less than half of what a topic takes."""
OVERHEAD = 256
"""Bytes that each waiting batch costs beside its text."""
FORMAT = b"1"
"""Version of what stands in a record, in its header `v`; `n` says how many events there are.

A record with `n` 0 and the value `[]` asks only whether brokers acknowledge: readers skip it.
"""


class Waiter(Protocol):
    """Waits for what becomes of a batch."""

    def answer(self, number: int, reason: Reason | None) -> None:
        """Take the outcome of the request with this number: None when it is written, else why it is not."""


@dataclass(slots=True, eq=False)
class Record:
    """Batches of one partition that share their fate.

    Attributes:
        events: in all batches.
        size: bytes of the record.
        counted: bytes that it counts against the bound.
        is_over: whether those that wait for it were told.
    """

    batches: list[bytes] = field(default_factory=list)
    waiters: list[tuple[Waiter, int]] = field(default_factory=list)
    senders: list[Sender] = field(default_factory=list)
    events: int = 0
    size: int = 1
    counted: int = 0
    is_over: bool = False


class Packer:
    """Collects batches and gives records to a producer.

    Args:
        producer: writes.
        partitions: of the topic that are written to.
        most_waiting: bytes of batches that may wait.
        figures: counts what is acknowledged.
        told: called with the outcome of each record.
    """

    def __init__(
        self,
        producer: Producer,
        *,
        partitions: int,
        most_waiting: int,
        figures: Figures,
        told: Callable[[Reason | None], None],
    ) -> None:
        self._producer = producer
        self._partitions = partitions
        self._most = most_waiting
        self._figures = figures
        self._told = told
        self._open: dict[int, Record] = {}
        self._written: set[Record] = set()
        self.waiting = 0
        """Bytes that count against the bound."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, here or at the producer."""
        return not self._open and not self._written

    def has_room(self, size: int) -> bool:
        """Whether a batch of so many bytes can be taken."""
        return self.waiting + size + OVERHEAD <= self._most

    def take(self, tab: str, batch: bytes, events: int, sender: Sender, waiter: Waiter, number: int) -> bool:
        """Take a batch; its waiter is told later what became of it. Return False when there is no room for it."""
        size = len(batch)
        if not self.has_room(size):
            return False
        partition = crc32(tab.encode()) % self._partitions
        record = self._open.get(partition)
        if record is None or record.size + size >= RECORD_BYTES:
            if record is not None:
                self._write(partition, record)
            record = self._open[partition] = Record()
        record.batches.append(batch)
        record.waiters.append((waiter, number))
        record.senders.append(sender)
        record.events += events
        record.size += size + 1
        record.counted += size + OVERHEAD
        self.waiting += size + OVERHEAD
        return True

    def flush(self) -> None:
        """Give all open records to the producer."""
        opened, self._open = self._open, {}
        for partition, record in opened.items():
            self._write(partition, record)

    def try_out(self, partition: int) -> None:
        """Write a record without batches (`[]`, `n` 0), which shows whether brokers acknowledge; readers skip it."""
        self._write(partition % self._partitions, Record())

    def give_up(self, reason: Reason) -> None:
        """Tell all that wait that their batch is not known to be written."""
        opened, self._open = self._open, {}
        for record in [*opened.values(), *self._written]:
            self._done(record, reason)

    def _write(self, partition: int, record: Record) -> None:
        self._written.add(record)
        headers = {"n": str(record.events).encode(), "v": FORMAT}
        text = b"[" + b",".join(record.batches) + b"]"
        record.batches.clear()  # the producer has its own copy
        reason = self._producer.produce(partition, text, headers, partial(self._done, record))
        if reason is not None:
            self._done(record, reason)

    def _done(self, record: Record, reason: Reason | None) -> None:
        """Tell those that wait; what is told a second time, after it was given up, is nobody's any more."""
        if record.is_over:
            return
        record.is_over = True
        self._written.discard(record)
        self.waiting -= record.counted
        if reason is None:
            self._figures.records += 1
            self._figures.events += record.events
            self._figures.stored_bytes += record.size
            self._figures.batches.update(record.senders)
        self._told(reason)
        waiters, record.waiters = record.waiters, []
        for waiter, number in waiters:
            waiter.answer(number, reason)
