"""Behaviour leaves as counts with noise: bounded by visitor, one set of cells, small ones withheld, drawn once."""

from __future__ import annotations

import math
import sys
from collections import Counter
from itertools import accumulate

import pytest
from export_world import DAY, SMALL, SeededGaussian
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ShopError
from app.export.behaviour import category_cell, cells_of, drawn, hour_cell, product_cell, visitors_cell
from app.export.contributions import Contributions, Event, touched
from app.export.noise import DiscreteGaussian
from app.export.schema import columns_of
from app.export.vocabulary import Audience, Interest, Step, of_catalogue
from shopsphere.foundation.paths import REPOSITORY

sys.path.append(str(REPOSITORY / "bench" / "export"))
from auditing import at_least, at_most, epsilon_at_least, published_sums, shift

pytestmark = pytest.mark.requirement("behaviour leaves a region only as counts with differential privacy")

PEOPLE, AUTOMATION = Audience.PEOPLE, Audience.AUTOMATION
CELLS = tuple(cells_of(SMALL))
CLAIM = 1.845
"""Epsilon of a day at delta 1e-7, by hand (test_export_budget.py)."""


def test_an_event_touches_these_cells_in_this_order() -> None:
    assert list(touched(Event(9, PEOPLE, Step.VIEW, category=3, product=2))) == [
        visitors_cell(PEOPLE, Step.VISIT),
        visitors_cell(PEOPLE, Step.VIEW),
        category_cell(3, Interest.VIEW),
        product_cell(2, Interest.VIEW),
        hour_cell(9, PEOPLE),
    ]
    assert list(touched(Event(9, AUTOMATION, Step.VIEW, category=3, product=2))) == [
        visitors_cell(AUTOMATION, Step.VISIT),
        visitors_cell(AUTOMATION, Step.VIEW),
        hour_cell(9, AUTOMATION),
    ]
    assert list(touched(Event(0, PEOPLE, Step.SEARCH))) == [
        visitors_cell(PEOPLE, Step.VISIT),
        visitors_cell(PEOPLE, Step.SEARCH),
        hour_cell(0, PEOPLE),
    ]


def test_a_visitor_counts_once_in_a_cell_and_in_ten_cells() -> None:
    day = Contributions()
    for _ in range(3):
        day.add(b"ada", Event(9, PEOPLE, Step.VIEW, category=1, product=1))
    assert set(day.counts.values()) == {1}
    assert len(day.counts) == 5
    for product in range(2, 9):
        day.add(b"ada", Event(10, PEOPLE, Step.VIEW, category=1, product=product))
    assert len(day.counts) == 10
    assert product_cell(2, Interest.VIEW) in day.counts
    assert day.counts[product_cell(8, Interest.VIEW)] == 0, "the first ten count"
    assert day.add(b"ada", Event(11, PEOPLE, Step.BUY, category=1, product=1)) == []
    day.add(b"bob", Event(9, PEOPLE, Step.VISIT))
    assert day.counts[visitors_cell(PEOPLE, Step.VISIT)] == 2


