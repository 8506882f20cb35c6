"""What headquarters' database is asked: which releases are here whole, and what their cells add up to.

A release counts when all its parts are here. A figure is the sum of a cell's versions: what its day's release said and
what corrections added since. It is None where every version was withheld, which is not the same as nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from app.database import Database, Queries
from app.export.budget import DAY_RHO_MICRO
from app.export.vocabulary import Currency, Interest, Kind, MoneyMetric, Step
from app.reporting.span import Span

ROLE = "report_app"
BUDGET_MONTHS = 13
"""Months that the page of the budget has: a year and the month a year ago."""

_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_REGIONS = "SELECT number, last_seq, heard_at FROM reporting.region ORDER BY number"
_ARRIVED = """
SELECT region, kind::text, day, count(*), max(parts) FROM reporting.release
WHERE day >= $1 AND day < $2 AND kind <> 'correction' GROUP BY region, kind, day ORDER BY region, kind, day
"""
# A correction is of later days than its cells are, so that only the beginning bounds the releases.
_CELLS = """
WITH whole AS MATERIALIZED (
    SELECT region, kind, day FROM reporting.release WHERE day >= $1
    GROUP BY region, kind, day HAVING count(*) = max(parts)
)
SELECT {key}, c.metric::text, sum(c.value)::bigint{more}
FROM reporting.cell c
JOIN reporting.release r ON (r.region, r.seq) = (c.region, c.seq)
JOIN whole said ON (said.region, said.kind, said.day) = (r.region, r.kind, r.day)
JOIN whole first ON (first.region, first.kind, first.day)
    = (c.region, CASE c.table_name WHEN 'money' THEN 'money' ELSE 'behaviour' END::reporting.kind, c.day)
WHERE c.day >= $1 AND c.day < $2 AND {which}
GROUP BY {key}, c.metric ORDER BY {key}, c.metric
"""
_DAYS = ", count(DISTINCT c.day) FILTER (WHERE c.value IS NOT NULL)"
_MONEY = _CELLS.format(
    key="c.region, c.day, c.currency::text", which="c.table_name = 'money' AND c.category IS NULL", more=""
)
_VISITORS = _CELLS.format(key="c.region, c.day", which="c.table_name = 'visitors' AND c.audience = 'people'", more="")
_SOLD = _CELLS.format(
    key="c.region, c.currency::text, c.category",
    which="c.table_name = 'money' AND c.category IS NOT NULL",
    more=_DAYS,
)
_SEEN = _CELLS.format(key="c.region, c.{0}", which="c.table_name = '{1}'", more=_DAYS)
_CATEGORIES, _PRODUCTS = _SEEN.format("category", "categories"), _SEEN.format("product", "products")
# The first part that is here shows that the day was drawn, whatever else is missing.
_SPENT = """
SELECT region, date_trunc('month', day::timestamp)::date, count(DISTINCT day) FROM reporting.release
WHERE kind = 'behaviour' AND day >= $1 AND day < $2 GROUP BY 1, 2 ORDER BY 1, 2
"""


class Heard(NamedTuple):
    """A region that has sent something, or has asked where headquarters stands."""

    region: int
    last_seq: int
    heard_at: datetime | None


class Arrived(NamedTuple):
    """What is here of one day's release of a kind."""

    region: int
    kind: Kind
    day: date
    here: int
    parts: int


class Money(NamedTuple):
    """One figure of all orders of a day, in minor units where it is an amount; None is small."""

    region: int
    day: date
    currency: Currency
    metric: MoneyMetric
    value: int | None


class Visitors(NamedTuple):
    """How many people took a step on a day, with noise; None is small."""

    region: int
    day: date
    step: Step
    value: int | None


class Sold(NamedTuple):
    """A category's figure of all days on which it was published; None where it never was."""

    region: int
    currency: Currency
    category: int
    metric: MoneyMetric
    value: int | None
    days: int


class Seen(NamedTuple):
    """Visitor-days of a category or a product, of all days on which they were published; None where they never were."""

    region: int
    number: int
    metric: Interest
    value: int | None
    days: int


class Spent(NamedTuple):
    """On how many days of a month a region has drawn noise, as far as that is here."""

    region: int
    month: date
    days: int

    @property
    def rho_micro(self) -> int:
        """What these days cost (millionths of rho): each the same, by the rule (ADR 64)."""
        return self.days * DAY_RHO_MICRO


@dataclass(frozen=True, slots=True)
class Reading:
    """All that one page is made of, as it was at one moment."""

    span: Span
    regions: tuple[Heard, ...]
    arrived: tuple[Arrived, ...]
    money: tuple[Money, ...]
    visitors: tuple[Visitors, ...]
    sold: tuple[Sold, ...]
    categories: tuple[Seen, ...]
    products: tuple[Seen, ...]


async def read(database: Database, span: Span) -> Reading:
    """Return what is here of some days.

    Raises:
        DatabaseUnavailableError: the database did not answer.
    """
    async with database.write() as connection:
        await connection.execute(_ONE_MOMENT)
        return Reading(
            span=span,
            regions=tuple(Heard(*row) for row in await connection.fetch(_REGIONS)),
            arrived=tuple(
                Arrived(region, Kind(kind), day, here, parts)
                for region, kind, day, here, parts in await connection.fetch(_ARRIVED, span.since, span.until)
            ),
            money=await _money(connection, span),
            visitors=await _visitors(connection, span),
            sold=await _sold(connection, span),
            categories=await _seen(connection, _CATEGORIES, span),
            products=await _seen(connection, _PRODUCTS, span),
        )


async def spent(queries: Queries, last: date) -> tuple[Spent, ...]:
    """Return what each region has spent of its visitors' privacy, by month, up to the month of a day.

    Raises:
        DatabaseUnavailableError: the database did not answer.
    """
    months = last.year * 12 + last.month  # of the month after it, counted from year 0's January
    span = Span(_month(months - BUDGET_MONTHS), _month(months))
    return tuple(Spent(*row) for row in await queries.fetch(_SPENT, span.since, span.until))


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


async def _money(queries: Queries, span: Span) -> tuple[Money, ...]:
    rows = await queries.fetch(_MONEY, span.since, span.until)
    return tuple(
        Money(region, day, Currency(currency), MoneyMetric(metric), value)
        for region, day, currency, metric, value in rows
    )


async def _visitors(queries: Queries, span: Span) -> tuple[Visitors, ...]:
    rows = await queries.fetch(_VISITORS, span.since, span.until)
    return tuple(Visitors(region, day, Step(step), value) for region, day, step, value in rows)


async def _sold(queries: Queries, span: Span) -> tuple[Sold, ...]:
    rows = await queries.fetch(_SOLD, span.since, span.until)
    return tuple(Sold(row[0], Currency(row[1]), row[2], MoneyMetric(row[3]), *row[4:]) for row in rows)


async def _seen(queries: Queries, question: str, span: Span) -> tuple[Seen, ...]:
    rows = await queries.fetch(question, span.since, span.until)
    return tuple(Seen(region, number, Interest(metric), value, days) for region, number, metric, value, days in rows)
