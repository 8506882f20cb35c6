"""Whether a group of an experiment buys more: conversion by group, from orders.

A visitor counts once, however many orders there are. An order of somebody who took no part counts nowhere and is told.
The intervals hold for one look at the end, of which the day was set before: who looks twenty times and stops at the
first good one finds a difference that is not there in one of four experiments, not in one of twenty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from uuid import UUID

from app.recommendations.groups import PERCENT, Experiment

CONFIDENCE = 0.95
STRANGE = 0.001
"""Sizes of groups that chance makes only this often are no chance: some visitors were not counted."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a figure is, with CONFIDENCE."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Conversion:
    """What one group did.

    Attributes:
        group: its name.
        visitors: who took part.
        buyers: of these, who ordered.
    """

    group: str
    visitors: int
    buyers: int

    @property
    def rate(self) -> float | None:
        """Share of the visitors who ordered (0 to 1); None when there were none."""
        return self.buyers / self.visitors if self.visitors else None

    @property
    def interval(self) -> Interval:
        """Where the rate is (Wilson's interval); anywhere from 0 to 1 without visitors."""
        if not self.visitors:
            return Interval(0.0, 1.0)
        z, n, rate = _quantile(CONFIDENCE), self.visitors, self.buyers / self.visitors
        middle, reach = rate + z * z / (2 * n), z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
        whole = 1 + z * z / n
        return Interval(max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What an experiment says.

    Attributes:
        groups: by name.
        strangers: orders of nobody who took part.
        is_split_as_planned: whether the groups are as large as their shares make likely; if not, no figure is to be
            trusted.
    """

    groups: dict[str, Conversion]
    strangers: int
    is_split_as_planned: bool

    def difference(self, one: str, other: str) -> Interval:
        """Return how much higher the rate of one group is than another's (Newcombe's interval, -1 to 1)."""
        a, b = self.groups[one], self.groups[other]
        if a.rate is None or b.rate is None:
            return Interval(-1.0, 1.0)
        apart, at, bt = a.rate - b.rate, a.interval, b.interval
        low = apart - sqrt((a.rate - at.low) ** 2 + (bt.high - b.rate) ** 2)
        return Interval(low, apart + sqrt((at.high - a.rate) ** 2 + (b.rate - bt.low) ** 2))

    def verdict(self, one: str, other: str) -> str:
        """Return whether one group buys "more" or "less" than another, or "not known"."""
        apart = self.difference(one, other)
        if not self.is_split_as_planned or apart.low <= 0 <= apart.high:
            return "not known"
        return "more" if apart.low > 0 else "less"


def compared(experiment: Experiment, visitors: Iterable[UUID], orders: Iterable[UUID]) -> Comparison:
    """Return what an experiment says.

    Args:
        experiment: what was tried.
        visitors: ids of all who took part, shown something or not; repeats count once.
        orders: for each order that counts, the id of who placed it.
    """
    here, ordered = set(visitors), list(orders)
    sizes = Counter(map(experiment.group_of, here))
    buyers = Counter(map(experiment.group_of, here.intersection(ordered)))
    groups = {group: Conversion(group, sizes[group], buyers[group]) for group in sorted(experiment.shares)}
    strangers = sum(each not in here for each in ordered)
    return Comparison(groups, strangers, is_split_as_planned(experiment, sizes))


def is_split_as_planned(experiment: Experiment, sizes: Mapping[str, int]) -> bool:
    """Whether groups are as large as their shares make likely; chance says no in one of 1,000 experiments."""
    everybody = sum(sizes.values())
    most = _quantile(1 - STRANGE / max(len(experiment.shares), 1))
    for group, percent in experiment.shares.items():
        share = percent / PERCENT
        spread = sqrt(everybody * share * (1 - share))
        if abs(sizes.get(group, 0) - everybody * share) > most * spread:
            return False
    return True


def _quantile(confidence: float) -> float:
    """Return how many standard deviations to each side have this part of a normal distribution."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
