"""A row of recommendations: the neighbours' products, filled up from categories. What the service answers."""

from __future__ import annotations

from collections.abc import Sequence

from app.recommendations.availability import Availability
from app.recommendations.because import Because, Recommendation
from app.recommendations.bounds import MOST_ASKED, MOST_VIEWED
from app.recommendations.fallbacks import Popularity, filled
from app.recommendations.index import SessionIndex
from app.recommendations.neighbours import TUNED, Weighting, neighbours


def row_for(
    index: SessionIndex,
    viewed: Sequence[int],
    availability: Availability,
    categories: Sequence[Popularity],
    count: int,
    weighting: Weighting = TUNED,
) -> tuple[Recommendation, ...]:
    """Return at most `count` recommendations, the best one first; none is of `viewed`, none is sold out or hidden.

    Args:
        index: of sessions.
        viewed: numbers of the visitor's products, the latest one last; of more than MOST_VIEWED the latest ones.
        availability: what may be shown.
        categories: to fill up from, the nearest one first.
        count: of products; more than MOST_ASKED are never returned.
        weighting: what makes sessions alike.
    """
    count, viewed = min(count, MOST_ASKED), viewed[-MOST_VIEWED:]
    together = neighbours(index, viewed, availability, count, weighting)
    row = [Recommendation(product, Because.SEEN_TOGETHER) for product in together]
    return filled(row, count, categories, availability.shows, viewed)
