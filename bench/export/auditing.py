"""What an attacker learns from many draws: a lower bound of epsilon that holds with a stated probability.

The attacker knows everybody but one visitor, and how often each noisy count comes out with that visitor and without.
The best statistic against Gaussian noise is the sum over the visitor's cells; the best test of it is a threshold, which
is chosen on one half of the draws and judged on the other. Probabilities are bounded by Chernoff's inequality (relative
entropy), which holds for every number of draws. A bound below the claim proves nothing by itself; one above disproves.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import fmean, pvariance

from app.export.behaviour import Cell, drawn, product_cell
from app.export.noise import VISITOR_CELLS, Sampler
from app.export.schema import PUBLISHED_FROM
from app.export.vocabulary import Interest

DAY = date(2026, 11, 2)
BLOCKS = 1000
"""Draws that one call makes: each of them has cells of its own, and noise is independent anyway."""
THRESHOLDS = 200


def block(number: int, cells: int) -> list[Cell]:
    """Return the cells of one draw."""
    return [product_cell(1 + number * cells + each, Interest.VIEW) for each in range(cells)]


def published_sums(draws: int, sampler: Sampler, base: int, added: int, cells: int = VISITOR_CELLS) -> list[int]:
    """Return of each draw the sum of what is published, as headquarters sees it; a small cell counts as 49.

    Args:
        draws: how many.
        sampler: makes the noise.
        base: visitors in each cell but the one.
        added: what the one adds to each cell: 1 where the visitor was there, else 0.
        cells: of one draw.
    """
    sums: list[int] = []
    while len(sums) < draws:
        blocks = [block(number, cells) for number in range(min(BLOCKS, draws - len(sums)))]
        every = [cell for some in blocks for cell in some]
        rows = drawn(DAY, dict.fromkeys(every, base + added), every, sampler)
        values = [PUBLISHED_FROM - 1 if row.value is None else row.value for row in rows]
        sums += [sum(values[start : start + cells]) for start in range(0, len(values), cells)]
    return sums


def at_most(hits: int, draws: int, alpha: float) -> float:
    """Return the largest probability that is consistent with so many hits, but for a chance of `alpha`."""
    return _bound(hits / draws, 1.0, math.log(1 / alpha) / draws)


def at_least(hits: int, draws: int, alpha: float) -> float:
    """Return the smallest probability that is consistent with so many hits, but for a chance of `alpha`."""
    return _bound(hits / draws, 0.0, math.log(1 / alpha) / draws)


def _bound(seen: float, end: float, allowed: float) -> float:
    near, far = seen, end
    for _ in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if _entropy(seen, middle) <= allowed else (near, middle)
    return far


def _entropy(seen: float, true: float) -> float:
    if true <= 0 or true >= 1:
        return 0.0 if seen == true else math.inf
    parts = ((seen, true), (1 - seen, 1 - true))
    return sum(one * math.log(one / other) for one, other in parts if one > 0)


def epsilon_at_least(without: Sequence[int], present: Sequence[int], delta: float, alpha: float = 1e-9) -> float:
    """Return what epsilon is at least, by sums of draws without the visitor and with; wrong with chance 4 `alpha`."""
    half = min(len(without), len(present)) // 2
    low, high = sorted(without[:half]), sorted(present[:half])
    thresholds = sorted({low[place * (half - 1) // THRESHOLDS] for place in range(THRESHOLDS + 1)})
    best = max(thresholds, key=lambda each: max(_both(low, high, each, delta, alpha)))
    low, high = sorted(without[half : 2 * half]), sorted(present[half : 2 * half])
    return max(0.0, *_both(low, high, best, delta, alpha))


def _both(without: Sequence[int], present: Sequence[int], threshold: int, delta: float, alpha: float) -> list[float]:
    """Return the bounds by `more than the threshold` and by `no more than it`; both lists are sorted."""
    draws = len(without)
    low, high = bisect_right(without, threshold), bisect_right(present, threshold)
    pairs = ((draws - high, draws - low), (low, high))
    return [_ratio(likely, unlikely, draws, delta, alpha) for likely, unlikely in pairs]


def _ratio(likely: int, unlikely: int, draws: int, delta: float, alpha: float) -> float:
    above = at_least(likely, draws, alpha) - delta
    return math.log(above / at_most(unlikely, draws, alpha)) if above > 0 else -math.inf


@dataclass(frozen=True)
class Shift:
    """How far one visitor moves the sums, in standard deviations of the noise, and the standard error of that.

    By Gaussian noise of rho it is sqrt(2 rho): .316 for rho = .05.
    """

    mu: float
    error: float


def shift(without: Sequence[int], present: Sequence[int]) -> Shift:
    """Return how far the visitor moves the sums."""
    spread = math.sqrt((pvariance(without) + pvariance(present)) / 2)
    return Shift((fmean(present) - fmean(without)) / spread, math.sqrt(2 / min(len(without), len(present))))
