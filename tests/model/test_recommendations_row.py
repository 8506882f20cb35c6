"""A row of recommendations is filled in one order, says why each product is in it, and shows nothing sold out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommendations.availability import Availability
from app.recommendations.because import Because, Recommendation
from app.recommendations.building import build
from app.recommendations.clicks import Clicks
from app.recommendations.fallbacks import MOST_IN_LIST, Popularity, filled, ranked
from app.recommendations.index import empty_index
from app.recommendations.row import row_for

pytestmark = pytest.mark.requirement("a row of recommendations is labelled honestly and holds nothing sold out")

NOW = 1_800_000_000
SEEN, POPULAR, NEW = Because.SEEN_TOGETHER, Because.POPULAR, Because.NEW
WATCHES = Popularity(trending=(20, 21), bestsellers=(22, 20, 23), new=(29,))
TEES = Popularity(trending=(30,), bestsellers=(31, 32))


def told(row: tuple[Recommendation, ...]) -> list[tuple[int, Because]]:
    return [(each.product, each.because) for each in row]


def test_trending_comes_before_best_sellers_and_these_before_what_is_new() -> None:
    row = filled([Recommendation(7, SEEN)], 9, [WATCHES], lambda _: True)
    assert told(row) == [(7, SEEN), (20, POPULAR), (21, POPULAR), (22, POPULAR), (23, POPULAR), (29, NEW)]


def test_categories_take_turns() -> None:
    row = filled([], 9, [TEES, WATCHES], lambda _: True)
    assert [each.product for each in row] == [30, 20, 21, 31, 22, 32, 23, 29]


def test_a_full_row_stays_as_it_is_and_a_longer_one_ends() -> None:
    known = [Recommendation(number, SEEN) for number in (5, 6, 7)]
    assert filled(known, 3, [WATCHES], lambda _: True) == tuple(known)
    assert filled(known, 2, [WATCHES], lambda _: True) == tuple(known[:2])
    for none in (0, -1, -9):
        assert filled(known, none, [WATCHES], lambda _: True) == ()


def test_what_is_hidden_left_out_or_there_already_is_no_filling() -> None:
    row = filled([Recommendation(21, SEEN)], 9, [WATCHES], lambda number: number != 22, left_out=[20])
    assert told(row) == [(21, SEEN), (23, POPULAR), (29, NEW)]


def test_nobody_is_popular_with_two_people_and_equal_ones_have_one_order() -> None:
    assert ranked({4: 2, 9: 3, 8: 7, 3: 3}) == (8, 3, 9)
    assert ranked({4: 2}) == ()
    assert len(ranked(dict.fromkeys(range(1000), 5))) == MOST_IN_LIST == 100


def test_a_list_is_looked_at_to_its_bound() -> None:
    endless = Popularity(trending=tuple(range(1, 5000)))
    assert filled([], 5, [endless], lambda number: number > MOST_IN_LIST) == ()


def test_the_service_says_of_each_product_why_it_is_there() -> None:
    clicks = Clicks.of((key, product, NOW) for key, products in enumerate([(1, 20), (1, 40)]) for product in products)
    row = row_for(build(clicks, NOW), [1], Availability([1, *range(20, 50)]), [WATCHES], 4)
    assert told(row) == [(20, SEEN), (40, SEEN), (21, POPULAR), (22, POPULAR)]


def test_without_an_index_and_without_categories_there_is_an_answer() -> None:
    everything = Availability(range(50))
    assert told(row_for(empty_index(), [1], everything, [TEES], 2)) == [(30, POPULAR), (31, POPULAR)]
    assert row_for(empty_index(), [], everything, [], 4) == ()


NUMBERS = st.integers(1, 12)
LISTS = st.lists(NUMBERS, max_size=6).map(tuple)
CATEGORIES = st.lists(st.builds(Popularity, trending=LISTS, bestsellers=LISTS, new=LISTS), max_size=3)


@given(
    rows=st.lists(st.tuples(st.integers(0, 4), NUMBERS, st.just(NOW)), max_size=20),
    viewed=st.lists(NUMBERS, max_size=8), shown=st.sets(NUMBERS), categories=CATEGORIES, count=st.integers(-1, 40),
)  # fmt: skip
def test_no_row_repeats_a_product_or_has_one_that_is_hidden_or_the_visitors_own(
    rows: list[tuple[int, int, int]], viewed: list[int], shown: set[int], categories: list[Popularity], count: int
) -> None:
    row = row_for(build(Clicks.of(rows), NOW), viewed, Availability(shown), categories, count)
    products = [each.product for each in row]
    assert len(products) == len(set(products)) <= min(max(count, 0), 24)
    assert set(products) <= shown - set(viewed)
    known = {product for each in categories for products in (each.trending, each.bestsellers, each.new)
             for product in products} & shown - set(viewed)  # fmt: skip
    assert len(products) >= min(max(count, 0), len(known)), "the row is short and something could fill it"
