"""Clicks as columns: what an index of sessions is built from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.recommendations.bounds import LARGEST_NUMBER

LARGEST_KEY = 2**64 - 1
LARGEST_TIME = 2**40 - 1
KINDS = (np.dtype(np.uint64), np.dtype(np.int32), np.dtype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Clicks:
    """Three columns of one length, in any order; one entry a click. ValueError for columns of anything else.

    Attributes:
        keys: of the session that a click belongs to; the index forgets them.
        products: numbers of the products.
        times: of the clicks (s since 1970).
    """

    keys: NDArray[np.uint64]
    products: NDArray[np.int32]
    times: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse columns of different lengths or of other numbers: a fraction or NaN is no product."""
        columns = (self.keys, self.products, self.times)
        shapes = {column.shape for column in columns}
        if len(shapes) > 1 or len(self.keys.shape) != 1:
            raise ValueError(f"expected three columns of one length, found {sorted(shapes)}")
        if (kinds := tuple(column.dtype for column in columns)) != KINDS:
            raise ValueError(f"expected columns of {', '.join(map(str, KINDS))}, found {', '.join(map(str, kinds))}")

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, int]]) -> Clicks:
        """Return the clicks of rows of key, product number and time (s); rows that cannot be clicks are left out."""
        usable = [row for row in rows if _is_click(*row)]
        keys, products, times = zip(*usable, strict=True) if usable else ((), (), ())
        return cls(np.array(keys, np.uint64), np.array(products, np.int32), np.array(times, np.int64))


def _is_click(key: int, product: int, time: int) -> bool:
    return 0 <= key <= LARGEST_KEY and 1 <= product <= LARGEST_NUMBER and 0 <= time <= LARGEST_TIME
