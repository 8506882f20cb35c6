"""A loop of the agent: sleeps until its bell rings or its pause is over, and never ends because of an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from shopsphere.foundation.errors import ShopSphereError, one_line


class Loop:
    """Runs an action again and again.

    Args:
        action: what is run; lines for `tell` begin with its name.
        pause: returns the seconds until the action runs again if nobody rings.
        tell: gets a line when the action starts to fail, and when it succeeds again.
        after_an_error: seconds until an action that failed runs again.
    """

    def __init__(
        self,
        action: Callable[[], None],
        pause: Callable[[], float],
        tell: Callable[[str], None],
        *,
        after_an_error: float = 1.0,
    ) -> None:
        self._action, self._pause, self._tell, self._after_an_error = action, pause, tell, after_an_error
        self._bell, self._stopped = threading.Event(), threading.Event()
        self._said = ""

    def ring(self) -> None:
        """Run the action at once, or once more if it is running."""
        self._bell.set()

    def start(self) -> None:
        """Repeat the action in a thread of its own."""
        threading.Thread(target=self.run, daemon=True).start()

    def stop(self) -> None:
        """Begin the action no more; one that is running goes on to its end."""
        self._stopped.set()
        self._bell.set()

    def run(self) -> None:
        """Repeat the action until `stop`."""
        while not self._stopped.is_set():
            self._bell.clear()  # before the action: a ring during it may tell of something that it misses
            pause, problem = self._after_an_error, ""
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


def is_answered(look: Callable[[], None]) -> bool:
    """Run a look, and return whether it came to its end; one without an answer is no fault of the loop."""
    with suppress(ShopSphereError):
        look()
        return True
    return False
