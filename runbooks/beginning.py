"""When a change may begin, where its operator lets somebody else decide that: a watcher prepares a move (ADR 59)."""

from __future__ import annotations

from collections.abc import Callable

MayBegin = Callable[[Callable[[], None]], None]
"""Waits until a change may begin, or raises. Calls what it is given each time when the lease is about to end, or gone:
what a change wants to know from then on need not wait until it may begin."""


class Beginning:
    """The wait of one change.

    Args:
        may_begin: what is waited for.
    """

    def __init__(self, may_begin: MayBegin) -> None:
        self._may_begin, self._begun = may_begin, False

    def wait(self, ask_anew: Callable[[], None] = lambda: None) -> None:
        """Wait, unless that is over; raises what keeps the change from it.

        Args:
            ask_anew: asks what was known before the wait, and is old; called in the last second of the lease, and at
                the end where it was not.
        """
        asked = False

        def is_ending() -> None:
            nonlocal asked
            asked = True
            ask_anew()

        if not self._begun:
            self._may_begin(is_ending)
            self._begun = True
        if not asked:
            ask_anew()
