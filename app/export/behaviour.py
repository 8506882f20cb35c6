"""Counts of visitors as they may leave: one fixed set of cells a day, noise on each of them, small ones withheld.

Which cells there are is said by the catalogue and never by the data, so zeros get noise as well. What is published is
decided by the noisy value alone. Both cost no privacy beyond the noise's own (post-processing).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import product as pairs
from typing import NamedTuple

from app.errors import ShopError
from app.export.budget import DAY_RHO_MICRO, MICRO
from app.export.noise import Sampler
from app.export.schema import PUBLISHED_FROM, CategoriesRow, HoursRow, ProductsRow, Row, VisitorsRow
from app.export.vocabulary import Audience, HourMetric, Interest, NoisyFlag, Step, Vocabulary

MOST_KNOWN = 1 << 18
"""Cells of a table that are kept to be used again, so that a day's visitors share them."""
_ROUNDED = 1e-9
"""How far above the claim a sampler's own figure may be by rounding."""


class Cell(NamedTuple):
    """A cell of a day: its table, its keys and its metric."""

    table: type[VisitorsRow | HoursRow | CategoriesRow | ProductsRow]
    keys: tuple[tuple[str, object], ...]

    def row(self, day: date, noisy: int) -> Row:
        """Return what is said of the cell."""
        is_shown = noisy >= PUBLISHED_FROM
        value, flag = (noisy, NoisyFlag.NOISY) if is_shown else (None, NoisyFlag.SMALL)
        return self.table(day=day, value=value, flag=flag, **dict(self.keys))  # type: ignore[arg-type]  # its own keys


@lru_cache(MOST_KNOWN)
def visitors_cell(audience: Audience, step: Step) -> Cell:
    """Return the cell of the visitors who took a step that day."""
    return Cell(VisitorsRow, (("audience", audience), ("metric", step)))


@lru_cache(MOST_KNOWN)
def hour_cell(hour: int, audience: Audience) -> Cell:
    """Return the cell of the visitors of an hour."""
    return Cell(HoursRow, (("hour", hour), ("audience", audience), ("metric", HourMetric.VISIT)))


@lru_cache(MOST_KNOWN)
def category_cell(category: int, interest: Interest) -> Cell:
    """Return the cell of the people who did something with a category's products."""
    return Cell(CategoriesRow, (("category", category), ("metric", interest)))


@lru_cache(MOST_KNOWN)
def product_cell(product: int, interest: Interest) -> Cell:
    """Return the cell of the people who did something with a product."""
    return Cell(ProductsRow, (("product", product), ("metric", interest)))


def cells_of(vocabulary: Vocabulary) -> Iterator[Cell]:
    """Yield every cell of a day."""
    yield from (visitors_cell(*each) for each in pairs(Audience, Step))
    yield from (hour_cell(*each) for each in pairs(range(24), Audience))
    yield from (category_cell(*each) for each in pairs(sorted(vocabulary.categories), Interest))
    yield from (product_cell(*each) for each in pairs(sorted(vocabulary.products), Interest))


def drawn(day: date, counts: Mapping[Cell, int], cells: Sequence[Cell], sampler: Sampler) -> list[Row]:
    """Return what is said of a day: to be stored before anybody sees it, and never drawn a second time.

    Args:
        day: of the counts (UTC).
        counts: visitors by cell, bounded as `Contributions` does; a cell that is not among them has none.
        cells: all cells of a day, each once.
        sampler: makes the noise.

    Raises:
        ShopError: there are counts of other cells, or the noise is less than what the ledger books.
    """
    unknown = counts.keys() - set(cells)
    if unknown:
        found = ", ".join(sorted(f"{cell.table.__name__} {dict(cell.keys)}" for cell in unknown)[:3])
        raise ShopError.build(
            "there are counts of cells that a day does not have",
            expected="cells of the catalogue of this release of the shop",
            found=found,
            action="export with the release of the shop that counted, or a later one",
        )
    if sampler.rho() > DAY_RHO_MICRO / MICRO + _ROUNDED:
        raise ShopError.build(
            "the noise is less than what the privacy ledger books for a day",
            expected=f"rho of {DAY_RHO_MICRO / MICRO} or less",
            found=str(sampler.rho()),
            action="look at the scale of the noise and at the bound of a visitor's contributions",
        )
    noisy = sampler.noisy([counts.get(cell, 0) for cell in cells])
    return [cell.row(day, value) for cell, value in zip(cells, noisy, strict=True)]
