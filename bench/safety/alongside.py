"""What goes on beside something else, in a thread of its own, from `with` to its end."""

import threading
from typing import Self


class Alongside:
    """Runs `go_on` until `ended` is set.

    Args:
        name: of the thread.
        ends_within: how long the end of `with` waits for it (s).
    """

    def __init__(self, name: str, ends_within: float = 60) -> None:
        self.ended, self._ends_within = threading.Event(), ends_within
        self._thread = threading.Thread(target=self.go_on, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self._thread.join(self._ends_within)

    def go_on(self) -> None:
        """Do it, until `ended` is set."""
        raise NotImplementedError
