"""What a region has spent of its visitors' privacy: a day's noise is booked once, and a month has an end.

Booked in millionths of rho (zero-concentrated differential privacy), which add up exactly. The unit that is protected
is a visitor-day, since the id of a visitor is of one day; a month's sum is what would hold if an id lived for a month.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.errors import ShopError

MICRO = 1_000_000
DAY_RHO_MICRO = 50_000
"""What a day costs: 10 cells, noise of scale 10, so 10 / (2 * 10^2) = .05."""
MONTH_RHO_MICRO = 1_550_000
"""Where a month's sum stops: 31 days, and not one draw more."""
DELTA = 1e-7
"""With which rho is told as epsilon."""


class OverspentError(ShopError):
    """A month's budget does not have what a release costs."""


class AlreadyDrawnError(ShopError):
    """What is to be booked was booked before, with another content or under another number."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What one day's release cost.

    Attributes:
        region: whose visitors'.
        day: of the counts (UTC).
        seq: number of the release, or of the first of its parts.
        digest: of that release; the other parts follow it under the next numbers.
        rho_micro: the cost, in millionths of rho.
    """

    region: int
    day: date
    seq: int
    digest: bytes
    rho_micro: int = DAY_RHO_MICRO

    def __post_init__(self) -> None:
        """Refuse what would give something back."""
        if self.rho_micro <= 0:
            raise ValueError(f"expected a cost above zero, found {self.rho_micro}")


class PrivacyLedger:
    """What is spent; of one region or of several, each with a budget of its own."""

    def __init__(self, spent: Iterable[Spending] = ()) -> None:
        self._by_day: dict[tuple[int, date], Spending] = {}
        self._by_seq: dict[tuple[int, int], Spending] = {}
        for each in spent:
            self.book(each)

    def spent_micro(self, region: int, month: date) -> int:
        """Return what a region has spent of a month, which any of its days names (millionths of rho)."""
        return sum(
            each.rho_micro
            for each in self._by_day.values()
            if each.region == region and (each.day.year, each.day.month) == (month.year, month.month)
        )

    def require(self, region: int, day: date, rho_micro: int = DAY_RHO_MICRO) -> None:
        """Return if a day may be drawn.

        Raises:
            AlreadyDrawnError: it was drawn before.
            OverspentError: its month's budget does not have the cost.
        """
        if (before := self._by_day.get((region, day))) is not None:
            raise _drawn(before, f"nothing drawn of {day}")
        spent = self.spent_micro(region, day)
        if spent + rho_micro > MONTH_RHO_MICRO:
            raise OverspentError.build(
                f"the privacy budget of region {region} for {day:%Y-%m} does not have what a release of {day} costs",
                expected=f"rho of {(MONTH_RHO_MICRO - spent) / MICRO:g} or less",
                found=f"{rho_micro / MICRO:g}",
                action="publish no more of this month; the limit is a decision (ADR 64), not a setting",
            )

    def book(self, spending: Spending) -> bool:
        """Book what a release costs; False if this very release is booked already.

        Raises:
            AlreadyDrawnError: its day or its number is booked with another content.
            OverspentError: its month's budget does not have the cost.
        """
        for before in (
            self._by_day.get((spending.region, spending.day)),
            self._by_seq.get((spending.region, spending.seq)),
        ):
            if before == spending:
                return False
            if before is not None:
                raise _drawn(before, f"release {spending.seq} of {spending.day} with {spending.digest.hex()[:16]}")
        self.require(spending.region, spending.day, spending.rho_micro)
        self._by_day[spending.region, spending.day] = spending
        self._by_seq[spending.region, spending.seq] = spending
        return True


def epsilon(rho_micro: int, delta: float = DELTA) -> float:
    """Return rho as epsilon at a delta: rho + 2 sqrt(rho ln(1/delta)) (Bun and Steinke 2016, proposition 1.3)."""
    rho = rho_micro / MICRO
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))


def _drawn(before: Spending, expected: str) -> ShopError:
    return AlreadyDrawnError.build(
        f"region {before.region} has drawn {before.day} already",
        expected=expected,
        found=f"release {before.seq} of {before.day} with {before.digest.hex()[:16]}",
        action="send what is stored; a second draw would tell more about every visitor",
    )
