"""Products of the sessions that are most like a visitor's: VMIS-kNN with decays by position and age.

The products that a visitor looked at last find the newest sessions with them. The sessions that share most, and are
newest and shortest, are the neighbours; what else was looked at in them is scored by how alike they are and how rare
the product is. Kersbergen, Sprangers, Schelter: Serenade, SIGMOD 2022; without the weights by age and length.

Sessions and products that score the same are in one order always: the newer session, the smaller product number. Scores
are the same when they differ by less than a part in `STEPS` of the best one, so that the order of adding decides
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.recommendations.availability import Availability
from app.recommendations.bounds import DAY_SECONDS, LARGEST_NUMBER, MOST_IN_SESSION, MOST_VIEWED, refuse_outside
from app.recommendations.index import Rows, SessionIndex, ranges

STEPS = 2.0**40
PLACE_BITS = 22
"""Room for the place of a session among those found, and of a product among those scored."""
PLACES = 2**PLACE_BITS
MOST_HALF_LIVES = 60.0
"""Sessions that are older than the newest one found by this many half-lives are all equally old."""

Places = NDArray[np.int64]
Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Weighting:
    """What makes sessions alike and products worth showing; `bench/recommendations tune` found the figures.

    A ValueError refuses figures that leave no score above 0, or more sessions than there is room for.

    All but two: from 80 sessions of a product on, more make no answer better there. In a busy shop 80 are those of a
    few minutes, so that `newest` and `neighbours` are higher than what was found.

    Attributes:
        last: of the visitor's products, the latest this many are looked at; at most MOST_VIEWED.
        newest: sessions that each of them finds.
        neighbours: sessions whose products are scored.
        position_decay: what a product of the visitor counts for, for each later one (0.01 to 1).
        match_decay: what a session counts for, for each later product of the visitor that it lacks (0.01 to 1).
        half_life_days: after which a session counts for half.
        length_power: a session of n products counts for n to the power of minus this.
        rarity_power: a product counts for its rarity to the power of this.
        least_sessions: neighbours that have to have a product. With 1, a page can show what a single visit had in it.
    """

    last: int = 3
    newest: int = 500
    neighbours: int = 200
    position_decay: float = 0.9
    match_decay: float = 0.92
    half_life_days: float = 87.0
    length_power: float = 0.34
    rarity_power: float = 2.9
    least_sessions: int = 1

    def __post_init__(self) -> None:
        """Refuse figures that no answer can be calculated with."""
        refuse_outside("last", self.last, 1, MOST_VIEWED)
        refuse_outside("newest", self.newest, 1, PLACES // MOST_VIEWED)
        refuse_outside("neighbours", self.neighbours, 1, PLACES // MOST_IN_SESSION)
        refuse_outside("position_decay", self.position_decay, 0.01, 1)
        refuse_outside("match_decay", self.match_decay, 0.01, 1)
        refuse_outside("half_life_days", self.half_life_days, 1e-6, 1e15)
        refuse_outside("length_power", self.length_power, 0, 10)
        refuse_outside("rarity_power", self.rarity_power, 0, 10)
        refuse_outside("least_sessions", self.least_sessions, 1, PLACES)


TUNED = Weighting()


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Products with their scores, in the order of their numbers."""

    products: Rows
    scores: Weights


def neighbours(
    index: SessionIndex, viewed: Sequence[int], availability: Availability, count: int, weighting: Weighting = TUNED
) -> tuple[int, ...]:
    """Return the numbers of at most `count` products that go with what a visitor has looked at, the best one first.

    Args:
        index: of sessions.
        viewed: numbers of the visitor's products, the latest one last; none of them is returned.
        availability: what may be shown; what may not is replaced by what comes next.
        count: of products.
        weighting: what makes sessions alike.
    """
    found = scored(index, viewed, weighting)
    allowed = availability.of(found.products)
    for product in viewed:
        allowed &= found.products != product
    return best(Scored(found.products[allowed], found.scores[allowed]), count)


