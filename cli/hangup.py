"""A change of a pair does not end with the terminal that it was begun at."""

from __future__ import annotations

import signal


def go_on_without_terminal() -> None:
    """Let this process go on when its terminal is gone: half a change is a pair that takes no orders.

    Every step has a bound, so it ends by itself; its report and `shopsphere history` say how.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
