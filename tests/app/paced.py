"""The shop's command with two background loops quicker and one wait shorter: no test waits a minute for a turn.

Passwords are hashed with the weight of everything else: with the lowest one, and other tests beside, it takes minutes.
Nothing else differs from `python -m app`. Loops whose pace is a setting take it from there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app import loops
from app.cli import main
from app.customers import hashing
from app.orders import turns
from app.payments import voiding

PACED = frozenset({"settling", "retention"})
SECONDS = 0.3
"""Between two turns of these, and between the first two turns of an order whose payment is not known."""
QUIET_SECONDS = 1.0
"""After a payment is given up, until the provider is believed that it has no charge."""


class PacedLoop(loops.Loop):
    """A loop that rests for a moment only, if it is one of those."""

    def __init__(
        self,
        name: str,
        turn: Callable[[], Awaitable[float | None]],
        every_seconds: float,
        turn_seconds: float = loops.TURN_SECONDS,
    ) -> None:
        super().__init__(name, turn, SECONDS if name in PACED else every_seconds, turn_seconds)


if __name__ == "__main__":
    loops.Loop = PacedLoop  # type: ignore[misc] # before those who take the name from there are imported
    turns.FIRST_WAIT_SECONDS = SECONDS
    voiding.QUIET_SECONDS = QUIET_SECONDS
    hashing._LOWEST_WEIGHT = 0  # noqa: SLF001 - a fact of the machine that the tests share
    main()
