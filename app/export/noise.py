"""Noise for counts: the discrete Gaussian, by OpenDP; behind an interface, so that tests can know what is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

from app.errors import ShopError

SCALE = 10.0
"""Standard deviation of the noise on a count (visitors)."""
VISITOR_CELLS = 10
"""Cells of a day that one visitor adds 1 to, the first ones: so a visitor moves all counts by the root of this (L2)."""


class Sampler(Protocol):
    """Makes counts noisy."""

    def rho(self) -> float:
        """Return what one call of `noisy` costs a visitor (zero-concentrated differential privacy)."""

    def noisy(self, counts: Sequence[int]) -> Sequence[int]:
        """Return the counts with independent noise on each."""


class DiscreteGaussian:
    """OpenDP's discrete Gaussian (Canonne, Kamath, Steinke 2020): exact on integers, no floating point in the noise.

    Args:
        scale: of the noise, as its standard deviation.

    Raises:
        ShopError: OpenDP is not installed here.
    """

    def __init__(self, scale: float = SCALE) -> None:
        self._measurement = _measurement(scale)

    def rho(self) -> float:
        """Return what OpenDP itself says of a visitor's cells at this scale."""
        return float(self._measurement.map(math.sqrt(VISITOR_CELLS)))

    def noisy(self, counts: Sequence[int]) -> Sequence[int]:
        """Return the counts with noise of the operating system's random numbers."""
        return list(self._measurement(list(counts)))


@cache
def _measurement(scale: float) -> Any:
    try:
        # Only the exporter's image has it (265 MB), and nothing else of the shop loads it.
        import opendp.prelude as dp  # noqa: PLC0415
    except ImportError as error:
        raise ShopError.build(
            "noise cannot be made here",
            expected="OpenDP, which the exporter's image has",
            found=str(error),
            action="run the exporter in its own image",
        ) from error
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l2_distance(T=dp.f64)
    return dp.m.make_gaussian(*space, scale=scale)
