"""Bounds that every part of the recommendations holds to."""

from __future__ import annotations

LARGEST_NUMBER = 2**20 - 1
"""The largest product number (`catalogue.product.id`) that is recommended: tables by number have 1 MiB."""
MOST_VIEWED = 8
"""Products of one visitor that are remembered and looked at."""
MOST_ASKED = 24
"""Products in one row of recommendations."""
MOST_IN_SESSION = 1_000
"""Products of one session, however an index is limited."""
DAY_SECONDS = 86_400


def refuse_outside(name: str, value: float, low: float, high: float) -> None:
    """Refuse a setting that is outside its bounds, or no number.

    Raises:
        ValueError: it is; the message names it.
    """
    if not low <= value <= high:
        raise ValueError(f"expected {name} from {low} to {high}, found {value}")
