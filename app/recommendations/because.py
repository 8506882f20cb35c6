"""One recommended product and why it is recommended, so that a page can say so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Because(StrEnum):
    """Why a product is in a row.

    SEEN_TOGETHER: visitors looked at it in the same visit as at what this visitor looks at.
    POPULAR: many look at it or buy it, whatever else they look at; a product of the same category.
    NEW: it is new in its category. Nothing is known about who likes it.
    """

    SEEN_TOGETHER = "seen together"
    POPULAR = "popular in its category"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A product, by its number, and why it is recommended."""

    product: int
    because: Because
