"""Neighbours against a search through every session, and what never may be in an answer."""

from __future__ import annotations

from math import inf, log, nan
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.recommendations.availability import Availability
from app.recommendations.bounds import DAY_SECONDS, LARGEST_NUMBER
from app.recommendations.building import Limits, build
from app.recommendations.clicks import Clicks
from app.recommendations.neighbours import TUNED, Weighting, neighbours, scored

pytestmark = pytest.mark.requirement("recommendations are the products of the sessions that are most like a visitor's")

NOW = 1_800_000_000
EVERYTHING = Availability(range(1, 1000))
Sessions = list[tuple[int, list[int]]]
"""Age (s) and products, older ones first; of equal ages the one further behind is the newer one."""
NO_DECAY = Weighting(
    last=8, newest=100, neighbours=100, position_decay=1, match_decay=1, half_life_days=1e15, length_power=0,
    rarity_power=0,
)  # fmt: skip


def answer(
    sessions: Sessions, viewed: list[int], weighting: Weighting, *, shown: Availability = EVERYTHING, count: int = 10,
    limits: Limits | None = None,
) -> tuple[int, ...]:  # fmt: skip
    rows = [(key, product, NOW - age) for key, (age, products) in enumerate(sessions) for product in products]
    return neighbours(build(Clicks.of(rows), NOW, limits or Limits()), viewed, shown, count, weighting)


def searched(sessions: Sessions, viewed: list[int], w: Weighting, count: int) -> tuple[int, ...]:
    """The same by looking at every session, one number after the other."""
    latest = list(dict.fromkeys(reversed(viewed)))[: w.last]
    having = {p: [at for at, (_, ps) in enumerate(sessions) if p in ps] for _, ps in sessions for p in ps}
    found = {p: having.get(p, [])[len(having.get(p, [])) - min(w.newest, len(having.get(p, []))) :] for p in latest}
    near = sorted({at for p in latest for at in found[p]})
    alike, score, neighbours_with = {}, dict.fromkeys(having, 0.0), dict.fromkeys(having, 0)
    for at in near:
        old = min((sessions[at][0] - sessions[near[-1]][0]) / (w.half_life_days * 86400), 60)
        shared = sum(w.position_decay**place for place, p in enumerate(latest) if at in found[p])
        alike[at] = shared * 2**-old * len(sessions[at][1]) ** -w.length_power
    for at in sorted(near, key=lambda at: (-round(alike[at] / max(alike.values()) * 2**40), -at))[: w.neighbours]:
        matched = min(place for place, p in enumerate(latest) if at in found[p])
        for p in sessions[at][1]:
            score[p] += alike[at] * w.match_decay**matched
            neighbours_with[p] += 1
    looks = sum(map(len, having.values()))
    left = {p: score[p] * log(looks / len(having[p])) ** w.rarity_power for p in having
            if neighbours_with[p] >= w.least_sessions and p not in viewed}  # fmt: skip
    return tuple(sorted(left, key=lambda p: (-round(left[p] / max(left.values()) * 2**40), p))[:count])


