"""Builds an index of sessions: the newest ones, as many as there is room for.

What is said of a session by one click (another product is needed to say what goes together) or by more products than a
person looks at is left out. Nearly all of it is sorting, which lets other threads run meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.recommendations.bounds import DAY_SECONDS, LARGEST_NUMBER, MOST_IN_SESSION, refuse_outside
from app.recommendations.clicks import Clicks
from app.recommendations.index import Rows, SessionIndex, empty_index, ranges

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
PRODUCT_BITS = LARGEST_NUMBER.bit_length()
SESSION_BITS = 32
SHORTEST = 2
"""Products of a session that say anything about what goes together."""
MOST_SESSIONS, MOST_LOOKS = 10_000_000, 100_000_000
MOST_DAYS = (2**31 - 1) // DAY_SECONDS
"""Ages are 32-bit numbers of seconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How large an index may become; ValueError for what arrays of 32-bit numbers cannot hold.

    Attributes:
        sessions: most sessions; newer ones are kept.
        looks: most pairs of session and product; newer sessions are kept.
        longest: products of a session; one that has more is a program's, or several people's, and is left out.
        postings: most sessions of one product that are found by it; newer ones are kept.
        days: age of the oldest click.
    """

    sessions: int = 1_000_000
    looks: int = 8_000_000
    longest: int = 50
    postings: int = 1_000
    days: int = 30

    def __post_init__(self) -> None:
        """Refuse what would overflow, and what no session could be within."""
        refuse_outside("sessions", self.sessions, 0, MOST_SESSIONS)
        refuse_outside("looks", self.looks, 0, MOST_LOOKS)
        refuse_outside("longest", self.longest, SHORTEST, MOST_IN_SESSION)
        refuse_outside("postings", self.postings, 1, MOST_SESSIONS)
        refuse_outside("days", self.days, 1, MOST_DAYS)

    @property
    def most_bytes(self) -> int:
        """The most that an index within these limits takes (bytes)."""
        products = min(self.looks, LARGEST_NUMBER)
        return 4 * (2 * self.looks + 2 * self.sessions + 1 + 2 * products + 1) + 8 * products


LIMITS = Limits()


def build(clicks: Clicks, now: int, limits: Limits = LIMITS) -> SessionIndex:
    """Return the index of the newest sessions of some clicks.

    Beside the clicks and the index it takes about 30 bytes a click meanwhile: each step lets go what it does not need.

    Args:
        clicks: in any order; the same click may come several times.
        now: s since 1970; a click of a later time, by a clock that is ahead, counts as of now.
        limits: of the index.
    """
    looks, ages = _looks(*_usable(clicks, now, limits))
    starts = looks.searchsorted(np.arange(len(ages) + 1) << PRODUCT_BITS)
    lengths = np.diff(starts)
    kept = _kept(lengths, limits)
    if not kept.any():
        return empty_index()
    if not kept.all():
        looks, lengths, ages = looks[np.repeat(kept, lengths)], lengths[kept], ages[kept]
    looks &= LARGEST_NUMBER
    return _indexed(looks.astype(np.int32), lengths, ages, now, limits)


def _usable(clicks: Clicks, now: int, limits: Limits) -> tuple[NDArray[np.uint64], Rows, Rows]:
    """Return keys, products and ages (s) without clicks that are too old or of products that there cannot be."""
    oldest = now - limits.days * DAY_SECONDS
    usable = (clicks.products >= 1) & (clicks.products <= LARGEST_NUMBER) & (clicks.times >= oldest)
    ages = np.clip(clicks.times, oldest, now)
    np.subtract(now, ages, out=ages)
    if usable.all():
        return clicks.keys, clicks.products, ages.astype(np.int32)
    return clicks.keys[usable], clicks.products[usable], ages[usable].astype(np.int32)


def _looks(keys: NDArray[np.uint64], products: Rows, ages: Rows) -> tuple[Numbers, Rows]:
    """Return each pair of session and product once, and the age of each session's last click; older sessions first.

    A pair is one number, the session's before the product's, and pairs are in order.
    """
    if not len(keys):
        return np.zeros(0, np.int64), ages
    order = np.argsort(keys)
    by_key = keys[order]
    begins = np.concatenate(([True], by_key[1:] != by_key[:-1]))
    starts = np.flatnonzero(begins)
    ended, by_key = np.minimum.reduceat(ages[order], starts), by_key[starts]
    oldest_first = np.lexsort((by_key, -ended))  # the key decides where ages are equal
    ranks = np.empty(len(starts), np.int32)
    ranks[oldest_first] = np.arange(len(starts))
    looks = np.repeat(ranks, np.diff(starts, append=len(keys))).astype(np.int64)
    looks <<= PRODUCT_BITS
    looks |= products[order]
    looks.sort()
    return looks[np.concatenate(([True], looks[1:] != looks[:-1]))], ended[oldest_first]


def _kept(lengths: Numbers, limits: Limits) -> Flags:
    """Return which sessions the index keeps, from how many products each one has."""
    fits = (lengths >= SHORTEST) & (lengths <= limits.longest)
    until_newest = np.cumsum(np.where(fits, lengths, 0)[::-1])[::-1]
    newer = np.cumsum(fits[::-1])[::-1]
    return np.asarray(fits & (until_newest <= limits.looks) & (newer <= limits.sessions))


def _indexed(products: Rows, lengths: Numbers, ages: Rows, now: int, limits: Limits) -> SessionIndex:
    """Return the index of the products of sessions, one session after the other."""
    is_there = np.zeros(LARGEST_NUMBER + 1, np.bool_)
    is_there[products] = True
    rows = (np.cumsum(is_there, dtype=np.int32) - 1)[products]
    numbers = np.flatnonzero(is_there).astype(np.int32)
    postings = rows.astype(np.int64)
    postings <<= SESSION_BITS
    postings |= np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    postings.sort()
    seen = np.diff(postings.searchsorted(np.arange(len(numbers) + 1) << SESSION_BITS))
    found = (postings & ((1 << SESSION_BITS) - 1)).astype(np.int32)
    del postings
    too_many = np.maximum(seen - limits.postings, 0)
    if too_many.any():
        found = np.delete(found, ranges(np.cumsum(seen) - seen, too_many))  # the oldest of each product
    return SessionIndex(
        products=numbers,
        posting_starts=_starts(np.minimum(seen, limits.postings)),
        postings=found,
        session_starts=_starts(lengths),
        session_products=rows,
        ages=ages - ages[-1],
        newest=now - int(ages[-1]),
    )


def _starts(lengths: Numbers) -> Rows:
    """Return where parts of these lengths begin when they stand one after the other, and where the last one ends."""
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
