"""Waiting for a stack that another run has, where several commands may want it at the same time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from shopsphere.deploy.listening import Listener, Noted
from shopsphere.deploy.locks import StackLockedError
from shopsphere.estate.stack import StackId
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import one_line

PATIENCE, PAUSE = 600.0, 2.0
"""Seconds to wait for another run, and between two tries."""

Answer = TypeVar("Answer")


def when_free(stack: StackId, listener: Listener, work: Callable[[], Answer], *, clock: Clock = SYSTEM_CLOCK) -> Answer:
    """Do work on a stack; where another run has the edge, wait for that run and begin anew.

    Each region brings the edge along, so that two people who deploy different regions meet there. A site's stack is not
    waited for: two runs on one region at once are a mistake of somebody, who should hear of it.

    Args:
        stack: which one.
        listener: is told once, when it has to be waited.
        work: begins by looking at what is there, since the other run may have changed it.
        clock: replaceable in tests.

    Raises:
        StackLockedError: another run has a site's stack, or has had the edge for `PATIENCE` seconds.
    """
    end, told = clock.monotonic() + PATIENCE, False
    while True:
        try:
            return work()
        except StackLockedError as error:
            if stack.site or clock.monotonic() >= end:
                raise
            if not told:
                listener.tell(Noted(stack.label, f"waits, at most {PATIENCE / 60:.0f} min: {one_line(error)}"))
                told = True
        clock.sleep(PAUSE)
