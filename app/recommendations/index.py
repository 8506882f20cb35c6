"""Which products were looked at in which sessions, in both directions, as arrays that nobody changes.

A session is a row number, older sessions have smaller ones; a product is a row number too, in the order of product
numbers. Whose sessions they were is not in the index: the keys end with its building.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class SessionIndex:
    """An index of sessions. Its arrays are read-only, so any number of threads may ask while another one is built.

    Attributes:
        products: product numbers, ascending.
        posting_starts: where each product's part of `postings` begins; one entry more than products.
        postings: the newest sessions of each product, older ones first.
        session_starts: where each session's part of `session_products` begins; one entry more than sessions.
        session_products: rows of the products of each session, each once, ascending.
        ages: how much older than the newest session each one is (s).
        newest: time of the newest session (s since 1970); 0 for an empty index.
        rarity: ln(all looks / looks at this one) of each product, from `session_products`; above 0, since each session
            has several products.
    """

    products: Rows
    posting_starts: Rows
    postings: Rows
    session_starts: Rows
    session_products: Rows
    ages: Rows
    newest: int
    rarity: NDArray[np.float64] = field(init=False)

    def __post_init__(self) -> None:
        """Work out how rare products are, and close the arrays."""
        seen = np.bincount(self.session_products, minlength=len(self.products))
        object.__setattr__(self, "rarity", np.log(len(self.session_products) / seen))
        for name in (*ARRAYS, "rarity"):
            getattr(self, name).flags.writeable = False

    @property
    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self.ages)

    @property
    def bytes(self) -> int:
        """What the arrays take (bytes)."""
        return sum(getattr(self, name).nbytes for name in (*ARRAYS, "rarity"))


ARRAYS = tuple(each.name for each in fields(SessionIndex) if each.name not in {"newest", "rarity"})
"""Names of the arrays that a file has to hold, in their order."""


def empty_index() -> SessionIndex:
    """Return the index of no sessions: it knows nothing that goes together."""
    nothing, start = np.zeros(0, np.int32), np.zeros(1, np.int32)
    return SessionIndex(nothing, start, nothing, start, nothing, nothing, 0)


def ranges(starts: NDArray[np.integer[Any]], lengths: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return the numbers of all ranges with these starts and lengths, one range after the other."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths))


class IndexInUse:
    """The index that questions are answered from.

    Who answers takes `index` once and uses what it got to the end of the answer. A new one is put in its place in one
    step, so that no answer is of two indexes.
    """

    def __init__(self) -> None:
        self._index = empty_index()

    @property
    def index(self) -> SessionIndex:
        """The whole index of now."""
        return self._index

    def swap(self, index: SessionIndex) -> None:
        """Answer from another index from now on; answers that have begun keep the one before."""
        self._index = index
