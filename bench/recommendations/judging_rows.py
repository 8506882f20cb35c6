"""How good answers are: where the product that came next stands among the first 20.

Two ways of asking. As Serenade's evaluator asks, only the latest product is kept out of an answer, and a visitor who
goes back to an earlier one counts as a hit. As the shop asks, none of the visitor's products is in the answer, so that
such a visitor is a miss always.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from serenade import Asked, Fold, remembered

from app.recommendations.availability import Availability
from app.recommendations.bounds import LARGEST_NUMBER
from app.recommendations.building import MOST_DAYS, Limits, build
from app.recommendations.index import SessionIndex
from app.recommendations.neighbours import Scored, Weighting, best, neighbours, scored

DEPTH = 20
EVALUATED = Limits(days=MOST_DAYS, postings=1_500)
"""All days of the file: how long clicks are kept is no question of quality here."""
EVERYTHING = Availability(range(1, LARGEST_NUMBER + 1))
Answers = Callable[[Asked], tuple[int, ...]]


@dataclass(frozen=True)
class Quality:
    """MRR@20 with its standard error, HR@20, and of how many predictions."""

    mrr: float
    error: float
    hits: float
    predictions: int


def of_fold(fold: Fold) -> SessionIndex:
    return build(fold.clicks, fold.now, EVALUATED)


def as_serenade(index: SessionIndex, weighting: Weighting) -> Answers:
    def answer(asked: Asked) -> tuple[int, ...]:
        viewed = remembered(asked.viewed)
        found = scored(index, viewed, weighting)
        other = found.products != viewed[-1]
        return best(Scored(found.products[other], found.scores[other]), DEPTH)

    return answer


def as_the_shop(index: SessionIndex, weighting: Weighting) -> Answers:
    return lambda asked: neighbours(index, remembered(asked.viewed), EVERYTHING, DEPTH, weighting)


def going_on(asked: Sequence[Asked]) -> list[Asked]:
    """Of visitors who go on to a product that they have not just looked at: the others are no question of the shop."""
    return [each for each in asked if each.next not in remembered(each.viewed)]


def ranks(answer: Answers, asked: Sequence[Asked]) -> list[float]:
    """1 for a hit in the first place, 1/2 in the second, 0 for none in the first 20."""
    return [rank_of(each.next, answer(each)) for each in asked]


def rank_of(product: int, answer: tuple[int, ...]) -> float:
    return 1 / (answer.index(product) + 1) if product in answer[:DEPTH] else 0.0


def quality(reciprocal: Sequence[float]) -> Quality:
    error = stdev(reciprocal) / len(reciprocal) ** 0.5
    hits = sum(rank > 0 for rank in reciprocal) / len(reciprocal)
    return Quality(round(fmean(reciprocal), 4), round(error, 4), round(hits, 4), len(reciprocal))
