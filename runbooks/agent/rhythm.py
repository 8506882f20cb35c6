"""How long the agent's loops sleep when nothing tells them of a change."""

from __future__ import annotations

import math

from runbooks.agent.databases import Role
from runbooks.agent.state import Knowledge
from runbooks.agent.watches import Watches
from shopsphere.foundation.clock import Clock

DOORS_EVERY = 1.0
"""At the latest; they move at once when something is learned, and when the lease ends."""
ROLE_EVERY, ROLE_EVERY_MOVING = 0.5, 0.2
RECORD_EVERY, RECORD_EVERY_MOVING = 0.7, 0.05
"""Pauses between two looks: customers wait for what follows from them while the pair is moved."""
ROLE_EVERY_WATCHED, RECORD_EVERY_WATCHED = 5.0, 3.0
"""The same while nothing is waited for and a watch would tell of a change."""
TRUST_AGAIN_AFTER = 60.0
"""Seconds for which the witness's watches count for nothing after it did not answer: they may lie dead."""
PROMOTION_EVERY = 0.1
SYNCHRONY_EVERY = 2.0
VOTERS_EVERY = 15.0


class Rhythm:
    """Seconds until each loop's next look.

    Args:
        site: this one.
        watches: of the witness and of the databases.
        clock: replaceable in tests.
    """

    def __init__(self, site: str, watches: Watches, clock: Clock) -> None:
        self._site, self._watches, self._clock = site, watches, clock
        self._witness_lost_at = -math.inf

    def lost_witness(self) -> None:
        """Remember that the witness did not answer."""
        self._witness_lost_at = self._clock.monotonic()

    def doors(self, until: float) -> float:
        """Until the doors may have to move though nothing is learned: they are open until a monotonic time."""
        return min(DOORS_EVERY, max(0.0, until - self._clock.monotonic()))

    def record(self, known: Knowledge, *, leased: bool) -> float:
        """Until the record is looked at; `leased` says whether this site has the lease."""
        if known.moves:
            return RECORD_EVERY_MOVING
        waits = known.record is None or (known.record.active == self._site and not leased)
        doubtful = self._clock.monotonic() - self._witness_lost_at < TRUST_AGAIN_AFTER
        return RECORD_EVERY if waits or doubtful or not self._watches.of_record() else RECORD_EVERY_WATCHED

    def databases(self, known: Knowledge) -> float:
        """Until the databases are looked at."""
        if known.moves:
            return ROLE_EVERY_MOVING
        waits = known.role is None or known.permit is not None
        return ROLE_EVERY if waits or not self._watches.of_databases() else ROLE_EVERY_WATCHED

    def promotion(self, known: Knowledge) -> float:
        """Until a promotion is looked at; its beginning is learned."""
        return PROMOTION_EVERY if known.promoting and known.role is Role.PRIMARY else DOORS_EVERY
