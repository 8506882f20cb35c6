"""The packer: who is told that a batch is written has it in the log, and what waits has a bound."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import pytest
from clicks_world import TAB, World, batch, post
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from memory_producer import MemoryProducer

from app.clicks.backoff import LONGEST, Backoff
from app.clicks.figures import Figures
from app.clicks.packing import OVERHEAD, RECORD_BYTES, Packer
from app.clicks.reasons import Reason
from app.clicks.senders import Sender

pytestmark = pytest.mark.requirement("204 only after the brokers' acknowledgement, in bounded memory")
MOST = 5_000
PARTITIONS = 3


class Told:
    """A waiter that notes what it is told."""

    def __init__(self) -> None:
        self.outcomes: dict[int, list[Reason | None]] = {}

    def answer(self, number: int, reason: Reason | None) -> None:
        self.outcomes.setdefault(number, []).append(reason)


def packer_of(producer: MemoryProducer, most: int = MOST, partitions: int = PARTITIONS) -> Packer:
    return Packer(producer, partitions=partitions, most_waiting=most, figures=Figures(), told=lambda _: None)


class PackerMachine(RuleBasedStateMachine):
    """Batches come, records are written, late, refused or given up, in any order.

    The model is two sets of numbers: what was taken, and what the list behind the producer has.
    """

    def __init__(self) -> None:
        super().__init__()
        self.producer = MemoryProducer()
        self.packer = packer_of(self.producer)
        self.waiter = Told()
        self.taken: dict[int, int] = {}
        self.number = 0

    def written(self) -> set[int]:
        return {number for _, number in self.producer.numbers()}

    @rule(size=st.integers(1, 1500), tab=st.integers(0, 5))
    def take(self, size: int, tab: int) -> None:
        self.number += 1
        text = b'{"tab":"%d","b":%d,"x":"%s"}' % (tab, self.number, b"y" * size)
        waiting = sum(size for number, size in self.taken.items() if number not in self.waiter.outcomes)
        was_taken = self.packer.take(str(tab), text, 1, Sender.PERSON, self.waiter, self.number)
        assert was_taken == (waiting + len(text) + OVERHEAD <= MOST)
        if was_taken:
            self.taken[self.number] = len(text) + OVERHEAD

    @rule()
    def flush(self) -> None:
        self.packer.flush()

    @rule()
    def poll(self) -> None:
        self.producer.poll()

    @rule(outcome=st.sampled_from([None, None, Reason.LATE, Reason.BROKER]))
    def change(self, outcome: Reason | None) -> None:
        self.producer.outcome = outcome

    @rule(full=st.booleans())
    def fill(self, *, full: bool) -> None:
        self.producer.refuses = Reason.FULL if full else None

    @rule(partition=st.integers(0, 9))
    def try_out(self, partition: int) -> None:
        self.packer.try_out(partition)

    @rule()
    def give_up(self) -> None:
        self.packer.give_up(Reason.LEAVING)

    @invariant()
    def nobody_is_told_twice(self) -> None:
        assert all(len(outcomes) == 1 for outcomes in self.waiter.outcomes.values())
        assert set(self.waiter.outcomes) <= set(self.taken)

    @invariant()
    def what_is_acknowledged_is_written_once(self) -> None:
        acknowledged = {number for number, outcomes in self.waiter.outcomes.items() if outcomes == [None]}
        assert acknowledged <= self.written()
        assert len(self.producer.numbers()) == len(self.written())

    @invariant()
    def what_waits_is_counted_and_bounded(self) -> None:
        waiting = sum(size for number, size in self.taken.items() if number not in self.waiter.outcomes)
        assert self.packer.waiting == waiting
        assert waiting <= MOST

    def teardown(self) -> None:
        """In the end everybody is told, and nothing waits."""
        self.producer.refuses = None
        self.packer.flush()
        self.producer.poll()
        assert set(self.waiter.outcomes) == set(self.taken)
        assert self.packer.is_idle
        assert self.packer.waiting == 0


def test_nobody_is_told_that_a_batch_is_written_before_it_is() -> None:
    bounds = settings(max_examples=80, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(PackerMachine, settings=bounds)  # type: ignore[no-untyped-call]  # Hypothesis types it not


def test_batches_of_a_tab_go_to_one_partition_in_their_order() -> None:
    world = World(partitions=6)
    side = world.connect()
    for number in range(1, 13):
        side.send(post(batch(number, tab=f"{number % 3:016x}")))
        if number % 4 == 0:
            world.pass_time(0.01)
    for kept in world.producer.kept:
        assert all(crc32(tab.encode()) % 6 == kept.partition for tab, _ in kept.batches())
    of_one = [number for tab, number in world.producer.numbers() if tab == f"{1:016x}"]
    assert of_one == [1, 4, 7, 10]


def test_a_record_says_how_many_events_it_has_and_in_which_format() -> None:
    world = World(partitions=1)
    side = world.connect()
    three: list[dict[str, Any]] = [{"t": "buy", "at": 1, "q": q} for q in range(3)]
    side.send(post(batch(1)), post(batch(2, events=three)))
    world.pass_time(0.01)
    (kept,) = world.producer.kept
    assert kept.headers == {"n": b"4", "v": b"1"}
    assert kept.batches() == [(TAB, 1), (TAB, 2)]


def test_a_record_is_written_when_it_is_large_and_not_later() -> None:
    producer, waiter = MemoryProducer(), Told()
    packer = packer_of(producer, most=10 * RECORD_BYTES, partitions=1)
    for number in range(30):
        assert packer.take("a", b"[%s]" % (b"9" * 20_000), 1, Sender.PERSON, waiter, number)
    assert len(producer.waiting) == 3
    assert all(len(kept.text) <= RECORD_BYTES for kept, _ in producer.waiting)
    packer.flush()
    assert sum(kept.text.count(b"[") - 1 for kept, _ in producer.waiting) == 30


def test_nothing_waits_longer_than_five_milliseconds_for_company() -> None:
    world = World()
    world.producer.is_silent = True
    world.connect().send(post(batch()))
    assert world.producer.waiting == []
    world.pass_time(0.005)
    assert len(world.producer.waiting) == 1


def test_an_idle_collector_has_nothing_to_do_but_once_a_second() -> None:
    world = World()
    world.connect().send(post(batch()))
    world.pass_time(1)
    assert world.due == []


def test_a_full_house_says_when_to_come_again_and_longer_each_time() -> None:
    world = World(most_waiting=4 * (len(batch()) + 300))
    world.producer.is_silent = True
    waits = []
    for number in range(40):
        side = world.connect()
        side.send(post(batch(number)))
        if number >= 4:
            assert side.statuses() == [503]
            waits.append(int(side.header("retry-after")))
        world.second()
    assert waits == sorted(waits)
    assert waits[0] == 1
    assert waits[-1] >= 16
    world.producer.is_silent = False
    for _ in range(90):
        world.second()
    world.connect().send(post(batch(99)))
    world.pass_time(0.1)
    assert (TAB, 99) in world.producer.numbers()


def test_retry_after_doubles_up_to_a_minute_and_comes_back() -> None:
    backoff, now = Backoff(), 0.0
    assert [backoff.refused(now) for _ in range(1000)] == [1] * 1000, "a moment is one refusal"
    found = []
    for _ in range(10):
        now += LONGEST
        found.append(backoff.refused(now))
    assert found == [2, 4, 8, 16, 32, 64, 64, 64, 64, 64]
    for _ in range(10):
        now += LONGEST
        backoff.acknowledged(now)
    assert backoff.refused(now) == 1


@pytest.mark.parametrize("reason", [Reason.LATE, Reason.BROKER])
def test_all_that_share_a_record_share_its_fate(reason: Reason) -> None:
    world = World(partitions=1)
    sides = [world.connect() for _ in range(5)]
    world.producer.outcome = reason
    for number, side in enumerate(sides):
        side.send(post(batch(number)))
    world.pass_time(0.02)
    assert [side.statuses() for side in sides] == [[503]] * 5
    assert all(side.header("retry-after") for side in sides)
    assert world.producer.kept == []


def test_it_is_ready_only_while_brokers_acknowledge() -> None:
    world = World()

    def ready() -> int:
        side = world.connect()
        side.send(post(b"", method="GET", target="/readyz"))
        return side.statuses()[0]

    assert ready() == 503, "nothing has been acknowledged yet"
    world.second()
    assert ready() == 200, "a record without batches was"
    assert [kept.text for kept in world.producer.kept] == [b"[]"]
    assert world.producer.kept[0].headers["n"] == b"0"
    for _ in range(60):
        world.second()
    assert 10 <= len(world.producer.kept) <= 14
    assert len({kept.partition for kept in world.producer.kept}) == 6, "each partition has its turn"
    world.producer.is_silent = True
    for _ in range(20):
        world.second()
    assert ready() == 503
    world.producer.is_silent = False
    world.second()
    assert ready() == 200
    world.intake.leaving = True
    assert ready() == 503


def test_a_client_that_has_ended_is_not_alive() -> None:
    world = World()
    side = world.connect()
    side.send(post(b"", method="GET", target="/livez"))
    world.producer.problem = "the client of Kafka has ended"
    side.send(post(b"", method="GET", target="/livez"))
    assert side.statuses() == [200, 503]


def test_a_fault_of_ours_is_said_by_livez_and_stops_no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    side = world.connect()
    with monkeypatch.context() as patch:
        patch.setattr(world.producer, "poll", lambda: 1 / 0)
        side.send(post(batch()))
        world.pass_time(0.1)
    side.send(post(b"", method="GET", target="/livez"))
    world.pass_time(0.1)
    assert side.statuses() == [204, 503]


def test_figures_say_what_was_taken() -> None:
    world = World()
    side = world.connect()
    side.send(post(batch(1), "user-agent: curl/8"), post(batch(2), "user-agent: curl/8"), post(b"{"))
    world.pass_time(0.1)
    side.send(post(b"", method="GET", target="/metrics"))
    text = bytes(side.transport.written).decode()
    for line in (
        'clicks_batches_total{class="program"} 2',
        'clicks_batches_total{class="person"} 0',
        'clicks_refused_total{reason="json"} 1',
        "clicks_events_total 2",
        "clicks_records_total 1",
        "clicks_waiting_bytes 0",
        "clicks_connections 1",
    ):
        assert f"\n{line}\n" in text
