"""Time, in one place, so that tests can replace it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from shopsphere.foundation.errors import MayPassError, ShopSphereError, one_line


class Clock(Protocol):
    """What code that waits or measures needs from time."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back, and goes on while the machine is suspended."""

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back, and goes on while the machine is suspended.

        Python's own monotonic clock stands still meanwhile: a laptop that was closed for an hour would believe that
        its lock is as young as before.
        """
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


def held_since(before: float | None, now: float, *, holds: bool) -> float | None:
    """Return since when something has held without a break; None where it does not hold."""
    if not holds:
        return None
    return now if before is None else before


class WaitExpiredError(ShopSphereError):
    """Something did not come about within its time."""


def wait_until(
    condition: Callable[[], object],
    *,
    what: str,
    seconds: float,
    interval: float = 0.5,
    explain: Callable[[], str] | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> float:
    """Poll `condition` until it is true and return the seconds that took.

    Args:
        condition: called every `interval` seconds; a true value ends the wait, a MayPassError counts as false.
        what: completes "waited for …" in the error.
        seconds: the bound.
        interval: seconds between two polls.
        explain: called once when time has run out; returns what was seen instead. The last error is shown, too.
        clock: replaceable in tests.

    Raises:
        WaitExpiredError: the condition stayed false.
    """
    start = clock.monotonic()
    while True:
        problem = ""
        try:
            if condition():
                return clock.monotonic() - start
        except MayPassError as error:
            problem = one_line(error)
        if clock.monotonic() - start > seconds:
            found = "; ".join(filter(None, [explain() if explain else "", problem]))
            seen = f"\n  found:    {found}" if found else ""
            raise WaitExpiredError(f"waited {seconds:.0f} s for {what}, but it did not happen{seen}")
        clock.sleep(interval)
