"""Money is published by count, dominance and remainder; what comes late waits until it passes the test by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import count
from uuid import UUID

import pytest
from export_world import DAY, crowd, fact
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import ShopError
from app.export.disclosure import Fact, Rule
from app.export.money import ALL, Decision, Group, Published, correction_rows, day_rows, decide
from app.export.sales import Ordered, Sale, facts_of, people_of, require_words
from app.export.vocabulary import Currency, MoneyFlag, MoneyMetric

pytestmark = pytest.mark.requirement("money leaves a region only as sums over enough people, none of whom dominates")

GROUP = Group(DAY, Currency.EUR, MoneyMetric.REVENUE)
EXACT, DELTA = MoneyFlag.EXACT, MoneyFlag.DELTA
LOW = Rule(people=5)
"""The rule for five people, so that small cases can be tried by the hundred; fewer are refused by shares alone."""


def after(published: Published, decision: Decision) -> Published:
    """What of a group has left the region after a decision, as the database tells it from the rows."""
    categories = {each: value for each, (_, value) in decision.sums.items() if each is not ALL}
    return Published(
        published.categories | categories.keys(),
        published.has_total or ALL in decision.sums,
        published.kept + sum(categories.values()),
    )


def left(facts: Iterable[Fact], decision: Decision) -> list[Fact]:
    """The facts that wait after a decision."""
    return [each for each in facts if each not in decision.counted]


@pytest.mark.parametrize(
    ("amounts", "passes"),
    [
        ([1] * 20, True),
        ([1] * 19, False),
        ([40] + [3] * 20, True),  # 40 of 100
        ([41] + [3] * 20, False),  # 41 of 101: 40.6 %
        ([30, 30] + [2] * 20, True),  # 60 of 100
        ([31, 30] + [2] * 20, False),  # 61 of 101: 60.4 %
        ([10**15] * 20, True),
        ([], False),
    ],
)
def test_twenty_people_and_nobody_with_too_much(amounts: list[int], *, passes: bool) -> None:
    facts = [fact(number, number, 1, amount) for number, amount in enumerate(amounts)]
    assert Rule().passes(facts) is passes


def test_several_orders_of_one_person_are_one_persons() -> None:
    twice = [*crowd(1, 19, 1), fact(100, 1, 1, 1000)]
    assert not Rule().passes(twice)
    shares = [*crowd(1, 20, 1), *(fact(100 + number, 1, 1, 3000) for number in range(5))]
    assert not Rule().passes(shares)


def test_people_who_are_not_known_count_as_none_and_weigh_as_one() -> None:
    unknown = [fact(100 + number, None, 1, 1000) for number in range(20)]
    assert not Rule().passes(unknown)
    assert not Rule().passes([*crowd(1, 19, 1), unknown[0]])
    assert Rule().passes([*crowd(1, 20, 1), unknown[0]])
    assert not Rule().passes([*crowd(1, 19, 1), *unknown])
    assert not Rule().passes([*crowd(1, 20, 1), *unknown])  # 20 of 40
    assert Rule().passes([*crowd(1, 31, 1), *unknown])


def test_what_is_left_of_the_total_has_to_pass_too() -> None:
    """By hand: 30, 25 and 22 people, and five in the fourth category: 22 and 5 are the smallest rest that passes."""
    facts = [*crowd(100, 30, 1, 900), *crowd(200, 25, 2, 1000), *crowd(300, 22, 3, 1000), *crowd(400, 5, 4, 1000)]
    decision = decide(facts, Published())
    assert decision.sums == {1: (EXACT, 27_000), 2: (EXACT, 25_000), ALL: (EXACT, 79_000)}
    assert len(decision.counted) == 82
    rows = [(row.category, row.value, row.flag.value) for row in day_rows(GROUP, decision, {1, 2, 3, 4})]
    assert rows == [
        (None, 79_000, "exact"), (1, 27_000, "exact"), (2, 25_000, "exact"), (3, None, "small"), (4, None, "small"),
    ]  # fmt: skip


def test_nothing_left_is_all_right() -> None:
    decision = decide([*crowd(100, 30, 1), *crowd(200, 25, 2)], Published())
    assert decision.sums == {1: (EXACT, 30_000), 2: (EXACT, 25_000), ALL: (EXACT, 55_000)}


def test_where_even_the_whole_does_not_pass_there_is_no_total_to_subtract_from() -> None:
    facts = [*crowd(100, 30, 1), fact(1, 1, 2, 10**7)]
    decision = decide(facts, Published())
    assert decision.sums == {1: (EXACT, 30_000)}
    assert {each.category for each in decision.counted} == {1}


def test_a_day_without_enough_people_says_nothing_but_small() -> None:
    decision = decide(crowd(1, 19, 1), Published())
    assert decision == Decision()
    assert {row.flag for row in day_rows(GROUP, decision, {1, 2})} == {MoneyFlag.SMALL}
    assert decide([], Published()) == Decision()
    assert [row.value for row in day_rows(GROUP, decide([], Published()), {1, 2})] == [None, None, None]


def test_what_comes_late_waits_until_it_passes_by_itself() -> None:
    first = decide([*crowd(100, 30, 1), *crowd(200, 25, 2)], Published())
    published = after(Published(), first)
    assert len(first.counted) == 55
    facts = crowd(300, 19, 1, 7)
    assert decide(facts, published) == Decision()
    facts += crowd(400, 1, 1, 7)
    late = decide(facts, published)
    assert late.sums == {1: (DELTA, 140), ALL: (DELTA, 140)}
    assert [(row.category, row.value) for row in correction_rows(GROUP, late)] == [(1, 140), (None, 140)]
    assert left(facts, late) == []


def test_what_comes_late_in_several_categories_does_not_add_up_to_a_crowd() -> None:
    """20 people late, but 19 in one category and one in another: the total less that category would be one person's."""
    facts = [*crowd(100, 30, 1), *crowd(200, 25, 2)]
    published = after(Published(), decide(facts, Published()))
    assert decide([*crowd(300, 19, 1), *crowd(400, 1, 2)], published) == Decision()
    late = decide([*crowd(300, 20, 1), *crowd(400, 1, 2)], published)
    assert late.sums == {1: (DELTA, 20_000), ALL: (DELTA, 20_000)}, "the total grows by what its parts have grown"


