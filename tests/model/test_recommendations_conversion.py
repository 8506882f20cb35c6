"""Conversion by group, from orders: intervals as published, and no verdict where nothing is known."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recommendations.conversion import Comparison, Conversion, compared, is_split_as_planned
from app.recommendations.groups import Experiment

pytestmark = pytest.mark.requirement("figures tell whether recommendations sell more, with how sure that is")

ROW = Experiment("row", {"with": 50, "without": 50})
WITH, WITHOUT = [4, 6], [1, 2, 3, 5]
"""Ids by group, as test_recommendations_groups.py has them by hand."""


def ids(numbers: list[int]) -> list[UUID]:
    return [UUID(int=number) for number in numbers]


@pytest.mark.parametrize(
    ("buyers", "visitors", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_an_interval_is_wilsons_as_newcombe_printed_it(buyers: int, visitors: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3."""
    found = Conversion("with", visitors, buyers).interval
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((0, 20), (0, 10), -0.2775, 0.1611),
     ((10, 10), (0, 10), 0.6075, 1.0)],
)  # fmt: skip
def test_a_difference_has_the_interval_that_newcombe_printed(
    one: tuple[int, int], other: tuple[int, int], low: float, high: float
) -> None:
    """The same volume, 873-890, table II, method 10."""
    found = comparison(one, other).difference("with", "without")
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def comparison(one: tuple[int, int], other: tuple[int, int], *, planned: bool = True) -> Comparison:
    groups = {name: Conversion(name, n, x) for name, (x, n) in {"with": one, "without": other}.items()}
    return Comparison(groups, 0, planned)


def test_a_verdict_needs_an_interval_without_zero_and_groups_as_planned() -> None:
    assert comparison((56, 70), (48, 80)).verdict("with", "without") == "more"
    assert comparison((56, 70), (48, 80)).verdict("without", "with") == "less"
    assert comparison((56, 70), (55, 80)).verdict("with", "without") == "not known"
    assert comparison((56, 70), (48, 80), planned=False).verdict("with", "without") == "not known"
    assert comparison((9, 10), (0, 0)).verdict("with", "without") == "not known"
    assert comparison((0, 0), (0, 0)).verdict("with", "without") == "not known"


def test_a_visitor_counts_once_and_a_stranger_nowhere() -> None:
    visitors = ids([*WITH, *WITHOUT, 4, 4])
    found = compared(ROW, iter(visitors), iter(ids([4, 4, 2, 77, 77])))
    assert found.groups == {"with": Conversion("with", 2, 1), "without": Conversion("without", 4, 1)}
    assert found.strangers == 2
    assert found.is_split_as_planned
    assert found.groups["without"].rate == 0.25


def test_an_experiment_without_visitors_knows_nothing() -> None:
    found = compared(ROW, [], [])
    assert {name: (each.visitors, each.rate) for name, each in found.groups.items()} == {
        "with": (0, None),
        "without": (0, None),
    }
    assert (found.groups["with"].interval.low, found.groups["with"].interval.high) == (0.0, 1.0)
    assert found.verdict("with", "without") == "not known"


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"with": 5000, "without": 5000}, True),
        ({"with": 5170, "without": 4830}, True),  # 3.40 standard deviations
        ({"with": 5180, "without": 4820}, False),  # 3.60; the bound is 3.48
        ({"with": 4820, "without": 5180}, False),
        ({"with": 0, "without": 20}, False),
        ({"without": 10}, True),
        ({}, True),
    ],
)
def test_groups_of_another_size_than_planned_are_told(sizes: dict[str, int], expected: bool) -> None:
    assert is_split_as_planned(ROW, sizes) is expected


def test_a_group_of_nobody_with_somebody_is_told() -> None:
    off = Experiment("row", {"with": 0, "without": 100})
    assert not is_split_as_planned(off, {"with": 1, "without": 1000})
    assert is_split_as_planned(off, {"without": 1000})


@given(visitors=st.integers(0, 10_000), part=st.floats(0, 1))
def test_an_interval_is_around_its_rate_and_within_nothing_and_all(visitors: int, part: float) -> None:
    found = Conversion("with", visitors, round(visitors * part))
    rate = found.rate
    assert 0 <= found.interval.low < found.interval.high <= 1
    assert rate is None or found.interval.low - 1e-12 <= rate <= found.interval.high + 1e-12


@given(visitors=st.sets(st.integers(1, 40)), orders=st.lists(st.integers(1, 60), max_size=60))
def test_groups_have_all_visitors_and_all_who_ordered(visitors: set[int], orders: list[int]) -> None:
    found = compared(ROW, ids(sorted(visitors)), ids(orders))
    assert sum(each.visitors for each in found.groups.values()) == len(visitors)
    assert sum(each.buyers for each in found.groups.values()) == len(visitors & set(orders))
    assert found.strangers == sum(order not in visitors for order in orders)
