"""Waiting for something that may not answer."""

import time

import pytest
from manual_clock import ManualClock

from shopsphere.foundation.clock import SYSTEM_CLOCK, WaitExpiredError, wait_until
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError


class Silent:
    """Does not answer the first times it is asked."""

    def __init__(self, times: int, error: type[NoAnswerError] | type[ShopSphereError] = NoAnswerError) -> None:
        self.asked, self._times, self._error = 0, times, error

    def __call__(self) -> bool:
        self.asked += 1
        if self.asked <= self._times:
            raise self._error("dublin:\n  no end within 3 s")
        return True


@pytest.mark.requirement("a site that is dead for a moment stops no runbook")
def test_no_answer_is_a_no_that_may_change() -> None:
    clock, site = ManualClock(), Silent(3)
    assert wait_until(site, what="dublin", seconds=10, interval=1, clock=clock) == 3
    assert site.asked == 4


@pytest.mark.requirement("a step is bounded in time and a failure names it")
def test_what_never_answers_is_said_when_the_time_is_out() -> None:
    with pytest.raises(WaitExpiredError, match=r"10 s for dublin(.|\n)*found: +dublin: no end within 3 s"):
        wait_until(Silent(100), what="dublin", seconds=10, interval=1, clock=ManualClock())


def test_any_other_error_ends_the_wait() -> None:
    site = Silent(1, ShopSphereError)
    with pytest.raises(ShopSphereError, match="no end"):
        wait_until(site, what="dublin", seconds=10, clock=ManualClock())
    assert site.asked == 1


@pytest.mark.requirement("time goes on while a machine is suspended: what it holds is as old as it is")
def test_a_suspended_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    times = {time.CLOCK_MONOTONIC: 100.0, time.CLOCK_BOOTTIME: 100.0}
    monkeypatch.setattr(time, "clock_gettime", times.__getitem__)
    monkeypatch.setattr(time, "monotonic", lambda: times[time.CLOCK_MONOTONIC])
    before = SYSTEM_CLOCK.monotonic()
    times[time.CLOCK_BOOTTIME] += 20  # the lid was closed
    assert SYSTEM_CLOCK.monotonic() - before == 20
