"""Whether a permit stands against what the quorum answers, also just after a witness that was lost is back.

A quorum that is back gives every lease its whole time anew: what it shows as held may be nobody's any more. So a permit
that is refused for such a lease is taken up again when the lease runs out. A lease that is renewed does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from runbooks.agent.config import Margins
from runbooks.agent.permits import Permits
from runbooks.agent.state import FRESH_SECONDS
from runbooks.permit import Permit
from shopsphere.foundation.clock import Clock

STALE_SECONDS = 2.0 * Margins().lease
"""Seconds after the witness's return in which a lease that nobody renews has ended, also with one more election."""


class Answers:
    """What the quorum's answers mean for a permit of this site.

    Args:
        site: this one.
        permits: where a permit is refused or taken up again.
        tell: gets one line per decision.
        clock: replaceable in tests.
    """

    def __init__(self, site: str, permits: Permits, tell: Callable[[str], None], clock: Clock) -> None:
        self._site, self._permits, self._tell, self._clock = site, permits, tell, clock
        self._back_at = -math.inf
        self._may_be_stale = False  # the lease for which a permit was refused

    def came(self, asked_at: float, *, last: float) -> None:
        """Take note of an answer of the quorum; `last`: monotonic time at which the one before it was asked for."""
        if asked_at - last >= FRESH_SECONDS:
            self._back_at = asked_at

    def judge(self, standing: Permit | None, lease_holder: str) -> bool:
        """Refuse a permit while another site holds the lease, or take it up again; return whether either was done."""
        other_writes = lease_holder not in {"", self._site}
        is_just_back = self._clock.monotonic() - self._back_at < STALE_SECONDS
        if standing and standing.active == self._site and other_writes:
            self._may_be_stale = is_just_back
            self._permits.refuse(standing, f"the witness answers: {lease_holder} holds the lease to write")
            self._tell(f"permit of {standing.actor} refused: {self._permits.refused}")
            return True
        if not is_just_back:
            self._may_be_stale = False  # somebody renews it
        if not self._may_be_stale or other_writes:
            return False
        self._may_be_stale = False
        self._permits.take_up_again()
        self._tell("the lease for which the permit was refused has ended: the permit counts again")
        return True
