"""What a customer would have noticed of a change, measured from outside while it goes on.

Twice a second the pair's name is asked at a name server, and at the address that it gives a page is fetched and an
empty form is sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

from runbooks.pair_access import PairAccess
from shopsphere.clients.web import Door, takes_forms
from shopsphere.foundation.errors import ShopSphereError

EVERY = 0.5
_ANSWER_SECONDS = 1.5


@dataclass
class Measured:
    """Monotonic times (s) of good answers.

    Attributes:
        began: when the measuring began.
        writes: a form was let through.
        pages: a page arrived.
    """

    began: float
    writes: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)

    def as_report(self, ended: float) -> dict[str, float | str]:
        """Return the longest time without each; it was longer if there was none before the command."""
        return {
            **_gap("writes", self.began, self.writes, ended),
            **_gap("pages", self.began, self.pages, ended),
        }


def _gap(what: str, began: float, good: Sequence[float], ended: float) -> dict[str, float | str]:
    if not good:
        return {f"{what}_gap_seconds": round(ended - began, 1), f"{what}_note": "none arrived while this was measured"}
    gaps = [later - earlier for earlier, later in pairwise([began, *good])]
    found: dict[str, float | str] = {f"{what}_gap_seconds": round(max(gaps), 1)}
    if gaps[0] == max(gaps) and gaps[0] > 2 * EVERY + _ANSWER_SECONDS:
        found[f"{what}_note"] = "counted from the command: it was gone before"
    return found


class Outside:
    """Measures in a thread of its own, from `with` to its end; failing answers are what it is there to count.

    Args:
        access: the ways to the pair's names.
    """

    def __init__(self, access: PairAccess) -> None:
        self._access = access
        self._measured = Measured(time.monotonic())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="outside", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """End, after one more look."""
        self._ended.set()
        self._thread.join(2 * _ANSWER_SECONDS + EVERY)

    def report(self) -> Mapping[str, Any]:
        """Return what the report shows."""
        return self._measured.as_report(time.monotonic())

    def _measure(self) -> None:
        last = False
        while not last:
            last = self._ended.wait(EVERY)
            try:
                door = self._door()
                if takes_forms(door):
                    self._measured.writes.append(time.monotonic())
                if door.ask("GET", "/").is_success:
                    self._measured.pages.append(time.monotonic())
            except Exception:  # noqa: BLE001,S112 no answer is what is counted; and a measurement stops no change
                continue

    def _door(self) -> Door:
        errors = []
        for server in self._access.name_servers():
            try:
                found = self._access.addresses_at(server, seconds=_ANSWER_SECONDS)
            except ShopSphereError as error:
                errors.append(error)
                continue
            return self._access.door(str(found[0]), seconds=_ANSWER_SECONDS)
        raise errors[-1] if errors else ShopSphereError("no name server is known")
