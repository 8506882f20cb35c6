"""A stream that says when something changed, so that nobody has to ask again and again.

A message on a stream is only a reason to look: a listener still asks as before, and also looks at intervals without a
message. So a stream that is late, dead or was never opened costs time and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from shopsphere.foundation.errors import one_line

REOPEN_AFTER, REOPEN_AFTER_AT_MOST = 1.0, 30.0
"""Seconds from one attempt to the next: the first, and the longest of those that fail one after the other."""

Follow = Callable[[Callable[[], object]], object]
"""Opens a stream, calls its argument once it is open and at each change, and returns or raises at its end."""


class Watch:
    """A stream that is opened anew whenever it ends, by a thread of its own.

    Args:
        follow: the stream.
        changed: called when something may have changed, also when a stream was opened: changes before it were missed.
        tell: gets a line when the stream cannot be opened any more, once for each reason.
        reopen_after: seconds from one attempt to the next; twice as many after each that failed.
    """

    def __init__(
        self,
        follow: Follow,
        changed: Callable[[], object],
        tell: Callable[[str], object] = lambda _line: None,
        *,
        reopen_after: float = REOPEN_AFTER,
    ) -> None:
        self._follow, self._changed, self._tell, self._reopen_after = follow, changed, tell, reopen_after
        self._open = False
        self._said = ""
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
        pause = self._reopen_after
        while not self._stopped.is_set():
            start, problem = time.monotonic(), ""
            try:
                self._follow(self._heard)
            except Exception as error:  # noqa: BLE001 a thread that ended would leave a stream that looks open
                problem = f"{type(error).__name__}: {one_line(error)}"
            opened, self._open = self._open, False
            pause = self._reopen_after if opened else min(2 * pause, REOPEN_AFTER_AT_MOST)
            if problem and not opened and problem != self._said:
                self._tell(f"watch: {problem}")
            self._said = problem if not opened else ""
            # One that ended as agreed, after minutes, is opened anew at once: what changes in between would be missed.
            self._stopped.wait(max(0.0, pause - (time.monotonic() - start) if opened else pause))

    def _heard(self) -> None:
        self._open = True
        self._changed()
