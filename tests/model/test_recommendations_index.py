"""The index of sessions: bounded, the newest kept, built beside the one in use and swapped in one step."""

from __future__ import annotations

import math
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommendations.availability import Availability
from app.recommendations.bounds import DAY_SECONDS, LARGEST_NUMBER, MOST_IN_SESSION
from app.recommendations.building import LIMITS, Limits, build
from app.recommendations.clicks import Clicks
from app.recommendations.index import ARRAYS, IndexInUse, SessionIndex, empty_index
from app.recommendations.neighbours import neighbours

pytestmark = pytest.mark.requirement("the index of sessions is bounded, and swapped in one step")

NOW = 20_000 * DAY_SECONDS
Row = tuple[int, int, int]


def sessions_of(index: SessionIndex) -> list[list[int]]:
    """Product numbers of each session, older sessions first."""
    parts = np.split(index.session_products, index.session_starts[1:-1])
    return [index.products[part].tolist() for part in parts] if index.sessions else []


def postings_of(index: SessionIndex) -> dict[int, list[int]]:
    parts = np.split(index.postings, index.posting_starts[1:-1]) if len(index.products) else []
    return {int(number): part.tolist() for number, part in zip(index.products, parts, strict=True)}


def test_an_index_is_what_is_written_here_by_hand() -> None:
    rows = [(7, 30, NOW - 50), (7, 10, NOW - 90), (9, 20, NOW - 10), (9, 30, NOW - 20), (9, 30, NOW - 15)]
    index = build(Clicks.of(rows), NOW)
    assert sessions_of(index) == [[10, 30], [20, 30]]
    assert postings_of(index) == {10: [0], 20: [1], 30: [0, 1]}
    assert index.ages.tolist() == [40, 0]
    assert index.newest == NOW - 10
    assert index.rarity == pytest.approx([1.386294, 1.386294, 0.693147], abs=1e-6)  # ln 4, ln 4, ln 2


@pytest.mark.parametrize(
    "row", [(1, 0, NOW), (1, -1, NOW), (1, LARGEST_NUMBER + 1, NOW), (1, 2**70, NOW), (-1, 3, NOW), (2**64, 3, NOW),
            (1, 3, -1), (1, 3, 2**40), (1, 3, NOW - 31 * DAY_SECONDS)],
)  # fmt: skip
def test_a_click_that_cannot_be_or_is_too_old_is_left_out(row: Row) -> None:
    index = build(Clicks.of([row, (1, 3, NOW), (1, 4, NOW)]), NOW)
    assert sessions_of(index) == [[3, 4]]


def test_a_column_with_products_that_cannot_be_is_cleaned() -> None:
    columns = Clicks(
        np.array([1, 1, 1, 1], np.uint64), np.array([3, 4, 0, LARGEST_NUMBER + 1], np.int32), np.full(4, NOW, np.int64)
    )
    assert sessions_of(build(columns, NOW)) == [[3, 4]]
    with pytest.raises(ValueError, match="one length"):
        Clicks(columns.keys, columns.products[:2], columns.times)


def test_a_clock_that_is_ahead_makes_no_session_newer_than_now() -> None:
    rows = [(1, 3, NOW + 10 * DAY_SECONDS), (1, 4, NOW), (2, 3, NOW - 5), (2, 5, NOW - 5)]
    index = build(Clicks.of(rows), NOW)
    assert index.newest == NOW
    assert index.ages.tolist() == [5, 0]


def test_sessions_of_one_product_and_those_of_programs_are_left_out() -> None:
    one, program = [(1, 3, NOW), (1, 3, NOW - 1)], [(2, number, NOW) for number in range(1, 12)]
    person = [(3, number, NOW) for number in range(1, 11)]
    index = build(Clicks.of([*one, *program, *person]), NOW, Limits(longest=10))
    assert sessions_of(index) == [list(range(1, 11))]


def test_a_session_of_ten_thousand_products_takes_no_room_from_others() -> None:
    rows = [*session(9, list(range(1, 10_001)), NOW), *session(1, [3, 4], NOW - 9)]
    for limits in (Limits(), Limits(looks=2, sessions=1), Limits(longest=MOST_IN_SESSION)):
        assert sessions_of(build(Clicks.of(rows), NOW, limits)) == [[3, 4]]


@pytest.mark.parametrize(
    "setting", [{"days": 24_856}, {"days": 0}, {"sessions": -1}, {"sessions": 2**31}, {"looks": 2**31}, {"looks": -1},
                {"longest": 1}, {"longest": 1001}, {"postings": 0}, {"days": math.nan}],
)  # fmt: skip
def test_limits_that_arrays_cannot_hold_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected {next(iter(setting))} from"):
        Limits(**setting)


def test_the_oldest_click_of_the_longest_limit_is_not_younger_than_now() -> None:
    """Its age is the largest that 32 bits have room for."""
    now, days = 2**31 + 5, 24_855
    index = build(Clicks.of([*session(1, [3, 4], now - days * DAY_SECONDS), *session(2, [3, 5], now)]), now,
                  Limits(days=days))  # fmt: skip
    assert index.ages.tolist() == [days * DAY_SECONDS, 0]


