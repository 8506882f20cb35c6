"""In which order the voters of a witness are asked: the one that answers first in front."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence


class VoterOrder:
    """The order of one witness's voters; safe to share between threads.

    Args:
        urls: client addresses of the voters.
    """

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls, self._lock = list(urls), threading.Lock()

    def in_order(self) -> list[str]:
        """Return the voters, the one that is asked first in front."""
        with self._lock:
            return list(self._urls)

    def prefer(self, url: str, *, instead_of: Sequence[str] | None = None) -> None:
        """Ask this voter first from now on.

        Args:
            url: which.
            instead_of: only if one of these would be asked first. An answer alone says nothing for its voter: it may
                be a slow one to a question from before a faster voter was found.
        """
        with self._lock:
            if instead_of is None or self._urls[0] in instead_of:
                self._urls.remove(url)
                self._urls.insert(0, url)

    def race(self, answers: Callable[[str], bool]) -> None:
        """Prefer the voter for which `answers` is true first; the others are not waited for."""
        urls, answered = self.in_order(), queue.SimpleQueue[str]()

        def ask(url: str) -> None:
            won = False
            try:
                won = answers(url)
            finally:
                answered.put(url if won else "")  # whatever happens: one that is not heard of would be waited for

        for url in urls:
            threading.Thread(target=ask, args=(url,), daemon=True).start()
        for _ in urls:
            first = answered.get()
            if first:
                self.prefer(first)
                return
