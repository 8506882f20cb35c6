"""In which order the voters of a witness are asked: the one that answers in the least time in front."""

from __future__ import annotations

import math
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock

_REMEMBERED = 4
"""Times of each voter that are compared by their least: one slow answer, as over a new connection, says nothing."""


class VoterOrder:
    """The order of one witness's voters; safe to share between threads.

    Args:
        urls: client addresses of the voters, in the order in which they are asked until more is known.
        clock: replaceable in tests.
    """

    def __init__(self, urls: Sequence[str], clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._times = {url: deque[float](maxlen=_REMEMBERED) for url in urls}
        self._silent = set[str]()

    def in_order(self) -> list[str]:
        """Return the voters, the one that is asked first in front; those that did not answer are the last ones."""
        with self._lock:
            return sorted(self._times, key=lambda url: (url in self._silent, min(self._times[url], default=math.inf)))

    def answered(self, url: str, seconds: float) -> None:
        """Take note of how long a voter took (s)."""
        with self._lock:
            self._silent.discard(url)
            self._times[url].append(seconds)

    def did_not_answer(self, urls: Iterable[str], instead: str = "") -> None:
        """Ask these after the others, until they answer; `instead` is one that did, in its place as before."""
        with self._lock:
            self._silent.update(urls)
            self._silent.discard(instead)

    def race(self, answers: Callable[[str], bool]) -> None:
        """Ask all at once; return when `answers` is true for one, or for none. The times of all decide the order."""
        urls, answered = self.in_order(), queue.SimpleQueue[bool]()

        def ask(url: str) -> None:
            began, won = self._clock.monotonic(), False
            try:
                won = answers(url)
            finally:  # whatever happens: one that is not heard of would be waited for
                if won:
                    self.answered(url, self._clock.monotonic() - began)
                else:
                    self.did_not_answer([url])
                answered.put(won)

        for url in urls:
            threading.Thread(target=ask, args=(url,), daemon=True).start()
        for _ in urls:
            if answered.get():
                return
