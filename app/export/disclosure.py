"""When a sum of money may be published: enough people, and nobody who is most of it.

This is disclosure control as statistics offices do it (a frequency rule and two dominance rules). It is not
differential privacy: ADR 64 says what it does not protect against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from app.export.vocabulary import Currency, MoneyMetric


class FactKey(NamedTuple):
    """What names a fact."""

    order: UUID
    metric: MoneyMetric
    category: int


@dataclass(frozen=True, slots=True)
class Fact:
    """What one order adds to one cell: written down once, and never less.

    Attributes:
        order: whose it is; it stays in the region.
        person: who ordered, as far as is known; None for an order whose person was erased. It stays in the region.
        day: of the cell (UTC).
        currency: of the cell.
        category: number of the cell's category.
        metric: of the cell.
        amount: above zero; what takes money back is a fact of another metric.
    """

    order: UUID
    person: object
    day: date
    currency: Currency
    category: int
    metric: MoneyMetric
    amount: int

    def __post_init__(self) -> None:
        """Refuse an amount that would take something away from a sum."""
        if self.amount <= 0:
            raise ValueError(f"expected an amount above zero, found {self.amount}")

    @property
    def key(self) -> FactKey:
        """What names it."""
        return FactKey(self.order, self.metric, self.category)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a sum needs to be published.

    Attributes:
        people: so many different people or more. Those who are not known count as none.
        largest_percent: at most so much of the sum is one person's (%). Those who are not known are one together.
        two_largest_percent: at most so much of it is two people's (%).
    """

    people: int = 20
    largest_percent: int = 40
    two_largest_percent: int = 60

    def passes(self, facts: Iterable[Fact]) -> bool:
        """Whether the sum of these facts may be published."""
        sums: Counter[object] = Counter()
        for fact in facts:
            sums[fact.person] += fact.amount
        if len(sums.keys() - {None}) < self.people:
            return False
        total = sums.total()
        first, second = [amount for _, amount in sums.most_common(2)] if len(sums) > 1 else (total, 0)
        return 100 * first <= self.largest_percent * total and (
            100 * (first + second) <= self.two_largest_percent * total
        )


def total(facts: Iterable[Fact]) -> int:
    """Return the sum of the amounts of some facts (minor units, or orders)."""
    return sum(fact.amount for fact in facts)
