"""Which products may be shown now: those on sale and in stock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.recommendations.bounds import LARGEST_NUMBER


class Availability:
    """A map of all product numbers, true where a product may be shown; what it was not told of is hidden.

    It takes 1 MiB and is not changed: who learns of another stock makes another one.

    Args:
        shown: numbers of the products that are on sale and in stock.
    """

    def __init__(self, shown: Iterable[int] | NDArray[np.integer[Any]]) -> None:
        self._map = np.zeros(LARGEST_NUMBER + 1, np.bool_)
        if not isinstance(shown, np.ndarray):
            shown = np.array([number for number in shown if 1 <= number <= LARGEST_NUMBER], np.int64)
        self._map[shown[(shown >= 1) & (shown <= LARGEST_NUMBER)]] = True
        self._map.flags.writeable = False

    def shows(self, product: int) -> bool:
        """Whether a product may be shown."""
        return 1 <= product <= LARGEST_NUMBER and bool(self._map[product])

    def of(self, products: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Return of each product of an index whether it may be shown."""
        return np.asarray(self._map[products])
