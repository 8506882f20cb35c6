"""What all connections of a process share, as a connection sees it."""

from __future__ import annotations

from typing import Protocol

from app.clicks.packing import Waiter
from app.clicks.reasons import Reason


class Ended(Protocol):
    """A connection, as far as its reception ends it."""

    def look(self, now: float) -> None:
        """End what has taken too long, at this moment (s, monotonic)."""

    def leave(self) -> None:
        """End as soon as nothing is owed; a request that is not whole by now is refused."""

    def abort(self) -> None:
        """End at once."""


class Reception(Protocol):
    """Takes what connections read, and makes their answers.

    Attributes:
        now: this moment (s, monotonic), a second old at the most.
        leaving: whether connections end with their next answer.
    """

    now: float
    leaving: bool

    def opened(self, connection: Ended) -> bool:
        """Note a connection. Return False when there are too many; where there are far too many, it is ended."""

    def closed(self, connection: Ended) -> None:
        """Forget a connection."""

    def failed(self, error: Exception) -> None:
        """Note a fault of ours, met while a request was read; its connection ends."""

    def hold(self, size: int) -> bool:
        """Note that unfinished bodies have grown by so many bytes. Return False when there is no room for them."""

    def take(self, waiter: Waiter, number: int, body: bytes, name: bytes) -> None:
        """Take the body of a POST of a sender with this name; its waiter is told what became of it, now or later."""

    def page(self, path: bytes, *, last: bool) -> bytes:
        """Return the answer to a GET of one of the pages."""

    def outcome(self, reason: Reason | None, *, last: bool) -> bytes:
        """Return the answer that says that a batch is written, or why not, and count it."""
