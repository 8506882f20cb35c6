"""What goes on beside a step, in a thread of its own, from `with` to its end."""

import threading
from typing import Self


class Alongside:
    """Runs `go_on` until `ended` is set."""

    def __init__(self, name: str) -> None:
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self.go_on, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self._thread.join(60)

    def go_on(self) -> None:
        """Do it, until `ended` is set."""
        raise NotImplementedError
