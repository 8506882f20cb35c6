"""What the recommender answers, what it refuses, and the bounds of a connection to it."""

from __future__ import annotations

import json

import pytest
from clicks_world import post
from recommender_world import World, question

from app.recommendations.availability import Availability
from app.recommendations.desk import MOST_AT_ONCE, SPARE_CONNECTIONS

pytestmark = pytest.mark.requirement("the recommender answers what may be shown, with a bound on all that it is sent")
TOGETHER = "seen together"
POPULAR = "popular in its category"


def test_what_others_looked_at_comes_first_and_the_category_fills_the_row() -> None:
    world = World([(1, 2), (1, 2), (1, 60)], bought={3: 9, 4: 5, 61: 50})
    row = world.ask(count=4)
    assert set(row[:2]) == {(2, TOGETHER), (60, TOGETHER)}
    assert row[2:] == [(3, POPULAR), (4, POPULAR)]


def test_what_may_not_be_shown_is_not_answered_from_one_moment_to_the_next() -> None:
    world = World([(1, 2), (1, 3)], bought={4: 9})
    assert {product for product, _ in world.ask()} == {2, 3, 4}
    world.knowledge.availability = Availability([3, 4])
    assert world.ask() == [(3, TOGETHER), (4, POPULAR)]
    world.knowledge.availability = Availability([])
    assert world.ask() == []


def test_the_product_of_the_page_and_those_of_the_visitor_are_not_answered() -> None:
    world = World([(1, 2), (1, 3), (1, 5)])
    assert {product for product, _ in world.ask(viewed=[3, 1])} == {2, 5}


def test_a_page_without_a_product_is_filled_from_the_categories_of_what_was_looked_at_latest_first() -> None:
    world = World(bought={3: 9, 4: 5, 61: 50})
    assert world.ask(page="cart", product=None, viewed=[7, 70]) == [(61, POPULAR), (3, POPULAR), (4, POPULAR)]
    assert world.ask(page="home", product=None) == [(61, POPULAR), (3, POPULAR), (4, POPULAR)]


def test_what_three_visits_of_the_last_day_looked_at_is_popular_and_what_two_did_is_not() -> None:
    world = World([(10, 11), (10, 12), (10, 11)])
    assert world.ask(product=20) == [(10, POPULAR)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[" * 900,
        question(page="checkout"),
        question(count=0),
        question(count=25),
        question(product=0),
        question(product=2**20),
        question(product=1.5),
        question(viewed=list(range(1, 10))),
        question(group="With"),
        question(group="a" * 41),
        question(name="Ada"),
        b"\xff" + question(),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_is_no_question_is_refused_and_the_connection_goes_on(body: bytes) -> None:
    world = World([(1, 2)])
    side = world.connect()
    side.send(post(body, target="/row"), post(question(), target="/row"))
    assert side.statuses() == [400, 200]


def test_a_question_that_is_too_large_is_refused() -> None:
    world = World()
    side = world.connect()
    side.send(post(question() + b" " * 1024, target="/row"))
    assert side.statuses() == [413]


def test_questions_that_come_all_at_once_leave_others_their_turn() -> None:
    world = World([(1, 2)])
    side, other = world.connect(), world.connect()
    side.send(post(question(), target="/row") * (MOST_AT_ONCE + 3))
    other.send(post(question(), target="/row"))
    assert side.statuses() == [200] * MOST_AT_ONCE + [429] * 3
    assert other.statuses() == [200]
    world.turn()
    side.send(post(question(), target="/row"))
    assert side.statuses()[-1] == 200


def test_one_connection_too_many_is_told_so_and_far_too_many_are_ended() -> None:
    world = World(connections=2)
    sides = [world.connect() for _ in range(2 + SPARE_CONNECTIONS + 1)]
    sides[1].send(post(question(), target="/row"))
    assert sides[1].statuses() == [200]
    assert sides[2].statuses() == [503]
    assert sides[-1].transport.is_aborted


def test_a_question_that_never_becomes_whole_is_ended_in_time() -> None:
    world = World()
    side = world.connect()
    side.send(post(question(), target="/row")[:-1])
    world.clock.now += 11
    world.desk.second()
    assert side.statuses() == [408]
    assert side.transport.has_ended


@pytest.mark.parametrize(("target", "method", "status"), [("/b", "POST", 404), ("/row", "GET", 405), ("/", "GET", 404)])
def test_nothing_else_is_served(target: str, method: str, status: int) -> None:
    world = World()
    side = world.connect()
    side.send(post(b"", target=target, method=method))
    assert side.statuses() == [status]


def test_probes_say_what_is_wrong() -> None:
    world = World()
    answers = {}
    for unready, dead, leaving in (
        ("", "", False),
        ("not ready: why", "", False),
        ("", "ended", False),
        ("", "", True),
    ):
        world.unready, world.dead, world.desk.leaving = unready, dead, leaving
        found = []
        for page in ("/livez", "/readyz"):
            side = world.connect()
            side.send(post(b"", target=page, method="GET"))
            found += side.statuses()
        answers[unready or dead or leaving] = found
    assert answers == {False: [200, 200], "not ready: why": [200, 503], "ended": [503, 503], True: [200, 503]}


def test_figures_count_pages_groups_and_reasons_and_name_no_product() -> None:
    world = World([(1, 2)])
    world.ask(group="with")
    world.ask(group="without", product=99)
    for number in range(20):
        world.ask(group=f"g-{number}", page="home", product=None)
    text = world.metrics()
    for line in (
        'recommend_answers_total{page="product"} 2',
        'recommend_answers_total{page="home"} 20',
        'recommend_groups_total{group="with"} 1',
        'recommend_groups_total{group="other"} 12',
        'recommend_products_total{because="seen_together"} 1',
        'recommend_answer_seconds_bucket{le="+Inf"} 22',
        "recommend_empty_total 21",
    ):
        assert f"{line}\n" in text


def test_a_fault_of_ours_ends_one_connection_and_is_counted() -> None:
    world = World([(1, 2)])
    broken, other = world.connect(), world.connect()
    index, world.knowledge.availability = world.knowledge.availability, None  # type: ignore[assignment]
    broken.send(post(question(), target="/row"))
    world.knowledge.availability = index
    other.send(post(question(), target="/row"))
    assert broken.transport.is_aborted
    assert other.statuses() == [200]
    assert "recommend_faults_total 1\n" in world.metrics()


def test_an_answer_is_json_and_says_so() -> None:
    world = World([(1, 2)])
    side = world.connect()
    side.send(post(question(), target="/row"))
    assert side.header("content-type") == "application/json"
    body = bytes(side.transport.written).partition(b"\r\n\r\n")[2]
    assert json.loads(body) == {"row": [{"product": 2, "because": TOGETHER}]}