def scored(index: SessionIndex, viewed: Sequence[int], weighting: Weighting = TUNED) -> Scored:
    """Return the products of enough neighbours with scores, also the visitor's own and those not to be shown."""
    known = (product for product in reversed(viewed) if 1 <= product <= LARGEST_NUMBER)
    latest = np.array(list(dict.fromkeys(known))[: min(weighting.last, MOST_VIEWED)], np.int32)
    sessions, alike, matched = _alike(index, latest, weighting)
    if not len(sessions):
        return Scored(index.products[:0], np.zeros(0))
    chosen = _largest(alike, min(weighting.neighbours, len(alike)))
    chosen.sort()
    sessions, weights = sessions[chosen], alike[chosen] * _powers(weighting.match_decay)[matched[chosen]]
    starts = index.session_starts[sessions]
    lengths = index.session_starts[sessions + 1] - starts
    rows = index.session_products[ranges(starts, lengths)]
    order, begins = _grouped(rows)
    scores = np.add.reduceat(np.repeat(weights, lengths)[order], begins)
    enough = np.diff(begins, append=len(rows)) >= weighting.least_sessions
    rows = rows[order[begins]][enough]
    return Scored(index.products[rows], scores[enough] * index.rarity[rows] ** weighting.rarity_power)


def best(found: Scored, count: int) -> tuple[int, ...]:
    """Return the numbers of the products with the highest scores, the best one first."""
    count = min(count, len(found.scores))
    if count < 1:
        return ()
    chosen = _largest(found.scores[::-1], count)  # of equal ones the last, so that is the smallest number
    return tuple(found.products[::-1][chosen[::-1]].tolist())


def _alike(index: SessionIndex, latest: Rows, weighting: Weighting) -> tuple[Rows, Weights, Places]:
    """Return sessions with any of some products, how alike each one is, and the place of the first that it has."""
    found, places = [], []
    for place, (product, row) in enumerate(zip(latest, index.products.searchsorted(latest), strict=True)):
        if row < len(index.products) and index.products[row] == product:
            start, end = index.posting_starts[row], index.posting_starts[row + 1]
            found.append(index.postings[max(start, end - weighting.newest) : end])
            places.append(place)
    if not found:
        return index.ages[:0], np.zeros(0), np.zeros(0, np.int64)
    sessions = np.concatenate(found)
    matched = np.repeat(np.array(places), [len(each) for each in found])
    order, begins = _grouped(sessions)
    alike = np.add.reduceat(_powers(weighting.position_decay)[matched[order]], begins)
    first = order[begins]  # the sort is stable: of a session's places this is the latest product's
    sessions = sessions[first]
    ages = index.ages[sessions]
    half_lives = np.minimum((ages - ages[-1]) / (weighting.half_life_days * DAY_SECONDS), MOST_HALF_LIVES)
    lengths = index.session_starts[sessions + 1] - index.session_starts[sessions]
    by_length = np.arange(1.0, lengths.max() + 1.0) ** -weighting.length_power
    return sessions, alike * np.exp2(-half_lives) * by_length[lengths - 1], matched[first]


def _powers(decay: float) -> Weights:
    """Return what is left after 0, 1, 2 and more steps: powers of a few numbers, and not of each session."""
    return np.asarray(decay ** np.arange(float(MOST_VIEWED)))


def _grouped(values: Rows) -> tuple[Places, Places]:
    """Return the places of values in ascending order, equal ones in theirs, and where in it each value begins."""
    packed = (values.astype(np.int64) << PLACE_BITS) | np.arange(len(values))
    packed.sort()
    ordered = packed >> PLACE_BITS
    begins = np.concatenate(([0], np.flatnonzero(ordered[1:] != ordered[:-1]) + 1))
    return packed & (PLACES - 1), begins


def _largest(values: Weights, count: int) -> Places:
    """Return the places of the largest values (above 0), ascending by value; of equal ones those further behind."""
    steps = np.rint(values * (STEPS / values.max())).astype(np.int64)
    keys = (steps << PLACE_BITS) | np.arange(len(values))
    chosen = keys if count == len(keys) else np.partition(keys, len(keys) - count)[len(keys) - count :]
    chosen.sort()
    return np.asarray(chosen & (PLACES - 1))