PRODUCTS = st.integers(1, 9)
VIEWED = st.lists(PRODUCTS, max_size=8)
SESSIONS = st.lists(
    st.tuples(st.integers(0, 40 * DAY_SECONDS // 2), st.lists(PRODUCTS, min_size=2, max_size=5, unique=True)),
    max_size=14,
).map(lambda found: sorted(found, key=lambda each: -each[0]))
UNIT = st.sampled_from([0.25, 0.5, 0.8, 1.0]) | st.floats(0.1, 1)
WEIGHTINGS = st.builds(
    Weighting, last=st.integers(1, 8), newest=st.integers(1, 6), neighbours=st.integers(1, 6), position_decay=UNIT,
    match_decay=UNIT, half_life_days=st.floats(0.1, 90), length_power=st.floats(0, 1), rarity_power=st.floats(0, 3),
    least_sessions=st.integers(1, 3),
)  # fmt: skip


@settings(max_examples=400)
@given(sessions=SESSIONS, viewed=VIEWED, weighting=WEIGHTINGS, count=st.integers(0, 9))
@example(sessions=[(0, [1, 2]), (0, [1, 3]), (0, [1, 4])], viewed=[1], weighting=NO_DECAY, count=2)
@example(sessions=[(9, [1, 2]), (9, [1, 3])], viewed=[1], weighting=Weighting(neighbours=1), count=2)
def test_neighbours_are_those_that_a_search_through_all_sessions_finds(
    sessions: Sessions, viewed: list[int], weighting: Weighting, count: int
) -> None:
    assert answer(sessions, viewed, weighting, count=count) == searched(sessions, viewed, weighting, count)


@given(sessions=SESSIONS, viewed=VIEWED, shown=st.sets(PRODUCTS), weighting=WEIGHTINGS, count=st.integers(0, 9))
def test_what_is_hidden_is_left_out_and_the_row_filled_up_from_what_comes_next(
    sessions: Sessions, viewed: list[int], shown: set[int], weighting: Weighting, count: int
) -> None:
    everything = answer(sessions, viewed, weighting, count=9)
    found = answer(sessions, viewed, weighting, shown=Availability(shown), count=count)
    assert found == tuple(product for product in everything if product in shown)[:count]
    assert not set(found) & set(viewed)


def test_each_weight_alone_turns_the_order_that_is_written_here() -> None:
    """By hand: without weights 2 and 3 are equal, and the smaller number is first; each weight prefers 3."""
    alone: Sessions = [(DAY_SECONDS, [1, 2]), (0, [1, 3])]
    assert answer(alone, [1], NO_DECAY) == (2, 3)
    assert answer(alone, [1], Weighting(half_life_days=1, length_power=0, rarity_power=0)) == (3, 2)
    longer: Sessions = [(0, [1, 2, 8]), (0, [1, 3])]
    plain: dict[str, Any] = {"half_life_days": 1e15, "rarity_power": 0}
    assert answer(longer, [1], Weighting(length_power=0, **plain)) == (2, 3, 8)
    assert answer(longer, [1], Weighting(length_power=0.5, **plain)) == (3, 2, 8)
    common: Sessions = [(0, [1, 2]), (0, [1, 3]), (0, [2, 7])]
    assert answer(common, [1], Weighting(half_life_days=1e9, length_power=0, rarity_power=1)) == (3, 2)
    later: Sessions = [(0, [4, 2]), (0, [5, 3])]
    rest: dict[str, Any] = {"half_life_days": 1e9, "length_power": 0, "rarity_power": 0}
    assert answer(later, [4, 5], Weighting(position_decay=1, match_decay=1, **rest)) == (2, 3)
    assert answer(later, [4, 5], Weighting(position_decay=0.5, match_decay=1, **rest)) == (3, 2)
    assert answer(later, [4, 5], Weighting(position_decay=1, match_decay=0.5, **rest)) == (3, 2)


def test_scores_are_those_of_this_hand_calculation() -> None:
    """Sessions (4, 2) a half-life older than (4, 5, 3); viewed 4, then 5. No lengths, rarity to the power of 1.

    (4, 5, 3): alike 1 + 0.5 = 1.5, its first match is the latest product. (4, 2): alike 0.5 * 0.5, match 0.8.
    Five looks: ln(5) = 1.6094 for 2, 3 and 5, ln(5 / 2) = 0.9163 for 4.
    """
    rows = [(1, 4, NOW - DAY_SECONDS), (1, 2, NOW - DAY_SECONDS), (2, 4, NOW), (2, 5, NOW), (2, 3, NOW)]
    weighting = Weighting(position_decay=0.5, match_decay=0.8, half_life_days=1, length_power=0, rarity_power=1)
    found = scored(build(Clicks.of(rows), NOW), [4, 5], weighting)
    assert found.products.tolist() == [2, 3, 4, 5]
    assert found.scores == pytest.approx([0.2 * 1.6094, 1.5 * 1.6094, 1.7 * 0.9163, 1.5 * 1.6094], abs=1e-3)


def test_only_the_newest_sessions_of_a_product_and_the_latest_products_are_looked_at() -> None:
    sessions: Sessions = [(30, [1, 2]), (20, [1, 3]), (10, [1, 4])]
    assert answer(sessions, [1], Weighting(newest=2)) == (4, 3)
    assert answer(sessions, [1], TUNED, limits=Limits(postings=1)) == (4,)
    assert answer([(0, [5, 6]), (0, [1, 2])], [1, 5], Weighting(last=1)) == (6,)


def test_equal_products_stand_in_one_order_whatever_the_order_of_adding() -> None:
    """The tenth of a sum of ten tenths differs by the order in floating point, and not in the answer."""
    sessions: Sessions = [(0, [1, *others]) for others in ([7, 3], [3, 7, 5], [5, 7], [3, 5]) * 10]
    assert answer(sessions, [1], Weighting(length_power=0.3, rarity_power=0, half_life_days=1)) == (3, 5, 7)
    assert answer(sessions[::-1], [1], Weighting(length_power=0.3, rarity_power=0, half_life_days=1)) == (3, 5, 7)


@pytest.mark.parametrize("viewed", [[], [0], [-3], [2**70], [LARGEST_NUMBER + 1], [77], [2**31]])
def test_products_that_nobody_has_seen_find_nothing(viewed: list[int]) -> None:
    assert answer([(0, [1, 2])], viewed, TUNED) == ()
    assert answer([(0, [1, 2])], [*viewed, 1], TUNED) == (2,)


def test_the_map_of_what_is_shown_hides_what_it_was_not_told_of() -> None:
    shown = Availability([1, 5, LARGEST_NUMBER, LARGEST_NUMBER + 1, 0, -2])
    assert [number for number in (-2, -1, 0, 1, 2, 5, LARGEST_NUMBER, LARGEST_NUMBER + 1, 2**70)
            if shown.shows(number)] == [1, 5, LARGEST_NUMBER]  # fmt: skip


def test_a_session_of_any_age_counts_when_there_is_no_newer_one() -> None:
    """Half-lives of seconds: the weights of old sessions would be 0, and nothing would be larger than nothing."""
    quick = Weighting(half_life_days=1e-6)
    assert answer([(9 * DAY_SECONDS, [1, 2]), (9 * DAY_SECONDS, [1, 3, 4]), (0, [5, 6])], [1], quick) == (2, 3, 4)
    assert answer([(9 * DAY_SECONDS, [1, 2]), (0, [1, 3])], [1], quick) == (3, 2)


@pytest.mark.parametrize(
    "setting", [{"last": 0}, {"last": 9}, {"newest": 0}, {"newest": 2**20}, {"neighbours": 0}, {"neighbours": 5000},
                {"position_decay": 0}, {"position_decay": 1.1}, {"match_decay": 0}, {"match_decay": nan},
                {"half_life_days": 0}, {"half_life_days": nan}, {"half_life_days": inf}, {"length_power": -1},
                {"length_power": 11}, {"rarity_power": -1}, {"rarity_power": inf}, {"least_sessions": 0}],
)  # fmt: skip
def test_weights_that_leave_no_score_are_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"expected {next(iter(setting))} from"):
        Weighting(**setting)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("decay", [0.01, 1])
@pytest.mark.parametrize("power", [0, 10])
@pytest.mark.parametrize("half_life", [1e-6, 1e15])
def test_the_most_extreme_weights_still_tell_products_apart(decay: float, power: float, half_life: float) -> None:
    """The visitor's latest seven products are in no session: what is left of a weight is decay to the power of 7."""
    weighting = Weighting(
        last=8, position_decay=decay, match_decay=decay, half_life_days=half_life, length_power=power,
        rarity_power=power,
    )  # fmt: skip
    sessions: Sessions = [(20 * DAY_SECONDS, [1, 2]), (0, [1, 3]), (0, [1, *range(3, 52)])]
    viewed = [1, *range(91, 98)]
    found = answer(sessions, viewed, weighting, count=60)
    assert set(found) == set(range(2, 52))
    assert found == searched(sessions, viewed, weighting, 60)


def test_a_visitor_of_ten_thousand_products_is_asked_about_the_latest() -> None:
    assert answer([(0, [1, 2]), (0, [9_999, 3])], [*range(10_000, 5, -1), 1], TUNED) == (2,)
