"""The one schema of an export: five tables of numbers and words of fixed vocabularies; there is no column for a text.

A row that has another field, a word that is not in the vocabulary, or a value that its rule would have withheld cannot
be read (releases are decoded strictly), and so cannot be signed, sent or taken. Products and categories are numbers of
the catalogue; a region is a number that headquarters' configuration gives a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import msgspec

from app.export.vocabulary import (
    Audience,
    Currency,
    HourMetric,
    Interest,
    Kind,
    MoneyFlag,
    MoneyMetric,
    NoisyFlag,
    Step,
    Vocabulary,
)

MOST_ROWS = 1000
"""Rows of one release; a day that has more is several parts."""
MOST_PARTS = 1000
PUBLISHED_FROM = 50
"""Smallest noisy count that is published; the decision looks at nothing else, so it costs no privacy."""

RegionNumber = Annotated[int, msgspec.Meta(ge=1, le=99)]
Seq = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Part = Annotated[int, msgspec.Meta(ge=1, le=MOST_PARTS)]
CategoryNumber = Annotated[int, msgspec.Meta(ge=1, le=999)]
ProductNumber = Annotated[int, msgspec.Meta(ge=1, le=99_999)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=23)]
Amount = Annotated[int, msgspec.Meta(ge=1, le=10**15)]
Count = Annotated[int, msgspec.Meta(ge=PUBLISHED_FROM, le=10**9)]


class _Cell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="table"):
    """One cell of one day (UTC). Each table below adds its key columns, its metric, its value and its flag."""

    day: date


class MoneyRow(_Cell, frozen=True, kw_only=True, tag="money"):
    """Money of a category, or of all of them where there is no category; amounts in minor units."""

    currency: Currency
    category: CategoryNumber | None
    metric: MoneyMetric
    value: Amount | None
    flag: MoneyFlag

    def __post_init__(self) -> None:
        """Refuse a value that is withheld, and a row without one that is not."""
        _require_value_unless(self.flag is MoneyFlag.SMALL, self.value)


class _NoisyRow(_Cell, frozen=True, kw_only=True):
    """A count of visitors with noise."""

    value: Count | None
    flag: NoisyFlag

    def __post_init__(self) -> None:
        """Refuse a value that is withheld, and a row without one that is not."""
        _require_value_unless(self.flag is NoisyFlag.SMALL, self.value)


class VisitorsRow(_NoisyRow, frozen=True, kw_only=True, tag="visitors"):
    """How many visitors took a step that day."""

    audience: Audience
    metric: Step


class HoursRow(_NoisyRow, frozen=True, kw_only=True, tag="hours"):
    """How many visitors were there in an hour (UTC)."""

    hour: Hour
    audience: Audience
    metric: HourMetric


class CategoriesRow(_NoisyRow, frozen=True, kw_only=True, tag="categories"):
    """How many visitors did something with products of a category; people only."""

    category: CategoryNumber
    metric: Interest


class ProductsRow(_NoisyRow, frozen=True, kw_only=True, tag="products"):
    """How many visitors did something with a product; people only."""

    product: ProductNumber
    metric: Interest


Row = MoneyRow | VisitorsRow | HoursRow | CategoriesRow | ProductsRow
ROWS: tuple[type[Row], ...] = (MoneyRow, VisitorsRow, HoursRow, CategoriesRow, ProductsRow)


class Columns(NamedTuple):
    """A row as the databases have it: one table for all rows, with the key columns that a row lacks empty."""

    table_name: str
    day: date
    hour: int | None
    audience: str | None
    currency: str | None
    category: int | None
    product: int | None
    metric: str
    value: int | None
    flag: str


KEYS = len(Columns._fields) - 2
"""How many of the columns, from the first on, name a cell; the last two are its value and its flag."""


def columns_of(row: Row) -> Columns:
    """Return a row as the databases have it."""
    tag = str(type(row).__struct_config__.tag)
    others = (getattr(row, name, None) for name in Columns._fields[1:])
    return Columns(tag, *others)  # type: ignore[arg-type]  # the fields have these names


def numbered_columns(rows: Sequence[Row]) -> list[list[object]]:
    """Return the numbers of a release's rows, from 1 on, and then each of their columns, as the databases take them."""
    return [list(range(1, len(rows) + 1)), *map(list, zip(*map(columns_of, rows), strict=True))]


def order_of(row: Row) -> tuple[tuple[bool, str | int], ...]:
    """Return what sorts the rows of a release; equal for two rows of one cell only."""
    key = columns_of(row)[:KEYS]
    return tuple((each is not None, each.isoformat() if isinstance(each, date) else each or 0) for each in key)


class Release(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What leaves a region under one number and one signature.

    Attributes:
        form: of this document.
        region: whose it is.
        seq: its number; the region's releases are 1, 2, 3 and so on.
        kind: what its rows are.
        day: that its rows are of (UTC); of a correction the day on which it was made.
        part: which of the day's parts it is, from 1 on.
        parts: how many there are.
        rows: in the order of their cells, each cell once.
    """

    form: Literal[1] = 1
    region: RegionNumber
    seq: Seq
    kind: Kind
    day: date
    part: Part
    parts: Part
    rows: Annotated[tuple[Row, ...], msgspec.Meta(min_length=1, max_length=MOST_ROWS)]

    def __post_init__(self) -> None:
        """Refuse rows that are of another kind or day, that are said twice, or that are not in their order."""
        if self.part > self.parts:
            raise ValueError(f"expected a part up to {self.parts}, found {self.part}")
        order = [order_of(row) for row in self.rows]
        if any(one >= other for one, other in pairwise(order)):
            raise ValueError("expected each cell once and in its order")
        for row in self.rows:
            if not _fits(row, self.kind, self.day):
                raise ValueError(f"expected rows of {self.kind} of {self.day}, found one of {row.day}: {row.flag}")


def cut(rows: Sequence[Row]) -> tuple[tuple[Row, ...], ...]:
    """Return the rows of a day in their order, as the parts that releases have room for."""
    ordered = sorted(rows, key=order_of)
    return tuple(tuple(ordered[start : start + MOST_ROWS]) for start in range(0, len(ordered), MOST_ROWS))


def unknown_numbers(release: Release, vocabulary: Vocabulary) -> Iterator[str]:
    """Yield what a release has of categories and products that the catalogue does not have."""
    for row in release.rows:
        cell = columns_of(row)
        if cell.category is not None and cell.category not in vocabulary.categories:
            yield f"category {cell.category}"
        if cell.product is not None and cell.product not in vocabulary.products:
            yield f"product {cell.product}"


def _fits(row: Row, kind: Kind, day: date) -> bool:
    if not isinstance(row, MoneyRow):
        return kind is Kind.BEHAVIOUR and row.day == day
    if kind is Kind.MONEY:
        return row.day == day and row.flag is not MoneyFlag.DELTA
    return kind is Kind.CORRECTION and row.day < day and row.flag is not MoneyFlag.SMALL


def _require_value_unless(is_small: bool, value: int | None) -> None:  # noqa: FBT001 says what it is about
    if is_small != (value is None):
        raise ValueError("expected a value, or the flag small and none")
