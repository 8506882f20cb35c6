"""A stream that says when something changed, so that nobody has to ask again and again.

A message on a stream is only a reason to look: a listener still asks as before, and also looks at intervals without a
message. So a stream that is late, dead or was never opened costs time and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from shopsphere.foundation.errors import ShopSphereError

REOPEN_AFTER = 1.0
"""Seconds between the end of a stream and the next attempt."""

Follow = Callable[[Callable[[], object]], object]
"""Opens a stream, calls its argument once it is open and at each change, and returns or raises at its end."""


class Watch:
    """A stream that is opened anew whenever it ends, by a thread of its own.

    Args:
        follow: the stream.
        changed: called when something may have changed, also when a stream was opened: changes before it were missed.
        reopen_after: seconds from the end of a stream to the next attempt.
    """

    def __init__(self, follow: Follow, changed: Callable[[], object], *, reopen_after: float = REOPEN_AFTER) -> None:
        self._follow, self._changed, self._reopen_after = follow, changed, reopen_after
        self._open = False
        self._stopped = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether the stream is open, as far as this side knows: a dead one looks open until it ends."""
        return self._open

    def start(self) -> None:
        """Listen from now on."""
        threading.Thread(target=self._run, daemon=True).start()

    def stop(self) -> None:
        """Open no further stream."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            with suppress(ShopSphereError):
                self._follow(self._heard)
            self._open = False
            self._stopped.wait(self._reopen_after)

    def _heard(self) -> None:
        self._open = True
        self._changed()
