"""What waits for its outcome, orders and payments alike: counted, logged each minute, and told as JSON."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

SAY_EVERY_SECONDS = 60.0
LONG_SECONDS = 300.0
"""What waits longer is for a person."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """How many wait for their outcome, how many of them with a problem, and the age of the oldest (s)."""

    count: int
    with_problem: int
    oldest_seconds: float

    def document(self) -> dict[str, int]:
        """Return it as plain values, in whole seconds."""
        return {
            "count": self.count,
            "with_problem": self.with_problem,
            "oldest_seconds": round(self.oldest_seconds),
        }


def say(what: str, found: Unsettled) -> None:
    """Log how many orders or payments (`what`) wait; as an error when a person has to look."""
    log = structlog.get_logger("unsettled")
    told = log.error if found.with_problem or found.oldest_seconds > LONG_SECONDS else log.info
    told(
        f"unsettled {what}",
        **{what: found.count},
        with_problem=found.with_problem,
        oldest_seconds=round(found.oldest_seconds),
    )
