"""Which sums of money are published: each day's when it is over, and later what was not counted then.

The sums of one day, currency and metric are a group: one per category, and their total. A group is divided into tiles
that share no fact: each category that is published, and the rest, which is what the total has beyond them. A tile is
published, at first and each time it grows, only if what is added passes the rule by itself. What does not pass waits
until more has come. So:

- A published sum is the sum of additions that passed, and so is each difference of two of them, of any versions: no
  difference of published figures is a sum over fewer people, or with more of one person, than the rule allows.
- That holds only because tiles stay as they are. A category that was not published when the total was stays a part of
  the rest for good: published later, it would show what of the rest is not it, as the total was then.
- A total is at all times the sum of its published categories and of its rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from app.export.disclosure import Fact, Rule, total
from app.export.schema import MoneyRow
from app.export.vocabulary import Currency, MoneyFlag, MoneyMetric

ALL = None
"""Stands in place of a category for all of them."""
RULE = Rule()


class Group(NamedTuple):
    """The sums that are parts of one total."""

    day: date
    currency: Currency
    metric: MoneyMetric


@dataclass(frozen=True, slots=True)
class Published:
    """What of a group has left the region.

    Attributes:
        categories: that are published by themselves.
        has_total: whether their total is.
        kept: what is counted in those categories while their total is not published (minor units, or orders).
        is_closed: whether nothing more is said of it: it is not known any more what was counted.
    """

    categories: frozenset[int] = frozenset()
    has_total: bool = False
    kept: int = 0
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What is published of a group now.

    Attributes:
        sums: flag and value by category; the total's is that of ALL. What is not among them is withheld.
        counted: the facts that these sums count for the first time.
    """

    sums: Mapping[int | None, tuple[MoneyFlag, int]] = field(default_factory=dict)
    counted: tuple[Fact, ...] = ()


def decide(facts: Iterable[Fact], published: Published, rule: Rule = RULE) -> Decision:
    """Return what is published of a group's facts that wait: those that no release has counted."""
    if published.is_closed:
        return Decision()
    waiting: dict[int, list[Fact]] = defaultdict(list)
    for fact in facts:
        waiting[fact.category].append(fact)
    opened, has_total = frozenset[int](), published.has_total
    if not has_total:
        passing = {each for each, tile in waiting.items() if each not in published.categories and rule.passes(tile)}
        opened, has_total = _opened(waiting, published.categories, passing, rule)
    shown = published.categories | opened
    layers = {each: waiting[each] for each in sorted(shown) if rule.passes(waiting[each])}
    sums: dict[int | None, tuple[MoneyFlag, int]] = {
        each: (MoneyFlag.EXACT if each in opened else MoneyFlag.DELTA, total(tile)) for each, tile in layers.items()
    }
    counted = [fact for tile in layers.values() for fact in tile]
    if has_total:
        rest = _rest(waiting, shown)
        counted += rest if rule.passes(rest) else []
        added = total(counted)
        if not published.has_total:
            sums[ALL] = (MoneyFlag.EXACT, published.kept + added)
        elif added:
            sums[ALL] = (MoneyFlag.DELTA, added)
    return Decision(sums, tuple(counted))


def _opened(
    waiting: Mapping[int, Sequence[Fact]], before: frozenset[int], passing: Collection[int], rule: Rule
) -> tuple[frozenset[int], bool]:
    """Return which categories are published from now on, and whether the total is.

    What a total has beyond its published categories has to be nothing, or to pass the rule; otherwise the smallest
    published category is withheld until it does. Where even the whole does not pass, there is no total.
    """
    smallest_first = sorted(passing, key=lambda each: (total(waiting[each]), each))
    for withheld in range(len(smallest_first) + 1):
        left = frozenset(smallest_first[withheld:])
        rest = _rest(waiting, before | left)
        if rule.passes(rest) if rest else before | left:
            return left, True
    return frozenset(passing), False


def _rest(waiting: Mapping[int, Sequence[Fact]], shown: Collection[int]) -> list[Fact]:
    return [fact for category, facts in waiting.items() if category not in shown for fact in facts]


def day_rows(group: Group, decision: Decision, categories: Iterable[int]) -> list[MoneyRow]:
    """Return what is said of a group at first: a row for each category and the total, small where it is withheld."""
    small = (MoneyFlag.SMALL, None)
    return [_row(group, each, *decision.sums.get(each, small)) for each in (ALL, *sorted(categories))]


def correction_rows(group: Group, decision: Decision) -> list[MoneyRow]:
    """Return what is said of a group later: a row for each sum that has grown or is published for the first time."""
    return [_row(group, each, flag, value) for each, (flag, value) in decision.sums.items()]


def _row(group: Group, category: int | None, flag: MoneyFlag, value: int | None) -> MoneyRow:
    return MoneyRow(
        day=group.day, currency=group.currency, category=category, metric=group.metric, value=value, flag=flag
    )
