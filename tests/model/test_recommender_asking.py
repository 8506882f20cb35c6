"""How the storefront asks the recommender: within its deadline, and not at all while it does not answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import msgspec
import pytest
from manual_clock import ManualClock

from app.bounded_http import Answer, NoAnswerError
from app.recommendations.asking import DEADLINE_SECONDS, MOST_ASKING, Recommender
from app.recommendations.because import Because, Recommendation
from app.recommendations.breaker import MOST_FAILURES, REST_SECONDS, Breaker
from app.recommendations.question import LARGEST_ANSWER, LARGEST_QUESTION, Page, Question, question_of
from app.web import suggestions

pytestmark = pytest.mark.requirement("with the recommender dead or slow a page takes at most its deadline longer")
QUESTION = Question(page=Page.PRODUCT, count=6, viewed=(3, 4), product=5)
GOOD = b'{"row": [{"product": 7, "because": "seen together"}, {"product": 8, "because": "new"}]}'


class ScriptedClient:
    """Says what a test says; how often it was asked is how often a page waited, for DEADLINE_SECONDS at the most."""

    def __init__(self) -> None:
        self.asked = 0
        self.status, self.body, self.is_silent = 200, GOOD, False
        self.held: asyncio.Event | None = None

    async def ask(self, method: str, path: str, *, body: object, largest: int) -> Answer:
        assert (method, path, largest) == ("POST", "/row", LARGEST_ANSWER)
        assert isinstance(body, Question)
        self.asked += 1
        if self.held is not None:
            await self.held.wait()
        if self.is_silent:
            raise NoAnswerError("TimeoutError")
        return Answer(self.status, self.body)

    async def close(self) -> None:
        """Nothing is open."""


class World:
    def __init__(self) -> None:
        self.client, self.clock = ScriptedClient(), ManualClock(10.0)
        self.recommender = Recommender(self.client, clock=self.clock.monotonic)

    def ask(self, times: int = 1) -> list[int]:
        async def several() -> list[int]:
            rows = [await self.recommender.row(QUESTION) for _ in range(times)]
            return [each.product for row in rows for each in row]

        return asyncio.run(several())


def test_the_deadline_is_twenty_milliseconds() -> None:
    assert DEADLINE_SECONDS == 0.02


def test_an_answer_in_time_is_the_row() -> None:
    world = World()
    row = asyncio.run(world.recommender.row(QUESTION))
    assert row == (Recommendation(7, Because.SEEN_TOGETHER), Recommendation(8, Because.NEW))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"<html>",
        b'{"row": 5}',
        b'{"row": [{"product": 0, "because": "new"}]}',
        b'{"row": [{"product": 1048576, "because": "new"}]}',
        b'{"row": [{"product": 99999999999999999999, "because": "new"}]}',
        b'{"row": [{"product": 1, "because": "everybody buys it"}]}',
        b'{"row": [{"product": "1", "because": "new"}]}',
        json.dumps({"row": [{"product": 1, "because": "new"}] * 25}).encode(),
        b"[" * 4000,
        b"\xff\xfe",
    ],
    ids=lambda each: str(each)[:40],
)
def test_an_answer_that_is_none_is_no_row_and_counts_as_a_failure(body: bytes) -> None:
    world = World()
    world.client.body = body
    assert world.ask(MOST_FAILURES + 5) == []
    assert world.client.asked == MOST_FAILURES


def test_a_status_that_is_not_200_is_no_row() -> None:
    world = World()
    world.client.status = 503
    assert world.ask() == []


def test_pages_wait_three_times_and_then_once_a_second_for_a_recommender_that_is_dead() -> None:
    world = World()
    world.client.is_silent = True
    assert world.ask(100) == []
    assert world.client.asked == 3
    for second in range(1, 11):
        world.clock.now += REST_SECONDS
        world.ask(100)
        assert world.client.asked == 3 + second


def test_the_page_that_tries_finds_it_well_and_all_ask_again() -> None:
    world = World()
    world.client.is_silent = True
    world.ask(10)
    world.client.is_silent = False
    assert world.ask(10) == []
    world.clock.now += REST_SECONDS
    assert world.ask(2) == [7, 8, 7, 8]
    assert world.client.asked == 5


def test_a_failure_now_and_then_is_no_reason_to_stop() -> None:
    world = World()
    for _ in range(20):
        world.client.is_silent = True
        world.ask(2)
        world.client.is_silent = False
        assert world.ask() == [7, 8]
    assert world.client.asked == 60


def test_a_page_that_went_away_while_it_tried_blocks_nobody() -> None:
    clock = ManualClock(5.0)
    breaker = Breaker(clock.monotonic)
    for _ in range(3):
        breaker.failed()
    clock.now += REST_SECONDS
    assert [breaker.may_ask(), breaker.may_ask()] == [True, False]
    clock.now += REST_SECONDS
    assert breaker.may_ask()


def test_no_more_questions_than_a_bound_are_under_way() -> None:
    world = World()

    async def crowd() -> int:
        world.client.held = asyncio.Event()
        asking = [asyncio.create_task(world.recommender.row(QUESTION)) for _ in range(MOST_ASKING + 20)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking[0].cancel()
        asked = world.client.asked
        world.client.held.set()
        await asyncio.gather(*asking, return_exceptions=True)
        world.client.held = None
        await world.recommender.row(QUESTION)
        return asked

    assert asyncio.run(crowd()) == MOST_ASKING
    assert world.recommender.figures() == {
        "recommender_answered": MOST_ASKING,
        "recommender_failed": 0,
        "recommender_not_asked": 20,
        "recommender_given_up": 0.0,
    }


def told(check: Callable[[bytes], object], body: bytes) -> bool:
    try:
        check(body)
    except ValueError:
        return False
    return True


def test_the_largest_question_is_taken_by_the_recommender() -> None:
    largest = Question(
        page=Page.PRODUCT, count=24, viewed=(1048575,) * 8, product=1048575, group="a" + "b" * 39
    )  # fmt: skip
    body = msgspec.json.encode(largest)
    assert len(body) < LARGEST_QUESTION // 2
    assert question_of(body) == largest
    assert told(question_of, msgspec.json.encode(QUESTION))


def test_a_page_never_asks_what_the_recommender_refuses() -> None:
    """A refusal is a failure, and three of them keep all other pages from asking."""
    asked = suggestions.question_of(Page.CART, [0, 2**20, *range(1, 12), 2**31], 2**20, "with")
    assert asked == Question(page=Page.CART, count=6, viewed=(4, 5, 6, 7, 8, 9, 10, 11), group="with")
    assert question_of(msgspec.json.encode(asked)) == asked
