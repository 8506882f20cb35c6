"""The privacy ledger: a day is booked once, a month ends at 1.55, and rho is told as epsilon."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.export.budget import (
    DAY_RHO_MICRO,
    MONTH_RHO_MICRO,
    AlreadyDrawnError,
    OverspentError,
    PrivacyLedger,
    Spending,
    epsilon,
)

pytestmark = pytest.mark.requirement("behaviour leaves a region within a privacy budget that cannot be overspent")

OCTOBER = date(2026, 10, 1)


def spending(day: date, seq: int, digest: bytes = b"a", rho_micro: int = DAY_RHO_MICRO) -> Spending:
    return Spending(1, day, seq, digest, rho_micro)


def full_october() -> PrivacyLedger:
    return PrivacyLedger(spending(OCTOBER + timedelta(days=each), each + 1) for each in range(31))


def test_the_longest_month_fits_exactly_and_nothing_after_it() -> None:
    ledger = full_october()
    assert ledger.spent_micro(1, OCTOBER) == MONTH_RHO_MICRO == 31 * DAY_RHO_MICRO
    assert ledger.spent_micro(1, date(2026, 11, 1)) == ledger.spent_micro(2, OCTOBER) == 0
    assert ledger.book(spending(date(2026, 11, 1), 32)), "another month has a budget of its own"


@pytest.mark.parametrize(("rho_micro", "fits"), [(50_000, True), (50_001, False)])
def test_nothing_is_booked_that_the_month_does_not_have(rho_micro: int, *, fits: bool) -> None:
    ledger = PrivacyLedger([spending(OCTOBER, 1, rho_micro=1_500_000)])
    if fits:
        assert ledger.book(spending(date(2026, 10, 2), 2, rho_micro=rho_micro))
        return
    with pytest.raises(OverspentError) as refused:
        ledger.book(spending(date(2026, 10, 2), 2, rho_micro=rho_micro))
    assert "rho of 0.05 or less" in str(refused.value)
    assert ledger.spent_micro(1, OCTOBER) == 1_500_000, "a refusal costs nothing"
    assert ledger.book(spending(date(2026, 10, 2), 2))


def test_a_release_is_booked_once_and_said_to_be_booked() -> None:
    ledger = PrivacyLedger()
    assert ledger.book(spending(OCTOBER, 1))
    assert not ledger.book(spending(OCTOBER, 1))
    assert ledger.spent_micro(1, OCTOBER) == DAY_RHO_MICRO


@pytest.mark.parametrize(
    "again",
    [
        spending(OCTOBER, 1, b"b"),  # other noise
        spending(OCTOBER, 2),  # the day under another number
        spending(date(2026, 10, 2), 1),  # another day under this number
        spending(OCTOBER, 1, rho_micro=1),  # for less
    ],
)
def test_a_day_is_not_drawn_twice(again: Spending) -> None:
    ledger = PrivacyLedger([spending(OCTOBER, 1)])
    with pytest.raises(AlreadyDrawnError):
        ledger.book(again)
    with pytest.raises(AlreadyDrawnError):
        ledger.require(1, OCTOBER)
    assert ledger.spent_micro(1, OCTOBER) == DAY_RHO_MICRO
    assert ledger.book(Spending(2, OCTOBER, 1, b"b")), "another region has days and numbers of its own"


def test_nothing_is_given_back() -> None:
    for rho_micro in (0, -1):
        with pytest.raises(ValueError, match="above zero"):
            spending(OCTOBER, 1, rho_micro=rho_micro)


BOOKINGS = st.lists(
    st.tuples(st.integers(0, 61), st.integers(1, 60), st.integers(1, 2), st.sampled_from([1, 40_000, 700_000]))
)


@settings(max_examples=100, deadline=None)
@given(BOOKINGS)
def test_no_order_of_bookings_overspends_a_month(bookings: list[tuple[int, int, int, int]]) -> None:
    ledger, booked = PrivacyLedger(), dict[date, int]()
    for days, seq, content, rho_micro in bookings:
        day = OCTOBER + timedelta(days=days)
        try:
            if ledger.book(spending(day, seq, bytes([content]), rho_micro)):
                assert day not in booked
                booked[day] = rho_micro
        except (OverspentError, AlreadyDrawnError):
            continue
    for month in (10, 11):
        assert sum(rho for day, rho in booked.items() if day.month == month) <= 1_550_000


def test_rho_is_told_as_epsilon() -> None:
    """By hand: .05 + 2 sqrt(.05 * 16.118), 1.55 + 2 sqrt(1.55 * 16.118), and at 1e-5: .5 + 2 sqrt(.5 * 11.513)."""
    assert epsilon(DAY_RHO_MICRO) == pytest.approx(1.845, abs=0.001)
    assert epsilon(MONTH_RHO_MICRO) == pytest.approx(11.547, abs=0.001)
    assert epsilon(500_000, 1e-5) == pytest.approx(5.299, abs=0.001)
