"""Figures as people read them, and names of what headquarters knows by number only."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from app.catalogue.seed.products import categories, products
from app.export.vocabulary import CATEGORY_NUMBERS, Currency, Kind, MoneyMetric, Step
from app.reporting.charts import Gap
from app.reporting.figures import Day, Value

GAPS = {Gap.SMALL: "small", Gap.INCOMPLETE: "incomplete", Gap.MISSING: "not here", Gap.UNSAID: "\N{EN DASH}"}
STEPS = {
    Step.VISIT: "Visited",
    Step.SEARCH: "Searched",
    Step.LIST: "Looked at a category",
    Step.VIEW: "Looked at a product",
    Step.ADD: "Put into the cart",
    Step.REMOVE: "Took out of the cart",
    Step.CHECKOUT: "Went to the checkout",
    Step.BUY: "Bought",
}
KINDS = {Kind.MONEY: "money", Kind.BEHAVIOUR: "visitors"}
WITHOUT_MINOR = frozenset({Currency.JPY, Currency.KRW})
"""Currencies whose smallest unit is the whole one; all others of the vocabulary have hundredths (ISO 4217)."""


def major(minor: int, currency: Currency) -> float:
    """Return an amount in whole units."""
    return float(minor) if currency in WITHOUT_MINOR else minor / 100


def amount(value: Value, currency: Currency) -> str:
    """Return an amount without its currency, such as `8,140.00`, or why there is none."""
    if isinstance(value, Gap):
        return GAPS[value]
    return f"{value:,}" if currency in WITHOUT_MINOR else f"{value // 100:,}.{value % 100:02}"


def figure(value: Value, currency: Currency, metric: MoneyMetric) -> str:
    """Return a figure of money: an amount, or a number of orders."""
    return count(value) if metric is MoneyMetric.ORDERS else amount(value, currency)


def count(value: Value) -> str:
    """Return a count, or why there is none."""
    return GAPS[value] if isinstance(value, Gap) else f"{value:,}"


def percent(value: float | Gap) -> str:
    """Return a rate with two digits after the point, or why there is none."""
    return GAPS[value] if isinstance(value, Gap) else f"{value:.2f} %"


def moment(at: datetime | None) -> str:
    """Return a point in time to the minute."""
    return "never" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"


def arrived(day: Day, kind: Kind) -> str:
    """Return what is here of a kind, such as `1 of 2 parts`."""
    found = day.arrived.get(kind)
    if found is None:
        return GAPS[Gap.MISSING]
    return "whole" if found.here == found.parts else f"{found.here} of {found.parts} parts"


@cache
def category_name(number: int) -> str:
    """Return a category's title; one that this catalogue does not have is told by its number."""
    titles = {CATEGORY_NUMBERS[each.slug]: each.title for each in categories()}
    return titles.get(number, f"category {number}")


def product_name(number: int) -> str:
    """Return a product's name; one that this catalogue does not have is told by its number."""
    known = products()
    return known[number - 1].name if 1 <= number <= len(known) else f"product {number}"
