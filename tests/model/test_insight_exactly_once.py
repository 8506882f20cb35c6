"""Whatever happens to workers, each batch counts once: copies, rebalances, zombies, crashes and lost answers.

The oracle knows nothing of offsets or marks: it counts each batch that a browser made, once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from insight_world import CATALOGUE, T0, MemoryLog, MemorySink, click, envelope, partition_of, value_of

from app.clicks.senders import Sender
from app.errors import UnknownOutcomeError
from app.insight.balance import Outcome, Unit
from app.insight.counting import MINUTE_MS, Partition, merged
from app.insight.rows import rows_of
from app.insight.sink import FencedError

pytestmark = pytest.mark.requirement("0 acknowledged events lost, 0 counted twice")

PARTITIONS = 2
TABS = tuple(f"{number:016x}" for number in (1, 2, 3, 4, 5))
COPIES_MS = 110_000
"""A browser or a collector writes the same batch again within so long."""
KINDS = ("view", "list", "search", "add", "checkout")
PRODUCTS = ("moon-tee", "brass-lamp", "of-nobody")


@dataclass
class Made:
    """A batch that a browser made."""

    tab: str
    number: int
    time: int
    sender: Sender
    events: list[dict[str, Any]] = field(default_factory=list)

    def value(self) -> bytes:
        return envelope(self.tab, self.number, self.events, received=self.time, sender=self.sender)


def about(kind: str, name: str) -> dict[str, Any]:
    """Return the fields of an event."""
    return {"p": name} if kind in {"view", "add"} else {"k": "lamps"} if kind == "list" else {"n": 1}


def oracle(batches: list[Made]) -> tuple[Counter[Any], Counter[Any]]:
    """Return the counts by minute and those by product, in the plainest way."""
    minutes, products = Counter[Any](), Counter[Any]()
    for made in batches:
        for event in made.events:
            minute = (made.time - (T0 - event["at"])) // MINUTE_MS
            known = {"moon-tee": (1, "t-shirts"), "brass-lamp": (2, "lamps")}.get(event.get("p", ""))
            shelf = event.get("k", "") if "p" not in event else ""
            minutes[minute, event["t"], known[1] if known else shelf, made.sender.value] += 1
            if known and made.sender is Sender.PERSON:
                products[minute, known[0], event["t"]] += 1
    return minutes, products


class Workers(RuleBasedStateMachine):
    """Two workers at one log; each may believe that it has any of the partitions."""

    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.log, self.sink = MemoryLog(PARTITIONS), MemorySink()
        self.now, self.numbers, self.all = T0, Counter[str](), list[Made]()
        self.workers: list[dict[int, Partition]] = [{}, {}]

    @initialize()
    def begin(self) -> None:
        self.take_over(0, 0)
        self.take_over(1, 1)

    @rule(target=made, tab=st.sampled_from(TABS), sender=st.sampled_from((Sender.PERSON, Sender.CRAWLER)),
          kinds=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 3_000_000), st.sampled_from(PRODUCTS)),
                         min_size=1, max_size=3))  # fmt: skip
    def click(self, tab: str, sender: Sender, kinds: list[tuple[str, int, str]]) -> Made:
        """A browser sends its next batch; some of what happened in it is late."""
        events = [click(kind, age=age, **about(kind, name)) for kind, age, name in kinds]
        made = Made(tab, self.numbers[tab], self.now, sender, events)
        self.numbers[tab] += 1
        self.all.append(made)
        self.write(made)
        return made

    @rule(made=made)
    def copy(self, made: Made) -> None:
        """The same batch once more: its answer was lost, or a producer wrote it late."""
        if self.now - made.time <= COPIES_MS:
            self.write(made)

    def write(self, made: Made) -> None:
        self.log.append(partition_of(made.tab, PARTITIONS), value_of(made.value()), self.now)

    @rule(seconds=st.integers(1, 100))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * 1000

    @rule(worker=st.integers(0, 1), number=st.integers(0, PARTITIONS - 1))
    def take_over(self, worker: int, number: int) -> None:
        """A partition is assigned; the other worker has not heard of it yet, or never will."""
        (place,) = self.sink.placed([self.log.extent(number)])
        self.workers[worker][number] = Partition(place)

    @rule(worker=st.integers(0, 1))
    def crash(self, worker: int) -> None:
        """A worker starts anew."""
        numbers = list(self.workers[worker])
        self.workers[worker] = {}
        for number in numbers:
            self.take_over(worker, number)

    @rule(worker=st.integers(0, 1), most=st.integers(1, 6))
    def read(self, worker: int, most: int) -> None:
        for number, partition in self.workers[worker].items():
            for record in self.log.records[number][partition.reads :][:most]:
                partition.take(record)

    @rule(worker=st.integers(0, 1), forgets=st.booleans(), crashes=st.booleans())
    def commit(self, worker: int, forgets: bool, crashes: bool) -> None:
        """Write; the answer may get lost, and the worker may die before it has heard it."""
        parts = self.workers[worker]
        steps, sums = merged(parts)
        if not steps:
            return
        self.sink.forgets = forgets
        try:
            self.sink.put(steps, rows_of(sums, CATALOGUE))
        except (FencedError, UnknownOutcomeError):
            crashes = True
        self.sink.forgets = False
        if crashes:
            self.crash(worker)
            return
        for step in steps:
            parts[step.partition].was_written(step)

    @invariant()
    def nothing_is_counted_twice(self) -> None:
        assert self.sink.balance_of(Outcome.COUNTED, Unit.BATCHES) <= len(self.all)

    def teardown(self) -> None:
        for worker in (0, 1):
            self.crash(worker)
            self.read(worker, 10_000)
            self.commit(worker, forgets=False, crashes=False)
        for number in range(PARTITIONS):
            self.take_over(0, number)
        self.read(0, 10_000)
        self.commit(0, forgets=False, crashes=False)
        expected = oracle(self.all)
        assert (+self.sink.minutes, +self.sink.products) == expected
        assert self.replayed() == self.sink.tables()

    def replayed(self) -> tuple[Any, ...]:
        """Return the tables that a worker makes of the whole log from its beginning, in one go."""
        sink = MemorySink()
        parts = {each.partition: Partition(each) for each in sink.placed(
            [type(each)(each.partition, 0, 0) for each in self.log.extents()]
        )}  # fmt: skip
        for number, partition in parts.items():
            for record in self.log.records[number]:
                partition.take(record)
        steps, sums = merged(parts)
        sink.put(steps, rows_of(sums, CATALOGUE))
        return sink.tables()


def test_workers_count_each_batch_once() -> None:
    """The rules above, in any order."""
    bounds = settings(max_examples=60, stateful_step_count=40, deadline=None)
    run_state_machine_as_test(Workers, settings=bounds)  # type: ignore[no-untyped-call]  # Hypothesis types it not
