"""How long the agent's loops sleep when nothing tells them of a change."""

from __future__ import annotations

import math

from runbooks.agent.databases import Role
from runbooks.agent.state import Knowledge
from runbooks.agent.watches import Watches
from shopsphere.foundation.clock import Clock

DOORS_EVERY = 1.0
"""Seconds between two looks at the doors at most; they move at once when something is learned or the lease ends."""
ROLE_EVERY, ROLE_EVERY_MOVING = 0.5, 0.2
RECORD_EVERY, RECORD_EVERY_MOVING = 0.7, 0.05
"""Seconds between two looks at role and record; shorter while the pair is moved, because customers wait for them."""
ROLE_EVERY_WATCHED, RECORD_EVERY_WATCHED = 5.0, 3.0
"""Seconds between two looks while nothing is waited for and a watch would report a change."""
TRUST_AGAIN_AFTER = 60.0
"""Seconds for which the watches of a witness that did not answer are not relied on: they may be dead."""
PROMOTION_EVERY = 0.1
PROMOTION_PATIENCE = 20.0
"""Seconds for which the gateway refuses writes while databases that were replicas do not say that they take them."""
GLANCES = 8
"""While a pair is moved, one look in so many asks the quorum. The others ask one voter, which may be cut off."""
SYNCHRONY_EVERY, SYNCHRONY_SOON = 2.0, 0.5
"""Seconds between two looks at synchrony; the second after one that changed something, or had no answer."""
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
        self._api_answers = True

    def lost_witness(self) -> None:
        """Remember that the witness did not answer."""
        self._witness_lost_at = self._clock.monotonic()

    def heard_of_databases(self, *, answered: bool) -> None:
        """Remember whether the site's API answered all that the last look asked."""
        self._api_answers = answered

    def doors(self, until: float) -> float:
        """Return the seconds until the doors may have to move; `until` is the monotonic time at which they shut."""
        return min(DOORS_EVERY, max(0.0, until - self._clock.monotonic()))

    def record(self, known: Knowledge, *, leased: bool) -> float:
        """Return the seconds until the next look at the record; `leased`: whether this site has the lease."""
        if known.moves:
            return RECORD_EVERY_MOVING
        waits = known.record is None or (known.record.active == self._site and not leased)
        doubtful = self._clock.monotonic() - self._witness_lost_at < TRUST_AGAIN_AFTER
        return RECORD_EVERY if waits or doubtful or not self._watches.of_record() else RECORD_EVERY_WATCHED

    def databases(self, known: Knowledge) -> float:
        """Return the seconds until the next look at the databases: few while their role is not what it should be."""
        if known.moves:
            return ROLE_EVERY_MOVING
        role = Role.PRIMARY if known.record and known.record.active == self._site else Role.REPLICA
        settled = known.record is not None and known.role is role and known.standing_permit is None
        rests = settled and self._api_answers and self._watches.of_databases()
        return ROLE_EVERY_WATCHED if rests else ROLE_EVERY

    def promotion(self, known: Knowledge) -> float:
        """Return the seconds until the next look at a promotion; the loop is woken when one begins."""
        return PROMOTION_EVERY if known.promoting and known.role is Role.PRIMARY else DOORS_EVERY
