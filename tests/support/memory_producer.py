"""A producer whose broker is a list: it acknowledges when a test lets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from app.clicks.producing import Done
from app.clicks.reasons import Reason


@dataclass(frozen=True)
class Kept:
    """A record as the broker has it."""

    partition: int
    text: bytes
    headers: Mapping[str, bytes]

    def batches(self) -> list[tuple[str, int]]:
        """Return tab and number of each batch in it."""
        return [(each["tab"], each["b"]) for each in msgspec.json.decode(self.text)]


class MemoryProducer:
    """Writes into a list.

    Attributes:
        kept: what is written.
        outcome: what the next polls say of what waits; None acknowledges and writes.
        is_silent: whether polls say nothing.
        refuses: why no record is taken, if so.
    """

    def __init__(self) -> None:
        self.problem = ""
        self.kept: list[Kept] = []
        self.outcome: Reason | None = None
        self.is_silent = False
        self.refuses: Reason | None = None
        self.waiting: list[tuple[Kept, Done]] = []

    def produce(self, partition: int, record: bytes, headers: Mapping[str, bytes], done: Done) -> Reason | None:
        if self.refuses is not None:
            return self.refuses
        self.waiting.append((Kept(partition, record, headers), done))
        return None

    def poll(self) -> None:
        if self.is_silent:
            return
        waiting, self.waiting = self.waiting, []
        for kept, done in waiting:
            if self.outcome is None:
                self.kept.append(kept)
            done(self.outcome)

    def give_up(self) -> None:
        self.outcome, self.is_silent = Reason.LATE, False

    def numbers(self) -> list[tuple[str, int]]:
        """Return tab and number of every batch that is written, in the order of the records."""
        return [each for kept in self.kept for each in kept.batches()]
