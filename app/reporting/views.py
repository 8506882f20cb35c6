"""What templates draw: for each region its pictures, each with a table of the same figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.export.budget import MICRO, MONTH_RHO_MICRO, epsilon
from app.export.vocabulary import Currency, Interest, MoneyMetric, Step
from app.reporting import words
from app.reporting.charts import Chart, Gap, Point, of_days, ranked
from app.reporting.figures import RegionFigures, Sum, Value, name_of
from app.reporting.reading import Reading, Seen, Sold, Spent

MOST_RANKED = 10
NOTHING = Sum(Gap.UNSAID, 0)
Metric = TypeVar("Metric")
_MONEY = {MoneyMetric.REVENUE: "Revenue", MoneyMetric.ORDERS: "Orders", MoneyMetric.REFUNDS: "Refunds"}
_INTEREST = {Interest.VIEW: "Looked at", Interest.ADD: "Into carts", Interest.BUY: "Bought"}


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of words; the first of each row names it."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures and the table of the same figures."""

    title: str
    pictures: tuple[Chart, ...]
    grid: Grid


@dataclass(frozen=True, slots=True)
class RegionView:
    """What the page has of one region."""

    name: str
    heard: str
    days: Shown
    rankings: tuple[Shown, ...]


def region_view(region: RegionFigures, reading: Reading) -> RegionView:
    """Return what the page has of a region."""
    sold = [each for each in reading.sold if each.region == region.number]
    rankings = [
        _funnel(region),
        *(_sold(region, currency, sold) for currency in sorted({each.currency for each in sold})),
        _seen(region, "categories", reading.categories, words.category_name),
        _seen(region, "products", reading.products, words.product_name),
    ]
    return RegionView(region.name, words.moment(region.heard_at), _days(region), tuple(rankings))


def summary(regions: Iterable[RegionFigures]) -> Grid:
    """Return one row for each region and currency."""
    head = ("Region", "Currency", *_MONEY.values(), "Visitor-days", "Conversion", "Whole days", "Last heard")
    rows: list[tuple[str, ...]] = []
    for region in regions:
        length = len(region.days)
        people, rate = region.people(Step.VISIT), region.conversion
        others = (
            _of_days(words.count(people.value), people.days, length),
            _of_days(words.percent(rate.percent), rate.days, length),
            f"{region.whole_days} of {length}",
            words.moment(region.heard_at),
        )
        currencies: tuple[Currency | None, ...] = region.currencies or (None,)
        rows += [
            (region.name, currency or words.GAPS[Gap.UNSAID], *_sums(region, currency), *others)
            for currency in currencies
        ]
    return Grid("All regions; a sum says of how many days it is", head, tuple(rows))


def completeness(regions: Sequence[RegionFigures]) -> Grid:
    """Return one row for each day, the latest first: what is here of each region."""
    columns = [(region, kind) for region in regions for kind in words.KINDS]
    head = ("Day", *(f"{region.name}, {words.KINDS[kind]}" for region, kind in columns))
    rows = [
        (str(days[0].day), *(words.arrived(day, kind) for day in days for kind in words.KINDS))
        for days in zip(*(region.days for region in regions), strict=True)
    ]
    return Grid("What is here of each day", head, tuple(reversed(rows)))


def budget(spent: Iterable[Spent], names: Mapping[int, str]) -> Grid:
    """Return one row for each region and month in which it has released anything, the latest month first."""
    head = ("Region", "Month", "Days", "Spent (rho)", "Of the month's", "As epsilon")
    rows = [
        (
            name_of(each.region, names),
            f"{each.month:%Y-%m}",
            str(each.days),
            f"{each.rho_micro / MICRO:.2f}",
            f"{100 * each.rho_micro / MONTH_RHO_MICRO:.0f} %",
            f"{epsilon(each.rho_micro):.2f}",
        )
        for each in sorted(spent, key=lambda each: (-each.month.toordinal(), each.region))
    ]
    return Grid("Spent of the visitors' privacy", head, tuple(rows))


def _days(region: RegionFigures) -> Shown:
    money = [(currency, metric) for currency in region.currencies for metric in _MONEY]
    head = ("Day", *(f"{_MONEY[metric]}, {currency}" for currency, metric in money), "Visitors", "Conversion", "Here")
    rows = [
        (
            str(day.day),
            *(words.figure(day.amount(*key), *key) for key in money),
            words.count(day.people(Step.VISIT)),
            words.percent(day.percent),
            "; ".join(f"{title} {words.arrived(day, kind)}" for kind, title in words.KINDS.items()),
        )
        for day in region.days
    ]
    pictures = [
        *(of_days(f"Revenue, {currency}, {region.name}", _revenue(region, currency)) for currency in region.currencies),
        of_days(f"Visitors, {region.name}", _visitors(region)),
        of_days(f"Conversion (%), {region.name}", _conversion(region)),
    ]
    return Shown("Day by day", tuple(pictures), Grid(f"{region.name}, day by day", head, tuple(rows)))


