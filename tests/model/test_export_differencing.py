"""An attacker who has every release of a day, and takes every difference of them, learns nothing about one customer.

The attacker here is better than any: amounts are chosen so that each published sum tells exactly which orders are in
it. Orders that no published figure tells apart are a class; whatever is computed from the figures by adding and
subtracting, with whatever factors, is a sum over whole classes. So nobody can be singled out if each class passes the
rule by itself; and the test says so without looking into how money.py decides.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from uuid import UUID

import pytest
from export_world import fact
from hypothesis import given, settings
from hypothesis import strategies as st

from app.export.disclosure import Fact, Rule
from app.export.money import ALL, Published, decide
from app.export.vocabulary import MoneyFlag

pytestmark = pytest.mark.requirement("ten releases of a day, subtracted from each other, tell nothing about a customer")

BASE = 10**150
"""What every order costs, beside a bit of its own: shares are as if all amounts were equal, and sums can be read."""
PLANTED = "planted"
LOW = Rule(people=3)


def marked(number: int, person: object, category: int) -> Fact:
    return replace(fact(number, person, category, 1), amount=BASE + (1 << number))


def orders_in(value: int, released: Sequence[Fact]) -> frozenset[UUID]:
    """Which orders a published sum is the sum of; that it is one of these at all is tested beside."""
    bits = value % BASE
    found = frozenset(each.order for each in released if bits >> each.order.int & 1)
    assert value == sum(each.amount for each in released if each.order in found)
    return found


def publish(weeks: Sequence[Sequence[Fact]], rule: Rule) -> list[dict[int | None, frozenset[UUID]]]:
    """Return what each release shows: which orders are in which sum, new values and deltas added up alike."""
    facts, waiting = list[Fact](), list[Fact]()
    published, sums, shown = Published(), dict[int | None, int](), []
    for week in weeks:
        facts += week
        decision = decide([*waiting, *week], published, rule)
        waiting = [each for each in (*waiting, *week) if each not in decision.counted]
        for category, (flag, value) in decision.sums.items():
            sums[category] = value + (sums[category] if flag is MoneyFlag.DELTA else 0)
        shown.append({category: orders_in(value, facts) for category, value in sums.items()})
        published = Published(
            frozenset(each for each in sums if each is not ALL),
            ALL in sums,
            sum(value for category, value in sums.items() if category is not ALL),
        )
    return shown


def classes(
    facts: Sequence[Fact], shown: Sequence[dict[int | None, frozenset[UUID]]]
) -> list[tuple[frozenset[tuple[int, int | None]], list[Fact]]]:
    """Return the orders that all figures treat alike, with those figures; orders that are in none are left out."""
    found: dict[frozenset[tuple[int, int | None]], list[Fact]] = defaultdict(list)
    for each in facts:
        figures = frozenset(
            (number, category)
            for number, release in enumerate(shown)
            for category, orders in release.items()
            if each.order in orders
        )
        found[figures].append(each)
    return [(figures, alike) for figures, alike in found.items() if figures]


def singled_out(facts: Sequence[Fact], shown: Sequence[dict[int | None, frozenset[UUID]]], people: int) -> list[str]:
    """Return the classes in which too few people are, or of which one or two are too much."""
    wrong = []
    for figures, alike in classes(facts, shown):
        orders: dict[object, int] = defaultdict(int)
        for each in alike:
            orders[each.person] += 1
        counts = sorted(orders.values(), reverse=True)
        if len(orders) < people or 5 * counts[0] > 2 * len(alike) or 5 * sum(counts[:2]) > 3 * len(alike):
            wrong.append(f"{len(orders)} people in {sorted(figures, key=str)}")
    return wrong


def differences(shown: Sequence[dict[int | None, frozenset[UUID]]]) -> list[frozenset[UUID]]:
    """The attack as it is usually made: every two figures of all releases, and each total less categories, mixed."""
    figures = {orders for release in shown for orders in release.values()}
    totals = {release[ALL] for release in shown if ALL in release}
    parts = [orders for release in shown for category, orders in release.items() if category is not ALL]
    found = [one ^ other for one, other in combinations(figures, 2)]
    for whole in totals:
        for count in (2, 3):
            found += [
                whole ^ frozenset().union(*some)
                for some in combinations(set(parts), count)
                if not any(one & other for one, other in combinations(some, 2))
            ]
    return [*figures, *(each for each in found if each)]


def ten_releases(seed: int) -> list[list[Fact]]:
    """A day of four categories and ten weeks in which orders come late; the planted customer buys where few do."""
    chance = random.Random(seed)
    number = 0
    weeks: list[list[Fact]] = []
    for week in range(10):
        crowds = (
            {1: 24, 2: 21, 3: 12, 4: 2} if week == 0 else {each: chance.choice([0, 1, 19, 20]) for each in (1, 2, 3)}
        )
        some = []
        for category, people in crowds.items():
            for _ in range(people):
                some.append(marked(number, f"person {chance.randrange(10**6)}", category))
                number += 1
        for category in chance.sample([1, 2, 3, 4], 2):
            some.append(marked(number, PLANTED, category))
            number += 1
        weeks.append(some)
    return weeks


@pytest.mark.parametrize("seed", range(12))
def test_ten_releases_tell_nothing_about_a_planted_customer(seed: int) -> None:
    weeks = ten_releases(seed)
    facts = [each for week in weeks for each in week]
    assert len(facts) < 490, "the marks fit into the amounts"
    shown = publish(weeks, Rule())
    assert len(shown) == 10
    assert shown[0] != shown[-1], "there was something to subtract"
    assert singled_out(facts, shown, 20) == []
    person = {each.order: each.person for each in facts}
    for orders in differences(shown):
        people = {person[order] for order in orders}
        assert len(people) >= 20
        planted = sum(1 for order in orders if person[order] == PLANTED)
        assert 5 * planted <= 2 * len(orders)


CASES = st.lists(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 4)), max_size=14), min_size=1, max_size=10).map(
    lambda weeks: [
        [marked(20 * week + number, person, category) for number, (person, category) in enumerate(some)]
        for week, some in enumerate(weeks)
    ]
)


@settings(max_examples=150, deadline=None)
@given(CASES)
def test_no_releases_of_any_day_single_out_anybody(weeks: list[list[Fact]]) -> None:
    facts = [each for week in weeks for each in week]
    assert singled_out(facts, publish(weeks, LOW), 3) == []


def anew(weeks: Sequence[Sequence[Fact]], rule: Rule) -> list[dict[int | None, frozenset[UUID]]]:
    """What a careful exporter without a memory shows: each week the day's sums as they are by now, under the rule."""
    shown, facts = [], list[Fact]()
    for week in weeks:
        facts += week
        sums = decide(facts, Published(), rule).sums
        shown.append({category: orders_in(value, facts) for category, (_, value) in sums.items()})
    return shown


def test_the_attack_finds_what_weaker_rules_let_out() -> None:
    late = [[marked(each, each, 1) for each in range(4)], [marked(4, PLANTED, 1)]]
    assert singled_out([*late[0], *late[1]], publish(late, LOW), 3) == []
    assert "1 people" in singled_out([*late[0], *late[1]], anew(late, LOW), 3)[0]
    # Each week keeps to the rule, but a category that was withheld at first is published when there is more beside it.
    first = [marked(each, each, 1 + each // 4) for each in range(8)]
    opened = [[*first, marked(8, PLANTED, 3)], [marked(each, each, 3) for each in range(9, 13)]]
    facts = [each for week in opened for each in week]
    assert singled_out(facts, publish(opened, LOW), 3) == []
    assert any("1 people" in each for each in singled_out(facts, anew(opened, LOW), 3))
    # And without a look at the rest, one subtraction in one release is enough.
    alone = [*late[0], marked(4, PLANTED, 2)]
    assert singled_out(alone, publish([alone], LOW), 3) == []
    total, part = (frozenset(each.order for each in some) for some in (alone, late[0]))
    assert "1 people" in singled_out(alone, [{ALL: total, 1: part}], 3)[0]
