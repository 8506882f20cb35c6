"""The worker through trouble: it stands still where it can be seen, begins anew, and goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import pytest
from insight_world import SOURCE, MemoryLog, MemoryReader, MemorySink, click, envelope, value_of
from structlog.testing import capture_logs

from app.errors import DatabaseUnavailableError, ReadOnlyDatabaseError
from app.insight.balance import Outcome, Unit
from app.insight.consuming import BrokersError, Places, ProtocolError
from app.insight.sink import FencedError
from app.insight.working import JOIN_SECONDS, LOOK_SECONDS, STILL_SECONDS, State, Worker
from app.loops import STANDBY_SECONDS

pytestmark = pytest.mark.requirement("the worker stands still visibly when its sink does, and loses nothing")

TAB = "00000000000000aa"


@pytest.fixture(autouse=True)
def said() -> Iterator[list[MutableMapping[str, Any]]]:
    with capture_logs() as entries:
        yield entries


class World:
    """A worker whose clock is a number; each turn takes a second."""

    def __init__(self) -> None:
        self.log, self.sink = MemoryLog(2), MemorySink()
        self.time, self.protocols, self.readers = 100.0, list[str](), list[MemoryReader]()
        self.refuses: Exception | None = None
        self.worker = Worker(self.sink, lambda: SOURCE, self.opened, clock=self.clock)
        self.batches = 0

    def clock(self) -> float:
        return self.time + sum(each.slept for each in self.readers)

    def opened(self, protocol: str, places: Places) -> MemoryReader:
        self.protocols.append(protocol)
        if self.refuses is not None:
            raise self.refuses
        self.readers.append(MemoryReader(self.log, places))
        return self.readers[-1]

    def write(self, records: int = 1) -> None:
        for _ in range(records):
            self.log.append(
                self.batches % 2, value_of(envelope(TAB[:-1] + str(self.batches % 2), self.batches, [click()]))
            )
            self.batches += 1

    def counted(self) -> int:
        return self.sink.balance_of(Outcome.COUNTED, Unit.BATCHES)

    async def turns(self, number: int) -> float:
        rest = 0.0
        for _ in range(number):
            rest = await self.worker.turn()
        return rest

    async def all_left(self) -> bool:
        """Whether every reader has left its group, which happens in a thread."""
        for _ in range(500):
            if all(each.is_closed for each in self.readers):
                return True
            await asyncio.sleep(0.01)
        return False

    async def is_ready(self) -> bool:
        try:
            await self.worker.ready()
        except DatabaseUnavailableError:
            return False
        return True


def told(story: Callable[[World], Awaitable[None]]) -> None:
    async def tell() -> None:
        world = World()
        try:
            await story(world)
        finally:
            await world.worker.close()

    asyncio.run(tell())


def test_it_counts_and_writes_once_a_second() -> None:
    async def story(world: World) -> None:
        assert not await world.is_ready(), "it has not begun"
        world.write(40)
        await world.turns(1)
        assert 0 < world.sink.writes <= 1
        await world.turns(9)
        assert (world.counted(), world.worker.state) == (40, State.COUNTS)
        assert await world.is_ready()
        writes = world.sink.writes
        await world.turns(3)
        assert world.sink.writes == writes, "nothing waits, so nothing is written"
        assert world.worker.still_seconds == 0
        assert world.worker.outcomes[Outcome.COUNTED, Unit.EVENTS] == 40

    told(story)


def test_without_a_word_of_the_group_it_is_not_ready_and_after_a_minute_there_is_nothing_for_it() -> None:
    async def story(world: World) -> None:
        await world.turns(1)
        world.readers[0].has_joined, world.readers[0].waits = False, True
        world.worker.state = State.BEGINS
        await world.turns(5)
        assert (world.worker.state, await world.is_ready()) == (State.BEGINS, False)
        await world.turns(int(JOIN_SECONDS))
        assert (world.worker.state, await world.is_ready()) == (State.COUNTS, True)

    told(story)


def test_where_the_database_only_follows_it_waits_and_is_ready() -> None:
    async def story(world: World) -> None:
        world.sink.only_follows = True
        world.write(3)
        assert await world.turns(2) == STANDBY_SECONDS
        assert (world.worker.state, world.protocols) == (State.FOLLOWS, []), "it is in no group"
        assert await world.is_ready()
        world.sink.only_follows = False
        await world.turns(2)
        assert (world.counted(), world.worker.state) == (3, State.COUNTS)

    told(story)


TROUBLE = [
    DatabaseUnavailableError("away"), ReadOnlyDatabaseError("read only"), FencedError("fenced"),
]  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda each: type(each).__name__)
def test_a_sink_that_stands_makes_it_stand_and_nothing_is_lost(
    trouble: Exception, said: list[MutableMapping[str, Any]]
) -> None:
    async def story(world: World) -> None:
        world.write(2)
        await world.turns(2)
        world.sink.fails = trouble
        world.write(5)
        rests = [await world.worker.turn() for _ in range(6)]
        assert world.worker.state is State.STANDS
        assert rests == sorted(rests)
        assert rests[-1] == 10
        assert not await world.is_ready()
        assert world.counted() == 2
        assert await world.all_left()
        world.time += 60
        assert world.worker.still_seconds >= 60
        world.sink.fails = None
        await world.turns(3)
        assert (world.counted(), await world.is_ready()) == (7, True)

    told(story)
    lines = [each for each in said if each["event"] == "clicks are not counted"]
    assert [each["problem"] for each in lines] == [str(trouble)], "once, not at each try"


def test_a_commit_whose_answer_is_lost_counts_once() -> None:
    async def story(world: World) -> None:
        world.write(4)
        world.sink.forgets = True
        await world.turns(1)
        assert (world.worker.state, world.counted()) == (State.STANDS, 4)
        await world.turns(3)
        assert (world.worker.state, world.counted()) == (State.COUNTS, 4)

    told(story)


def test_a_turn_that_is_cancelled_forgets_what_it_read() -> None:
    async def story(world: World) -> None:
        world.write(3)
        world.sink.hangs = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await world.turns(1)
        world.sink.hangs = False
        await world.turns(2)
        assert (world.counted(), world.worker.begun) == (3, 2)

    told(story)


def test_brokers_that_are_away_are_seen_though_nothing_is_to_be_written() -> None:
    async def story(world: World) -> None:
        await world.turns(1)
        world.readers[-1].fails = BrokersError("the brokers do not answer")
        await world.turns(1)
        assert (world.worker.state, world.worker.problem) == (State.STANDS, "the brokers do not answer")
        world.refuses = BrokersError("still")
        await world.turns(2)
        assert not await world.is_ready()
        world.refuses = None
        world.write(1)
        await world.turns(2)
        assert world.counted() == 1

    told(story)


def test_a_role_that_changes_while_nothing_comes_is_noticed() -> None:
    async def story(world: World) -> None:
        await world.turns(2)
        world.sink.only_follows = True
        await world.turns(int(LOOK_SECONDS) + 2)
        assert world.worker.state is State.FOLLOWS
        assert await world.all_left()

    told(story)


def test_brokers_without_the_better_protocol_are_asked_by_the_other_one(said: list[MutableMapping[str, Any]]) -> None:
    async def story(world: World) -> None:
        world.refuses = ProtocolError("unsupported")
        await world.turns(1)
        world.refuses = None
        world.write(1)
        await world.turns(2)
        assert (world.protocols, world.counted()) == (["consumer", "classic"], 1)

    told(story)
    assert [each["instead"] for each in said if "instead" in each] == ["classic"]


def test_what_nobody_expects_is_not_swallowed() -> None:
    async def story(world: World) -> None:
        world.sink.fails = ZeroDivisionError()
        with pytest.raises(ZeroDivisionError):
            await world.turns(1)
        assert (world.worker.state, world.worker.problem) == (State.STANDS, "ZeroDivisionError")

    told(story)


def test_something_to_write_and_nothing_written_is_not_ready() -> None:
    async def story(world: World) -> None:
        await world.turns(1)
        world.time += STILL_SECONDS + 1
        assert not await world.is_ready()

    told(story)