def test_a_category_that_was_withheld_beside_its_total_stays_withheld() -> None:
    """Else: rest at first = 25 and one; later the 25 alone, and the difference is one person's."""
    facts = [*crowd(100, 30, 1), *crowd(200, 19, 2), *crowd(300, 1, 3)]
    published = after(Published(), decide(facts, Published()))
    assert published.categories == {1}
    assert published.has_total
    late = decide(crowd(400, 40, 2), published)
    assert late.sums == {ALL: (DELTA, 40_000)}


def test_a_day_of_which_nothing_was_said_can_be_said_later() -> None:
    facts = crowd(100, 19, 1)
    published = after(Published(), decide(facts, Published()))
    late = decide([*facts, *crowd(200, 1, 1)], published)
    assert late.sums == {1: (EXACT, 20_000), ALL: (EXACT, 20_000)}
    alone = [*crowd(100, 30, 1), fact(1, 1, 2, 10**7)]
    first = decide(alone, Published())
    later = decide([*left(alone, first), *crowd(300, 30, 2, 10**6)], after(Published(), first))
    assert later.sums == {2: (EXACT, 40_000_000), ALL: (EXACT, 40_030_000)}


def test_a_group_is_closed_when_it_is_not_known_what_it_counts() -> None:
    published = Published(frozenset({1}), has_total=True, is_closed=True)
    assert decide(crowd(100, 50, 1), published) == Decision()


def test_a_fact_never_takes_away() -> None:
    for amount in (0, -1):
        with pytest.raises(ValueError, match="above zero"):
            fact(1, 1, 1, amount)


