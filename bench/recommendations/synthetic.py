"""A million sessions of a shop with 100,000 products: some products are looked at by everybody, most by few.

A session stays on one shelf of 100 products for four looks of five, and goes anywhere for the fifth; shelves and the
products of a shelf are as popular as their place says (Zipf).
"""

import numpy as np
from numpy.typing import NDArray

from app.recommendations.clicks import Clicks

SHELVES, ON_SHELF = 1000, 100
PRODUCTS = SHELVES * ON_SHELF
DAYS = 30
AWAY = 0.2
LONGER = 0.217
"""Chance that a session ends after a look beyond the second: 5.6 looks in the mean."""


def by_place(random: np.random.Generator, places: int, count: int) -> NDArray[np.int64]:
    """Places from 0, the first ones most often."""
    weights = np.cumsum(1 / np.arange(1, places + 1))
    return np.minimum(np.searchsorted(weights / weights[-1], random.random(count)), places - 1)


def looks(random: np.random.Generator, sessions: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The session and the product of each look; a session's looks stand in their order."""
    lengths = np.minimum(1 + random.geometric(LONGER, sessions), 40)
    session = np.repeat(np.arange(sessions), lengths)
    count = len(session)
    shelf = by_place(random, SHELVES, sessions)[session]
    away = random.random(count) < AWAY
    shelf[away] = by_place(random, SHELVES, int(away.sum()))
    return session, (shelf * ON_SHELF + by_place(random, ON_SHELF, count) + 1).astype(np.int32)


def clicks(sessions: int, now: int, seed: int) -> Clicks:
    random = np.random.default_rng(seed)
    session, products = looks(random, sessions)
    keys = random.integers(0, 2**64, sessions, dtype=np.uint64)[session]
    begun = now - random.integers(0, DAYS * 86_400 - 3600, sessions)
    return Clicks(keys, products, (begun[session] - random.integers(0, 600, len(session))).astype(np.int64))


def visits(count: int, seed: int) -> list[tuple[int, ...]]:
    """What visitors have looked at when a page asks: 1 to 8 products."""
    session, products = looks(np.random.default_rng([seed, 1]), count)
    ends = np.searchsorted(session, np.arange(count), side="right")
    starts = np.searchsorted(session, np.arange(count))
    return [tuple(dict.fromkeys(products[start:end].tolist()[-8:])) for start, end in zip(starts, ends, strict=True)]
