"""All that the recommender knows at a moment, and what it answers from it; no connection, no clock of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.recommendations.availability import Availability
from app.recommendations.because import Recommendation
from app.recommendations.fallbacks import Popularity, ranked
from app.recommendations.index import IndexInUse, SessionIndex
from app.recommendations.question import Question
from app.recommendations.row import row_for

TREND_SECONDS = 86_400
"""Sessions of so long ago tell what many look at now."""
MOST_CATEGORIES = 3
"""Of a visitor's products, the latest ones' categories that fill a row."""
NOBODY: Mapping[int, int] = {}


class Knowledge:
    """What questions are answered from. Each part is replaced whole, in one step, so that no answer is of two of them.

    Attributes:
        used: the index of sessions.
        availability: what may be shown; nothing before it is known.
    """

    def __init__(self) -> None:
        self.used = IndexInUse()
        self.availability = Availability(())
        self._looked_at = self._bought = NOBODY
        self._categories: Mapping[int, str] = {}
        self._popular: Mapping[str, Popularity] = {}
        self._everywhere = Popularity()

    def take_index(self, index: SessionIndex, looked_at: Mapping[int, int]) -> None:
        """Answer from another index from now on; `looked_at` is what `lately` says of it."""
        self.used.swap(index)
        self._looked_at = looked_at
        self._rank()

    def take_catalogue(self, categories: Mapping[int, str], bought: Mapping[int, int]) -> None:
        """Fill rows from these categories and customers by product from now on."""
        self._categories, self._bought = categories, bought
        self._rank()

    def row(self, question: Question) -> tuple[Recommendation, ...]:
        """Return the row that answers a question, the best product first."""
        viewed = question.viewed
        if (product := question.product) is not None:
            viewed = (*(each for each in viewed if each != product), product)
        nearest = self._nearest(viewed if product is None else (product,))
        return row_for(self.used.index, viewed, self.availability, nearest, question.count)

    def _nearest(self, products: Sequence[int]) -> list[Popularity]:
        """Return the categories of some products, the latest one's first; where nothing is known, the whole shop's."""
        named = dict.fromkeys(self._categories[each] for each in reversed(products) if each in self._categories)
        found = [self._popular[each] for each in list(named)[:MOST_CATEGORIES] if each in self._popular]
        return found or [self._everywhere]

    def _rank(self) -> None:
        looked_at, bought = self._by_category(self._looked_at), self._by_category(self._bought)
        self._popular = {
            name: Popularity(ranked(looked_at.get(name, NOBODY)), ranked(bought.get(name, NOBODY)))
            for name in looked_at.keys() | bought.keys()
        }
        self._everywhere = Popularity(ranked(self._looked_at), ranked(self._bought))

    def _by_category(self, people: Mapping[int, int]) -> dict[str, dict[int, int]]:
        found: dict[str, dict[int, int]] = {}
        for product, count in people.items():
            if (name := self._categories.get(product)) is not None:
                found.setdefault(name, {})[product] = count
        return found


def lately(index: SessionIndex, now: float) -> Mapping[int, int]:
    """Return in how many sessions of the last TREND_SECONDS each product was looked at; `now` in s since 1970."""
    oldest = TREND_SECONDS - max(now - index.newest, 0)
    recent = int(np.count_nonzero(index.ages <= oldest))
    if not recent:
        return NOBODY
    rows = index.session_products[index.session_starts[index.sessions - recent] :]
    counts = np.bincount(rows, minlength=len(index.products))
    seen = np.flatnonzero(counts)
    return dict(zip(index.products[seen].tolist(), counts[seen].tolist(), strict=True))
