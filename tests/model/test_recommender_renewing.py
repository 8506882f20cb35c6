"""What the recommender knows stays fresh: what may be shown, and the index, also after a failure or a restart."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from manual_clock import ManualClock
from recommender_world import NOW, index_of, question

from app.errors import DatabaseUnavailableError
from app.recommendations.index_file import save
from app.recommendations.knowledge import Knowledge, lately
from app.recommendations.question import question_of
from app.recommendations.renewing import CATALOGUE_SECONDS, STALE_SECONDS, Catalogue, Rebuilding

pytestmark = pytest.mark.requirement("the recommender's index is swapped whole, and a failed one costs nothing")
EVERY = 300.0


class ToldDatabase:
    """A database whose answers are said by a test."""

    def __init__(self) -> None:
        self.shown = [1, 2, 3]
        self.is_away = False
        self.asked: list[str] = []

    async def fetch(self, query: str, *_: object) -> list[Any]:
        self.asked.append("buyers" if "buyers" in query else "categories")
        if self.is_away:
            raise DatabaseUnavailableError("away")
        if "buyers" in query:
            return [{"product_id": 3, "buyers": 5}]
        return [{"id": number, "category": "tees"} for number in (1, 2, 3)]

    async def fetchrow(self, query: str, *arguments: object) -> Any:
        raise NotImplementedError

    async def fetchval(self, query: str, *_: object) -> Any:
        assert "string_agg" in query
        self.asked.append("shown")
        if self.is_away:
            raise DatabaseUnavailableError("away")
        return b"".join(number.to_bytes(4) for number in self.shown) or None


class CatalogueWorld:
    def __init__(self) -> None:
        self.database, self.clock, self.knowledge = ToldDatabase(), ManualClock(50.0), Knowledge()
        self.catalogue = Catalogue(self.database, self.knowledge, clock=self.clock.monotonic)

    def turn(self) -> None:
        asyncio.run(self.catalogue.turn())

    def row(self) -> list[int]:
        return [each.product for each in self.knowledge.row(question_of(question()))]


def test_one_question_a_turn_says_what_may_be_shown() -> None:
    world = CatalogueWorld()
    world.turn()
    assert world.row() == [3]
    world.database.shown = [1, 2]
    world.clock.now += 1
    world.turn()
    assert world.row() == []
    assert world.database.asked == ["shown", "categories", "buyers", "shown"]
    world.clock.now += CATALOGUE_SECONDS
    world.turn()
    assert world.database.asked[4:] == ["shown", "categories", "buyers"]


def test_nothing_is_shown_before_it_is_known_what_may_be() -> None:
    world = CatalogueWorld()
    assert world.row() == []
    assert world.catalogue.problem() == "not ready: it is not known yet what may be shown"
    world.database.shown = []
    world.turn()
    assert (world.catalogue.shown, world.catalogue.problem()) == (0, "")


def test_a_database_that_is_away_is_said_when_what_is_known_is_stale() -> None:
    world = CatalogueWorld()
    world.turn()
    world.database.is_away = True
    world.clock.now += STALE_SECONDS
    with pytest.raises(DatabaseUnavailableError):
        world.turn()
    assert world.catalogue.problem() == ""
    world.clock.now += 1
    assert world.catalogue.problem() == "not ready: the database does not answer"
    assert world.row() == [3]


class IndexWorld:
    """A file, what makes it, and the time."""

    def __init__(self, folder: Path) -> None:
        self.file, self.clock, self.knowledge = folder / "sessions", ManualClock(1000.0), Knowledge()
        self.made: list[list[int]] = [[1, 2]]
        self.code = self.runs = 0
        self.rebuilding = Rebuilding(
            self.file, EVERY, self.knowledge, make=self.make, clock=self.clock.monotonic, wall=lambda: NOW
        )

    async def make(self) -> int:
        self.runs += 1
        if not self.code:
            self.write()
        return self.code

    def write(self, age: float = 0.0) -> None:
        save(index_of(self.made), self.file)
        os.utime(self.file, (NOW - age, NOW - age))

    def turn(self) -> None:
        asyncio.run(self.rebuilding.when_due())

    @property
    def sessions(self) -> int:
        return self.knowledge.used.index.sessions


def test_without_a_file_an_index_is_made_at_once_and_then_when_it_is_due(tmp_path: Path) -> None:
    world = IndexWorld(tmp_path)
    world.rebuilding.begin()
    world.turn()
    assert (world.runs, world.sessions) == (1, 1)
    world.clock.now += EVERY - 1
    world.turn()
    assert world.runs == 1
    world.made.append([3, 4])
    world.clock.now += 1
    world.turn()
    assert (world.runs, world.sessions) == (2, 2)


def test_a_process_begins_with_the_index_of_before_and_makes_no_new_one_while_it_is_young(tmp_path: Path) -> None:
    world = IndexWorld(tmp_path)
    world.write(age=100)
    world.rebuilding.begin()
    assert world.sessions == 1
    world.turn()
    assert world.runs == 0
    world.clock.now += EVERY - 100
    world.turn()
    assert world.runs == 1


def test_a_failure_leaves_the_index_of_before_and_is_tried_again_when_the_next_one_is_due(tmp_path: Path) -> None:
    world = IndexWorld(tmp_path)
    world.rebuilding.begin()
    world.turn()
    world.code = 1
    world.clock.now += EVERY
    world.turn()
    world.turn()
    assert (world.runs, world.sessions) == (2, 1)
    world.code = 0
    world.clock.now += EVERY
    world.made = [[1, 2], [2, 3], [3, 4]]
    world.turn()
    assert world.sessions == 3
    assert world.rebuilding.figures()["recommend_index_failures"] == 1


def test_a_file_that_is_damaged_is_not_used(tmp_path: Path) -> None:
    world = IndexWorld(tmp_path)
    world.rebuilding.begin()
    world.turn()
    content = bytearray(world.file.read_bytes())
    content[-1] ^= 1

    async def damaged() -> int:
        world.file.write_bytes(content)
        return 0

    other = Rebuilding(world.file, EVERY, world.knowledge, make=damaged, clock=world.clock.monotonic, wall=lambda: NOW)
    asyncio.run(other.when_due())
    assert world.sessions == 1
    assert other.figures()["recommend_index_failures"] == 1
    fresh = IndexWorld(tmp_path)
    fresh.rebuilding.begin()
    assert fresh.sessions == 0
    fresh.turn()
    assert fresh.sessions == 1


def test_what_was_looked_at_days_ago_is_no_trend() -> None:
    index = index_of([[1, 2], [1, 3]])
    assert lately(index, NOW) == {1: 2, 2: 1, 3: 1}
    assert lately(index, NOW + 86_401) == {}