def test_columns_of_other_numbers_are_refused() -> None:
    """A product that is no number (NaN) or a fraction would become some other product."""
    keys, products, times = np.ones(2, np.uint64), np.array([3, 4], np.int32), np.full(2, NOW, np.int64)
    Clicks(keys, products, times)
    wrong: Any
    for wrong in (np.array([3, np.nan]), np.array([3, 4], np.int64), np.array([[3, 4]], np.int32)):
        with pytest.raises(ValueError, match="expected"):
            Clicks(keys, wrong, times)
    for wrong in (np.array([NOW, np.nan]), np.array([NOW, 5], np.int32)):
        with pytest.raises(ValueError, match="expected columns of uint64, int32, int64"):
            Clicks(keys, products, wrong)
    with pytest.raises(ValueError, match="one length"):
        Clicks(keys.reshape(2, 1), products.reshape(2, 1), times.reshape(2, 1))


def session(key: int, products: list[int], time: int) -> list[Row]:
    return [(key, product, time) for product in products]


FOUR = [*session(5, [1, 2], NOW - 40), *session(4, [1, 2, 3], NOW - 30), *session(3, [1, 4], NOW - 20),
        *session(2, [1, 5], NOW - 10)]  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(sessions=2), [[1, 4], [1, 5]]),
        (Limits(looks=7), [[1, 2, 3], [1, 4], [1, 5]]),
        (Limits(looks=6), [[1, 4], [1, 5]]),
        (Limits(looks=3), [[1, 5]]),
        (Limits(sessions=0), []),
    ],
)
def test_where_there_is_no_room_the_newest_sessions_are_kept(limits: Limits, expected: list[list[int]]) -> None:
    index = build(Clicks.of(FOUR), NOW, limits)
    assert sessions_of(index) == expected
    assert index.bytes <= limits.most_bytes


def test_a_product_is_found_by_its_newest_sessions_only_and_is_as_rare_as_in_all() -> None:
    index = build(Clicks.of(FOUR), NOW, Limits(postings=2))
    assert postings_of(index) == {1: [2, 3], 2: [0, 1], 3: [1], 4: [2], 5: [3]}
    assert index.rarity[0] == pytest.approx(0.810930, abs=1e-6)  # ln(9 / 4)


def test_nothing_makes_an_empty_index() -> None:
    for index in (build(Clicks.of([]), NOW), empty_index()):
        assert (index.sessions, index.newest, index.bytes) == (0, 0, 8)
        assert neighbours(index, [1], Availability(range(9)), 4) == ()


def test_an_index_with_a_million_sessions_has_less_than_a_hundred_mebibytes() -> None:
    assert LIMITS.sessions == 1_000_000
    assert LIMITS.most_bytes < 92 * 2**20


ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 8), st.integers(NOW - 9, NOW)), max_size=40)


@given(rows=ROWS, sessions=st.integers(0, 4), looks=st.integers(0, 20), postings=st.integers(1, 3))
def test_an_index_says_what_the_newest_clicks_say(rows: list[Row], sessions: int, looks: int, postings: int) -> None:
    by_key: dict[int, tuple[int, set[int]]] = {}
    for key, product, time in rows:
        ended, products = by_key.get(key, (0, set()))
        by_key[key] = max(ended, time), products | {product}
    kept: list[tuple[int, list[int]]] = []
    for key in sorted(by_key, key=lambda key: (by_key[key][0], key), reverse=True):
        ended, products = by_key[key]
        if len(products) < 2:
            continue
        if len(kept) == sessions or sum(len(each) for _, each in kept) + len(products) > looks:
            break
        kept.insert(0, (ended, sorted(products)))
    index = build(Clicks.of(rows), NOW, Limits(sessions=sessions, looks=looks, postings=postings))
    assert sessions_of(index) == [products for _, products in kept]
    assert index.ages.tolist() == [kept[-1][0] - ended for ended, _ in kept]
    expected = {
        product: [at for at, (_, products) in enumerate(kept) if product in products][-postings:]
        for product in sorted({product for _, products in kept for product in products})
    }
    assert postings_of(index) == expected


def test_arrays_of_an_index_cannot_be_changed() -> None:
    index = build(Clicks.of(FOUR), NOW)
    for name in (*ARRAYS, "rarity"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(index, name)[0] = 1


def test_building_does_not_touch_what_it_is_built_from() -> None:
    clicks = Clicks.of(FOUR)
    columns: tuple[Any, ...] = (clicks.keys, clicks.products, clicks.times)
    before = [column.copy() for column in columns]
    build(clicks, NOW)
    for column, was in zip(columns, before, strict=True):
        assert np.array_equal(column, was)


def test_an_answer_is_of_one_index_also_while_they_are_swapped() -> None:
    """Two indexes that say opposite things of the same product; an answer of both would have products of both."""
    odd = build(Clicks.of(row for key in range(9) for row in session(key, [2, 3, 5, 7], NOW - key)), NOW)
    even = build(Clicks.of(row for key in range(9) for row in session(key, [2, 4, 6, 8], NOW - key)), NOW)
    used, over, shown = IndexInUse(), Event(), Availability(range(10))
    assert used.index.sessions == 0

    def swap() -> None:
        while not over.is_set():
            used.swap(odd)
            used.swap(even)

    used.swap(odd)
    swapping = Thread(target=swap)
    swapping.start()
    answers = {frozenset(neighbours(used.index, [2], shown, 3)) for _ in range(1500)}
    over.set()
    swapping.join(timeout=10)
    assert answers <= {frozenset({3, 5, 7}), frozenset({4, 6, 8})}
    assert not swapping.is_alive()