# Cases of few people, few categories and amounts that make ties and dominance likely.
AMOUNTS = st.sampled_from([1, 1, 1, 2, 3, 5, 20])
FACTS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4), AMOUNTS), max_size=30).map(
    lambda each: [
        fact(number, None if person == 9 else person, category, amount)
        for number, (person, category, amount) in enumerate(each)
    ]
)


def oracle_passes(facts: Sequence[Fact], people: int) -> bool:
    """The rule again, as a person would write it down: whole list, shares as fractions."""
    by_person: dict[object, int] = defaultdict(int)
    for each in facts:
        by_person[each.person] += each.amount
    if sum(1 for person in by_person if person is not None) < people:
        return False
    shares = sorted((Fraction(amount, sum(by_person.values())) for amount in by_person.values()), reverse=True)
    return shares[0] <= Fraction(2, 5) and sum(shares[:2]) <= Fraction(3, 5)


def oracle_publishes(facts: Sequence[Fact], people: int) -> dict[int | None, int]:
    """The rule of sections 5 and 4 by trying: withhold the smallest until what is left passes or is nothing."""
    by_category = {each: [one for one in facts if one.category == each] for each in (1, 2, 3, 4)}
    sums = {each: sum(one.amount for one in some) for each, some in by_category.items()}
    shown = [each for each in (1, 2, 3, 4) if oracle_passes(by_category[each], people)]
    if not oracle_passes(facts, people):
        return {each: sums[each] for each in shown}
    while True:
        rest = [each for each in facts if each.category not in shown]
        if not rest or oracle_passes(rest, people):
            return {**{each: sums[each] for each in shown}, None: sum(sums.values())}
        smallest = min(sums[each] for each in shown)
        shown.remove(next(each for each in shown if sums[each] == smallest))


@settings(max_examples=400, deadline=None)
@given(FACTS)
def test_a_days_sums_are_those_of_the_rule_by_trying(facts: list[Fact]) -> None:
    decision = decide(facts, Published(), LOW)
    assert {each: value for each, (_, value) in decision.sums.items()} == oracle_publishes(facts, 5)


WEEKS = st.lists(FACTS, min_size=1, max_size=5)


def told(weeks: Iterable[Sequence[Fact]]) -> tuple[list[dict[int | None, int]], Published, list[Fact]]:
    """What is known of a day after each week's correction, by who adds deltas to values; and what was counted."""
    numbers = count(1)
    waiting, counted = list[Fact](), list[Fact]()
    published, known, versions = Published(), dict[int | None, int](), []
    for week in weeks:
        waiting += [replace(each, order=UUID(int=next(numbers))) for each in week]
        decision = decide(waiting, published, LOW)
        waiting = left(waiting, decision)
        counted += decision.counted
        for category, (flag, value) in decision.sums.items():
            assert (flag is DELTA) == (category in known)
            known[category] = known.get(category, 0) + value
        published = after(published, decision)
        versions.append(dict(known))
    return versions, published, counted


@settings(max_examples=120, deadline=None)
@given(WEEKS)
def test_totals_add_up_in_every_version(weeks: list[list[Fact]]) -> None:
    versions, published, counted = told(weeks)
    for version in versions:
        if ALL in version:
            shown = sum(value for category, value in version.items() if category is not ALL)
            assert shown <= version[ALL]
    assert len(set(counted)) == len(counted), "each fact is counted once"
    last: Counter[int | None] = Counter()
    for each in counted:
        if published.has_total:
            last[ALL] += each.amount
        if each.category in published.categories:
            last[each.category] += each.amount
    assert last == Counter(versions[-1])


def grown(before: list[list[Fact]], after_it: list[Fact]) -> dict[int | None, tuple[int, list[Fact]]]:
    """How much each published sum of a day is more when its last week has some facts; and which facts that counts."""
    versions, _, counted = told([*before, []])
    later, _, all_counted = told([*before, after_it])
    new = [each for each in all_counted if each not in counted]
    return {
        category: (
            later[-1][category] - value,
            [each for each in new if category is ALL or each.category == category],
        )
        for category, value in versions[-1].items()
    }


