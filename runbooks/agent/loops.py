"""A loop of the agent: sleeps until its bell rings or its pause is over, and never ends because of an error."""

from __future__ import annotations

import threading
from collections.abc import Callable

from shopsphere.foundation.errors import one_line

_AFTER_AN_ERROR = 1.0


class Loop:
    """Does one thing again and again.

    Args:
        action: the thing.
        pause: seconds until it is done again though nobody rings.
        tell: gets a line when it starts to fail, and when it succeeds again.
    """

    def __init__(self, action: Callable[[], None], pause: Callable[[], float], tell: Callable[[str], None]) -> None:
        self._action, self._pause, self._tell = action, pause, tell
        self._bell, self._stopped = threading.Event(), threading.Event()
        self._said = ""

    def ring(self) -> None:
        """Do it at once, or once more if it is just being done."""
        self._bell.set()

    def start(self) -> None:
        """Repeat it in a thread of its own."""
        threading.Thread(target=self.run, daemon=True).start()

    def stop(self) -> None:
        """Do it no more."""
        self._stopped.set()
        self._bell.set()

    def run(self) -> None:
        """Repeat it until `stop`."""
        while not self._stopped.is_set():
            self._bell.clear()  # before looking: what is rung from now on may not be seen by it
            pause, problem = _AFTER_AN_ERROR, ""
            try:
                self._action()
                pause = self._pause()
            except Exception as error:  # noqa: BLE001 a loop that ended would leave the site shut off until a restart
                problem = f"{type(error).__name__}: {one_line(error)}"
            if problem != self._said:
                self._tell(f"{self._action.__name__}: {problem or 'has an answer again'}")
                self._said = problem
            if not self._stopped.is_set():
                self._bell.wait(pause)
