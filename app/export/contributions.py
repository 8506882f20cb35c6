"""Counts of visitors to which one visitor adds little: at most 1 to a cell, to the first 10 cells of a day.

The bound is what the noise is made for: without it one busy visitor would be seen through the noise. It holds only
where all that a visitor did on a day comes to one place, in its order; so events are divided by visitor before they are
counted, and ids of visitors are of one day (UTC) and of nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.export.behaviour import Cell, category_cell, hour_cell, product_cell, visitors_cell
from app.export.noise import VISITOR_CELLS
from app.export.vocabulary import Audience, Interest, Step

_INTERESTS = {Step.VIEW: Interest.VIEW, Step.ADD: Interest.ADD, Step.BUY: Interest.BUY}


@dataclass(frozen=True, slots=True)
class Event:
    """What a visitor did.

    Attributes:
        hour: of the day (UTC).
        audience: as which the visitor is classed.
        step: what was done; every event is a visit beside.
        category: number of the product's category; None without a product.
        product: its number.
    """

    hour: int
    audience: Audience
    step: Step
    category: int | None = None
    product: int | None = None


def touched(event: Event) -> Iterator[Cell]:
    """Yield the cells that an event touches, those first that are to be kept when there is no room for all."""
    yield visitors_cell(event.audience, Step.VISIT)
    if event.step is not Step.VISIT:
        yield visitors_cell(event.audience, event.step)
    interest = _INTERESTS.get(event.step)
    if interest is not None and event.audience is Audience.PEOPLE:
        if event.category is not None:
            yield category_cell(event.category, interest)
        if event.product is not None:
            yield product_cell(event.product, interest)
    yield hour_cell(event.hour, event.audience)


class Contributions:
    """Counts of one day; a visitor takes about 300 bytes of memory.

    Args:
        kept: the cells that each visitor has added to before, if this goes on where another one has ended.

    Attributes:
        counts: how many visitors each cell has.
    """

    def __init__(self, kept: Mapping[bytes, Iterable[Cell]] | None = None) -> None:
        self._kept = {visitor: tuple(cells) for visitor, cells in (kept or {}).items()}
        self.counts = Counter(cell for cells in self._kept.values() for cell in cells)

    def add(self, visitor: bytes, event: Event) -> list[Cell]:
        """Count an event and return the cells that it adds 1 to."""
        kept = self._kept.get(visitor, ())
        if len(kept) == VISITOR_CELLS:
            return []
        new = [cell for cell in touched(event) if cell not in kept][: VISITOR_CELLS - len(kept)]
        if new:
            self._kept[visitor] = (*kept, *new)
            self.counts.update(new)
        return new
