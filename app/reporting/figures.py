"""What the pages and files say: each day's figures with what is withheld and what is not here, sums, and rates.

A sum is of the days that have a figure, and says how many these are. A rate is of the days on which both of its sides
are said. So a day that is not here whole, or is withheld, never counts as nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from app.export.vocabulary import Currency, Kind, MoneyMetric, Step
from app.reporting.charts import Gap
from app.reporting.reading import Arrived, Reading

Value = int | Gap
MoneyKey = tuple[Currency, MoneyMetric]
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Sum:
    """What some days add up to.

    Attributes:
        value: of the days that have a figure; SMALL where there is a withheld one and no other, else UNSAID.
        days: how many have a figure.
    """

    value: Value
    days: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Orders by visitors, of the days on which both are said.

    Attributes:
        orders: of these days.
        visitors: of these days, with noise.
        days: how many these are.
    """

    orders: int
    visitors: int
    days: int

    @property
    def percent(self) -> float | Gap:
        """Orders in a hundred visitors; UNSAID where there is no such day."""
        return 100 * self.orders / self.visitors if self.visitors else Gap.UNSAID


@dataclass(frozen=True, slots=True)
class Day:
    """One day of one region.

    Attributes:
        arrived: what is here of each kind of release; a kind that is not among them is missing.
    """

    region: int
    day: date
    arrived: Mapping[Kind, Arrived]
    money: Mapping[MoneyKey, int | None]
    steps: Mapping[Step, int | None]

    def gap(self, kind: Kind) -> Gap | None:
        """Return why nothing is said of a kind, None when all of its parts are here."""
        found = self.arrived.get(kind)
        if found is None:
            return Gap.MISSING
        return None if found.here == found.parts else Gap.INCOMPLETE

    @property
    def is_whole(self) -> bool:
        """Whether everything of the day is here."""
        return self.gap(Kind.MONEY) is None and self.gap(Kind.BEHAVIOUR) is None

    def amount(self, currency: Currency, metric: MoneyMetric) -> Value:
        """Return a figure of money, or why there is none."""
        return self.gap(Kind.MONEY) or _value(self.money, (currency, metric))

    def people(self, step: Step) -> Value:
        """Return how many people took a step, or why that is not said."""
        return self.gap(Kind.BEHAVIOUR) or _value(self.steps, step)

    @property
    def conversion(self) -> Rate:
        """Orders by visitors; of no day where either is not said. Orders of all currencies, if each is published."""
        orders = self._orders()
        visits = self.people(Step.VISIT)
        if isinstance(orders, Gap) or isinstance(visits, Gap):
            return Rate(0, 0, 0)
        return Rate(orders, visits, 1)

    @property
    def percent(self) -> float | Gap:
        """The same in percent, or why it is not said."""
        for side in (self._orders(), self.people(Step.VISIT)):
            if isinstance(side, Gap):
                return side
        return self.conversion.percent

    def _orders(self) -> Value:
        keys = [key for key in self.money if key[1] is MoneyMetric.ORDERS]
        amounts = [self.amount(*key) for key in keys]
        gaps = [each for each in amounts if isinstance(each, Gap)]
        if gaps:
            return gaps[0]
        return added(amounts).value if amounts else self.gap(Kind.MONEY) or Gap.UNSAID


@dataclass(frozen=True, slots=True)
class RegionFigures:
    """A region's days, all of the span.

    Attributes:
        name: from the configuration; its number where that has none.
        heard_at: when it last sent something or asked; None if never.
        last_seq: the number of the latest release that is here.
    """

    number: int
    name: str
    heard_at: datetime | None
    last_seq: int
    days: tuple[Day, ...]

    @property
    def currencies(self) -> tuple[Currency, ...]:
        """Those in which anything is said."""
        return tuple(sorted({currency for day in self.days for currency, _ in day.money}))

    @property
    def whole_days(self) -> int:
        """On how many days everything is here."""
        return sum(day.is_whole for day in self.days)

    def sum_of(self, currency: Currency, metric: MoneyMetric) -> Sum:
        """Return what a figure of money adds up to."""
        return added(day.amount(currency, metric) for day in self.days)

    def people(self, step: Step) -> Sum:
        """Return on how many visitor-days a step was taken."""
        return added(day.people(step) for day in self.days)

    @property
    def conversion(self) -> Rate:
        """Orders by visitors of the days that have both."""
        rates = [day.conversion for day in self.days]
        return Rate(sum(r.orders for r in rates), sum(r.visitors for r in rates), sum(r.days for r in rates))


def figures_of(reading: Reading, names: Mapping[int, str]) -> tuple[RegionFigures, ...]:
    """Return every region that is configured or heard of, each with all days of the span."""
    heard = {each.region: each for each in reading.regions}
    by_day = _by_day(reading)
    made = []
    for number in sorted({*names, *heard}):
        here = heard.get(number)
        days = tuple(by_day.get((number, day)) or Day(number, day, {}, {}, {}) for day in reading.span.days())
        heard_at, last_seq = (here.heard_at, here.last_seq) if here else (None, 0)
        made.append(RegionFigures(number, name_of(number, names), heard_at, last_seq, days))
    return tuple(made)


def name_of(number: int, names: Mapping[int, str]) -> str:
    """Return a region's name; one that is not configured is told by its number."""
    return names.get(number, f"region {number}")


def added(values: Iterable[Value]) -> Sum:
    """Return what the figures among some values add up to."""
    found = list(values)
    known = [value for value in found if not isinstance(value, Gap)]
    if known:
        return Sum(sum(known), len(known))
    return Sum(Gap.SMALL if Gap.SMALL in found else Gap.UNSAID, 0)


def _by_day(reading: Reading) -> Mapping[tuple[int, date], Day]:
    arrived: dict[tuple[int, date], dict[Kind, Arrived]] = {}
    money: dict[tuple[int, date], dict[MoneyKey, int | None]] = {}
    steps: dict[tuple[int, date], dict[Step, int | None]] = {}
    for one in reading.arrived:
        arrived.setdefault((one.region, one.day), {})[one.kind] = one
    for paid in reading.money:
        money.setdefault((paid.region, paid.day), {})[paid.currency, paid.metric] = paid.value
    for came in reading.visitors:
        steps.setdefault((came.region, came.day), {})[came.step] = came.value
    return {key: Day(*key, found, money.get(key, {}), steps.get(key, {})) for key, found in arrived.items()}


def _value(said: Mapping[Key, int | None], key: Key) -> Value:
    if key not in said:
        return Gap.UNSAID
    value = said[key]
    return Gap.SMALL if value is None else value