EVENTS = st.lists(
    st.tuples(
        st.sampled_from([b"ada", b"bob", b"cleo"]),
        st.builds(
            Event,
            st.integers(0, 23),
            st.sampled_from(list(Audience)),
            st.sampled_from(list(Step)),
            st.integers(1, 4),
            st.integers(1, 2),
        ),
    ),
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(EVENTS)
def test_without_one_visitor_ten_counts_at_most_are_one_less(events: list[tuple[bytes, Event]]) -> None:
    whole, without = Contributions(), Contributions()
    for visitor, event in events:
        whole.add(visitor, event)
        if visitor != b"ada":
            without.add(visitor, event)
    differences = [whole.counts[cell] - without.counts[cell] for cell in CELLS]
    assert set(differences) <= {0, 1}
    assert sum(differences) <= 10
    assert whole.counts.keys() <= set(CELLS)


@settings(max_examples=50, deadline=None)
@given(EVENTS, st.integers(0, 60))
def test_who_goes_on_for_another_counts_as_that_one_would_have(events: list[tuple[bytes, Event]], at: int) -> None:
    whole, first = Contributions(), Contributions()
    kept: dict[bytes, list[object]] = {}
    for visitor, event in events:
        whole.add(visitor, event)
    for visitor, event in events[:at]:
        kept.setdefault(visitor, []).extend(first.add(visitor, event))
    second = Contributions(kept)  # type: ignore[arg-type]  # cells
    for visitor, event in events[at:]:
        second.add(visitor, event)
    assert second.counts == whole.counts


def test_a_day_has_the_same_cells_whatever_happened() -> None:
    """By hand: 2 * 8 steps, 24 * 2 hours, 4 * 3 and 2 * 3 interests."""
    assert len(CELLS) == len(set(CELLS)) == 16 + 48 + 12 + 6
    for counts in ({}, {CELLS[0]: 500}):
        rows = drawn(DAY, counts, CELLS, SeededGaussian(1))
        assert [columns_of(row)[:8] for row in rows] == [columns_of(cell.row(DAY, 0))[:8] for cell in CELLS]
    assert len(tuple(cells_of(of_catalogue()))) == 16 + 48 + 20 * 3 + 520 * 3


class Fixed:
    """Noise that is known: these numbers, again and again."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers

    def rho(self) -> float:
        return 0.05

    def noisy(self, counts: list[int]) -> list[int]:
        return [count + self._numbers[place % len(self._numbers)] for place, count in enumerate(counts)]


def test_only_the_noisy_value_decides_what_is_published() -> None:
    """Zeros with much noise are published, and large counts with little are not: the true count decides nothing."""
    rows = drawn(DAY, {CELLS[1]: 60, CELLS[2]: 60}, CELLS, Fixed(50, -11, -10, 49))  # type: ignore[arg-type]
    assert [(row.value, row.flag) for row in rows[:4]] == [
        (50, "noisy"),
        (None, "small"),
        (50, "noisy"),
        (None, "small"),
    ]


def test_counts_of_unknown_cells_and_less_noise_than_is_booked_are_refused() -> None:
    with pytest.raises(ShopError, match="cells that a day does not have"):
        drawn(DAY, {product_cell(3, Interest.VIEW): 5}, CELLS, SeededGaussian(1))
    with pytest.raises(ShopError, match="less than what the privacy ledger books"):
        drawn(DAY, {}, CELLS, SeededGaussian(1, scale=9))
    with pytest.raises(ShopError, match="less than what the privacy ledger books"):
        drawn(DAY, {}, CELLS, SeededGaussian(1, cells=11))


def distance(drawn_values: list[int], scale: float) -> float:
    """Largest distance between what was drawn and the discrete Gaussian's own distribution."""
    support = range(-120, 121)
    weights = [math.exp(-(value**2) / (2 * scale**2)) for value in support]
    exact = [part / sum(weights) for part in accumulate(weights)]
    counts = Counter(drawn_values)
    seen = [part / len(drawn_values) for part in accumulate(counts[value] for value in support)]
    return max(abs(one - other) for one, other in zip(exact, seen, strict=True))


def dkw(draws: int) -> float:
    """What the distance is at most, but for a chance of 1e-9 (Dvoretzky, Kiefer, Wolfowitz; Massart)."""
    return math.sqrt(math.log(2 / 1e-9) / (2 * draws))


def test_noise_is_the_discrete_gaussian_of_scale_10() -> None:
    values = list(DiscreteGaussian().noisy([0] * 20_000))
    assert distance(values, 10) < dkw(20_000)
    assert distance(values, 8) > 2 * dkw(20_000), "the test tells scales apart"
    assert DiscreteGaussian().rho() == pytest.approx(0.05)
    assert DiscreteGaussian(5.0).rho() == pytest.approx(0.2)
    assert list(DiscreteGaussian(0.001).noisy([3, 10**12])) == [3, 10**12], "no count is too large"


def test_the_tests_own_noise_is_exact_and_can_be_repeated() -> None:
    values = list(SeededGaussian(7).noisy([0] * 4000))
    assert distance(values, 10) < dkw(4000)
    assert values[:50] == list(SeededGaussian(7).noisy([0] * 50))


def test_without_opendp_nothing_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(ShopError, match="run the exporter in its own image"):
        DiscreteGaussian(7.5)  # of no other test: what was loaded once is kept


def test_bounds_of_a_probability_hold() -> None:
    """By hand: 0 of n: 1 - alpha^(1/n); they close in on the share as draws grow."""
    assert at_most(0, 100, 0.05) == pytest.approx(1 - 0.05 ** (1 / 100), abs=1e-9)
    assert at_least(100, 100, 0.05) == pytest.approx(0.05 ** (1 / 100), abs=1e-9)
    assert at_least(0, 100, 0.05) == 0.0
    assert at_least(300, 1000, 1e-6) < 0.3 < at_most(300, 1000, 1e-6)
    assert at_most(300_000, 1_000_000, 1e-6) - at_least(300_000, 1_000_000, 1e-6) < 0.006


def test_an_audit_of_draws_finds_no_more_than_is_claimed() -> None:
    """A quick one; bench/export has that of 100,000 draws."""
    sampler = DiscreteGaussian()
    without, present = (published_sums(2500, sampler, 200, added) for added in (0, 1))
    assert epsilon_at_least(without, present, 1e-7) <= CLAIM
    moved = shift(without, present)
    assert abs(moved.mu - math.sqrt(0.1)) < 6.5 * moved.error


class Unclaimed(DiscreteGaussian):
    """Noise of another scale that says what the export's would say."""

    def rho(self) -> float:
        return 0.05


def test_the_audit_notices_too_little_noise() -> None:
    sampler = Unclaimed(1.0)
    without, present = (published_sums(1000, sampler, 200, added) for added in (0, 1))
    assert epsilon_at_least(without, present, 1e-7, 1e-6) > CLAIM


def test_the_audit_notices_a_visitor_without_a_bound() -> None:
    sampler = DiscreteGaussian()
    without, present = (published_sums(100, sampler, 200, added, cells=250) for added in (0, 1))
    moved = shift(without, present)
    assert moved.mu - math.sqrt(0.1) > 2 * moved.error