@settings(max_examples=120, deadline=None)
@given(WEEKS, st.integers(0, 8), st.integers(0, 4))
def test_no_sum_changes_by_what_one_customer_spent(weeks: list[list[Fact]], customer: int, week: int) -> None:
    """Neighbouring data sets, one after the other: all that a customer bought comes in one week, and nothing else.

    A sum that was not published before may be then. One that was published stays as it is, or grows with what waited:
    by a sum over enough people, of which the customer's is not too much.
    """
    without = [[each for each in some if each.person != customer] for some in weeks]
    theirs = [each for some in weeks for each in some if each.person == customer]
    for more, facts in grown(without[: min(week, len(without))], theirs).values():
        assert more == sum(each.amount for each in facts)
        assert not facts or oracle_passes(facts, 5)


def test_one_customer_lets_go_what_waited_and_never_stands_alone() -> None:
    early, late, last = crowd(0, 5, 1), crowd(10, 4, 1), crowd(20, 1, 1)
    assert grown([early], last) == {1: (0, []), ALL: (0, [])}
    more = grown([early, late], last)
    assert {each: (value, len(facts)) for each, (value, facts) in more.items()} == {1: (5000, 5), ALL: (5000, 5)}


def test_an_order_is_a_sale_in_one_category_and_money_in_each() -> None:
    sale = Sale(UUID(int=7), DAY, "EUR", {"t-shirts": 2500, "watches": 90_000, "caps": 1500})
    found = {(each.metric.value, each.category): each.amount for each in facts_of(sale)}
    assert found == {
        ("revenue", 1): 2500, ("revenue", 9): 1500, ("revenue", 13): 90_000, ("orders", 13): 1,
    }  # fmt: skip
    even = Sale(UUID(int=8), DAY, "EUR", {"watches": 500, "t-shirts": 500})
    assert [(each.category, each.amount) for each in facts_of(even) if each.metric is MoneyMetric.ORDERS] == [(1, 1)]
    back = Sale(UUID(int=9), DAY, "EUR", {"caps": 1500}, is_refunded=True)
    assert [(each.metric.value, each.category, each.amount) for each in facts_of(back)] == [("refunds", 9, 1500)]
    with pytest.raises(ValueError, match="XXX"):
        list(facts_of(replace(sale, currency="XXX")))
    with pytest.raises(KeyError):
        list(facts_of(replace(sale, goods={"new-things": 5})))
    with pytest.raises(ShopError, match="found:    XXX, new-things\n"):
        require_words([sale, replace(sale, currency="XXX"), replace(sale, goods={"new-things": 5, "caps": 1})])
    require_words([sale])


def test_orders_that_share_an_account_or_an_address_are_one_persons() -> None:
    ada, bob = UUID(int=101), UUID(int=102)
    orders = [
        Ordered(UUID(int=1), ada, "ada@example.org"),
        Ordered(UUID(int=2), None, "ADA@example.org"),  # as a guest
        Ordered(UUID(int=3), ada, "work@example.org"),
        Ordered(UUID(int=4), bob, "bob@example.org"),
        Ordered(UUID(int=5), bob, "work@example.org"),  # so these two are taken for one
        Ordered(UUID(int=6), None, "cleo@example.org"),
        Ordered(UUID(int=7), None, ""),  # erased
        Ordered(UUID(int=8), None, ""),
    ]
    people = people_of(orders)
    assert len({people[UUID(int=number)] for number in (1, 2, 3, 4, 5)}) == 1
    assert people[UUID(int=6)] not in {None, people[UUID(int=1)]}
    assert people[UUID(int=7)] is people[UUID(int=8)] is None


def test_rows_of_a_correction_are_of_the_day_that_they_correct() -> None:
    rows = correction_rows(Group(date(2026, 10, 1), Currency.USD, MoneyMetric.ORDERS), Decision({2: (DELTA, 25)}))
    assert [(row.day.isoformat(), row.currency, row.category, row.metric, row.value) for row in rows] == [
        ("2026-10-01", "USD", 2, "orders", 25)
    ]
