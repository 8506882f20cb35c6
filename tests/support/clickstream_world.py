"""A site for bench/clickstream without a lab: a collector that answers as it is told, a log, the worker's counts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from insight_world import MemoryLog, partition_of, value_of

from app.clicks.events import batch_of, envelope_of
from app.clicks.senders import Sender
from app.insight.counting import Partition, Sums, placed
from app.insight.rows import Catalogue, Rows, rows_of
from shopsphere.foundation.paths import REPOSITORY

sys.path += [str(REPOSITORY / "bench" / each) for each in ("clickstream", "safety", "stores")]

from stream_connections import Answer, NoAnswerError, NotSentError
from stream_counts import Look
from stream_ledger import Entry
from stream_plan import Plan
from stream_play import Play
from stream_visits import Crowd, Shelves

PRODUCTS = {f"tee-{number}": (number, "t-shirts") for number in range(1, 9)} | {"lamp": (9, "lamps")}
CATALOGUE = Catalogue(PRODUCTS, frozenset({"t-shirts", "lamps"}))
CATEGORY_OF = {name: category for name, (_, category) in PRODUCTS.items()}
SHELVES = Shelves(tuple(CATEGORY_OF.items()), ("t-shirts", "lamps"))
PARTITIONS = 2
Rule = Callable[[dict[str, Any], int], Answer | None]
"""Says how the n-th try of a batch is answered; None for not at all. What is answered with 599 is not even sent."""
TAKEN = Answer(204, 0)


def always(_body: dict[str, Any], _times: int) -> Answer:
    return TAKEN


@dataclass
class MemorySite:
    """Takes batches, and counts them.

    Attributes:
        rule: how it answers.
        writes: whether what it does not acknowledge is written all the same.
        bodies: all that came, in order.
    """

    rule: Rule = always
    writes: bool = False
    bodies: list[dict[str, Any]] = field(default_factory=list)
    log: MemoryLog = field(default_factory=lambda: MemoryLog(PARTITIONS))
    _times: dict[tuple[str, int], int] = field(default_factory=dict)

    async def post(self, body: bytes) -> Answer:
        told = json.loads(body)
        key = (told["tab"], told["b"])
        self._times[key] = self._times.get(key, 0) + 1
        answer = self.rule(told, self._times[key])
        if answer is not None and answer.status == 599:
            raise NotSentError
        self.bodies.append(told)
        if answer == TAKEN or self.writes:
            self.write(body)
        if answer is None:
            raise NoAnswerError
        return answer

    def write(self, body: bytes) -> None:
        batch = batch_of(body)
        envelope = envelope_of(batch, batch.sent, Sender.PERSON)
        self.log.append(partition_of(batch.tab, PARTITIONS), value_of(envelope), batch.sent)

    def rows(self) -> Rows:
        """Count all of it anew, as a worker does that never failed."""
        sums = Sums()
        for number, records in enumerate(self.log.records):
            partition = Partition(placed(self.log.extent(number), 0, 0, 0))
            for record in records:
                partition.take(record)
            sums.add(partition.part()[1])
        return rows_of(sums, CATALOGUE)


def counted(rows: Rows) -> dict[str, int]:
    """Return rows as stream_counts names them."""
    name_of = {number: name for name, (number, _) in PRODUCTS.items()}
    found: dict[str, int] = {}

    def add(name: str, number: int) -> None:
        found[name] = found.get(name, 0) + number

    for (_, kind, category, _), events in rows.minutes.items():
        add(f"kind/{kind}", events)
        add(f"shelf/{category}/{kind}", events)
    for (_, product, kind), events in rows.products.items():
        add(f"product/{name_of[product]}/{kind}", events)
    for (_, outcome, unit), number in rows.balance.items():
        add(f"balance/{outcome}/{unit}", number)
    return found


def looks_in(rows: Rows) -> Iterator[Look]:
    name_of = {number: name for name, (number, _) in PRODUCTS.items()}
    for (session, product), at in rows.looks.items():
        yield Look(session, name_of[product], at)


async def played(
    site: MemorySite, *, seed: int = 1, run: str = "a", visitors: int = 10, **more: Any
) -> tuple[list[Entry], Play]:
    """Play half a second of visitors, and return what the ledger has."""
    lines: list[str] = []
    options = {"rate": 400, "seconds": 0.5, "partitions": PARTITIONS, "patience": 8, "settle": 0, "shown": "tee-1"}
    crowd = Crowd(SHELVES, visitors, seed, run)
    play = Play(crowd, Plan(run, **{**options, **more}), site, lines.append, Random(1))
    await play.run()
    return [_entry(json.loads(line)) for line in lines], play


def _entry(line: dict[str, Any]) -> Entry:
    events = tuple((kind, name, at) for kind, name, at in line["events"])
    times = (line["sent"], line["answered"], line["longest"])
    return Entry(line["tab"], line["b"], events, line["answers"], *times, part=line.get("part", ""))
