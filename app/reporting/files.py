"""The same figures as files (CSV), one row for each figure: what is withheld or not here is said in words.

There is nobody in them: a row holds days, names from the configuration and the catalogue, and numbers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException

from app.database import Database
from app.export.budget import MICRO, epsilon
from app.export.vocabulary import Kind, MoneyMetric, Step
from app.reporting import words
from app.reporting.charts import Gap
from app.reporting.figures import RegionFigures, Value, figures_of, name_of
from app.reporting.reading import Reading, Spent, read, spent
from app.reporting.span import Span, span_of
from app.web.requests import Request

Line = tuple[object, ...]
Lines = Iterator[Line]


def _said(value: Value) -> tuple[object, str]:
    """Return the columns `value` and `state` of a figure."""
    return ("", str(value)) if isinstance(value, Gap) else (value, "published")


def _withheld(value: int | None) -> tuple[object, str]:
    return _said(Gap.SMALL if value is None else value)


def _money(regions: Iterable[RegionFigures], _: Reading) -> Lines:
    yield "region", "day", "currency", "metric", "minor_units_or_orders", "state"
    for region in regions:
        for day in region.days:
            gap = day.gap(Kind.MONEY)
            if gap is not None:
                yield region.name, day.day, "", "", *_said(gap)
                continue
            for currency in region.currencies:
                for metric in MoneyMetric:
                    yield region.name, day.day, currency, metric, *_said(day.amount(currency, metric))


def _visitors(regions: Iterable[RegionFigures], _: Reading) -> Lines:
    yield "region", "day", "step", "visitors", "state"
    for region in regions:
        for day in region.days:
            gap = day.gap(Kind.BEHAVIOUR)
            if gap is not None:
                yield region.name, day.day, "", *_said(gap)
                continue
            for step in Step:
                yield region.name, day.day, step, *_said(day.people(step))


def _conversion(regions: Iterable[RegionFigures], _: Reading) -> Lines:
    yield "region", "day", "orders", "visitors", "percent", "state"
    for region in regions:
        for day in region.days:
            rate, percent = day.conversion, day.percent
            if isinstance(percent, Gap):
                yield region.name, day.day, "", "", *_said(percent)
            else:
                yield region.name, day.day, rate.orders, rate.visitors, f"{percent:.4f}", "published"


def _sold(regions: Iterable[RegionFigures], reading: Reading) -> Lines:
    names = {region.number: region.name for region in regions}
    yield "region", "currency", "category", "name", "metric", "minor_units_or_orders", "state", "days"
    for each in reading.sold:
        title = words.category_name(each.category)
        yield (
            *(names[each.region], each.currency, each.category, title, each.metric),
            *_withheld(each.value),
            each.days,
        )


def _categories(regions: Iterable[RegionFigures], reading: Reading) -> Lines:
    names = {region.number: region.name for region in regions}
    yield "region", "category", "name", "metric", "visitor_days", "state", "days"
    for each in reading.categories:
        title = words.category_name(each.number)
        yield names[each.region], each.number, title, each.metric, *_withheld(each.value), each.days


def _products(regions: Iterable[RegionFigures], reading: Reading) -> Lines:
    names = {region.number: region.name for region in regions}
    yield "region", "product", "name", "metric", "visitor_days", "state", "days"
    for each in reading.products:
        title = words.product_name(each.number)
        yield names[each.region], each.number, title, each.metric, *_withheld(each.value), each.days


def _completeness(regions: Iterable[RegionFigures], _: Reading) -> Lines:
    yield "region", "day", "kind", "parts_here", "parts", "state", "last_heard"
    for region in regions:
        heard = "" if region.heard_at is None else region.heard_at.isoformat(timespec="seconds")
        for day in region.days:
            for kind in words.KINDS:
                found = day.arrived.get(kind)
                here, parts = (found.here, found.parts) if found else (0, "")
                yield region.name, day.day, kind, here, parts, day.gap(kind) or "whole", heard


def _budget(found: Iterable[Spent], names: Mapping[int, str]) -> Lines:
    yield "region", "month", "days", "rho", "epsilon"
    for each in found:
        rho, told = each.rho_micro / MICRO, epsilon(each.rho_micro)
        yield name_of(each.region, names), f"{each.month:%Y-%m}", each.days, f"{rho:.2f}", f"{told:.4f}"


TABLES: Mapping[str, Callable[[Iterable[RegionFigures], Reading], Lines]] = {
    "money": _money,
    "visitors": _visitors,
    "conversion": _conversion,
    "category-sales": _sold,
    "category-visitors": _categories,
    "product-visitors": _products,
    "completeness": _completeness,
}
BUDGET = "budget"
NAMES = (*TABLES, BUDGET)
"""Every file, by its name without the ending."""


def file_routes(database: Database, names: Mapping[int, str]) -> list[Any]:
    """Return the route of the files.

    Args:
        database: headquarters'.
        names: of regions by their numbers.
    """

    @get("/download/{name:str}")
    async def download(request: Request, name: str) -> Response[str]:
        table, _, ending = name.partition(".")
        if ending != "csv" or table not in NAMES:
            raise NotFoundException
        span = span_of(request.query_params)
        if table == BUDGET:
            return _file(table, span, _budget(await spent(database, span.last), names))
        reading = await read(database, span)
        return _file(table, span, TABLES[table](figures_of(reading, names), reading))

    return [download]


def _file(table: str, span: Span, lines: Lines) -> Response[str]:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    saved_as = f"{table}-{span.since}-{span.last}.csv"
    headers = {"content-disposition": f'attachment; filename="{saved_as}"'}
    return Response(text.getvalue(), media_type="text/csv", headers=headers)