def _revenue(region: RegionFigures, currency: Currency) -> list[Point]:
    values = [(day.day, day.amount(currency, MoneyMetric.REVENUE)) for day in region.days]
    return [
        Point(str(day), _scaled(value, currency), _with(words.amount(value, currency), value, currency))
        for day, value in values
    ]


def _visitors(region: RegionFigures) -> list[Point]:
    values = [(day.day, day.people(Step.VISIT)) for day in region.days]
    return [Point(str(day), value, words.count(value)) for day, value in values]


def _conversion(region: RegionFigures) -> list[Point]:
    return [Point(str(day.day), day.percent, words.percent(day.percent)) for day in region.days]


def _funnel(region: RegionFigures) -> Shown:
    sums = [(title, region.people(step)) for step, title in words.STEPS.items()]
    points = [Point(title, each.value, words.count(each.value)) for title, each in sums]
    rows = tuple((title, words.count(each.value), str(each.days)) for title, each in sums)
    title = f"Visitors by step, {region.name}"
    return Shown("Visitors by step", (ranked(title, points),), Grid(title, ("Step", "Visitor-days", "Days"), rows))


def _sold(region: RegionFigures, currency: Currency, sold: Iterable[Sold]) -> Shown:
    found: dict[int, dict[MoneyMetric, Sum]] = {}
    for each in sold:
        if each.currency is currency:
            found.setdefault(each.category, {})[each.metric] = _sum(each.value, each.days)
    first = _first(found, MoneyMetric.REVENUE)
    points = [
        Point(words.category_name(number), _scaled(each.value, currency), words.amount(each.value, currency))
        for number, each in ((number, found[number][MoneyMetric.REVENUE]) for number in first)
    ]
    rows = []
    for number in first:
        sums = [found[number].get(metric, NOTHING) for metric in _MONEY]
        figures = (words.figure(each.value, currency, metric) for each, metric in zip(sums, _MONEY, strict=True))
        rows.append((words.category_name(number), *figures, str(sums[0].days)))
    title = f"Categories by revenue, {currency}, {region.name}"
    head = ("Category", *_MONEY.values(), "Days")
    return Shown(f"Categories by revenue, {currency}", (ranked(title, points),), Grid(title, head, tuple(rows)))


def _seen(region: RegionFigures, what: str, seen: Iterable[Seen], name: Callable[[int], str]) -> Shown:
    found: dict[int, dict[Interest, Sum]] = {}
    for each in seen:
        if each.region == region.number:
            found.setdefault(each.number, {})[each.metric] = _sum(each.value, each.days)
    first = _first(found, Interest.VIEW)
    views = [(number, found[number][Interest.VIEW]) for number in first]
    points = [Point(name(number), each.value, words.count(each.value)) for number, each in views]
    rows = [
        (name(number), *(words.count(found[number].get(each, NOTHING).value) for each in _INTEREST), str(viewed.days))
        for number, viewed in views
    ]
    title = f"{what.capitalize()} by visitors, {region.name}"
    head = (what.capitalize(), *_INTEREST.values(), "Days")
    return Shown(f"{what.capitalize()} by visitors", (ranked(title, points),), Grid(title, head, tuple(rows)))


def _first(found: Mapping[int, Mapping[Metric, Sum]], metric: Metric) -> list[int]:
    """Return the numbers with the largest sums of a metric; where it is withheld on all days, it has no place."""
    ranking = {number: sums[metric].value for number, sums in found.items() if metric in sums}
    known = {number: value for number, value in ranking.items() if not isinstance(value, Gap)}
    return sorted(known, key=lambda number: (-known[number], number))[:MOST_RANKED]


def _sum(value: int | None, days: int) -> Sum:
    return Sum(Gap.SMALL if value is None else value, days)


def _sums(region: RegionFigures, currency: Currency | None) -> list[str]:
    if currency is None:
        return [words.GAPS[Gap.UNSAID]] * len(_MONEY)
    sums = [(metric, region.sum_of(currency, metric)) for metric in _MONEY]
    length = len(region.days)
    return [_of_days(words.figure(each.value, currency, metric), each.days, length) for metric, each in sums]


def _of_days(text: str, days: int, length: int) -> str:
    """Return a sum, with the days that it is of where these are not all."""
    return text if days in {0, length} else f"{text} ({days} of {length} days)"


def _scaled(value: Value, currency: Currency) -> float | Gap:
    return value if isinstance(value, Gap) else words.major(value, currency)


def _with(text: str, value: Value, currency: Currency) -> str:
    return text if isinstance(value, Gap) else f"{text} {currency}"
