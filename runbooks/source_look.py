"""What the agents of the site that is left say of their own leases, asked beside what goes on.

The voters of the witness may say that nobody has a lease while a site goes on. Whoever rules them can end a lease on
which the site counts by its own clock for up to 7 s, and can renew for that site alone what he hides from others. A
site that answers and says that it may write is believed, whatever they say. One that is lost does not answer, and is
hardly waited for: it was asked when the change began.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from runbooks.engine import bounded
from runbooks.pair_access import PairAccess
from runbooks.site_nodes import State, answering
from shopsphere.estate.site_agent import has_lease
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError

ANSWER_SECONDS = 1.0
"""How long a first answer is waited for, from the question on (s): over 200 ms of WAN it takes 0.4 s. Customers wait,
too; one that comes later counts from then on."""


class SourceLook:
    """The agents of one site; asked at once.

    Args:
        access: the ways to the pair.
        site: which.
        clock: replaceable in tests.
    """

    def __init__(self, access: PairAccess, site: str, clock: Clock = SYSTEM_CLOCK) -> None:
        self._access, self._site, self._clock = access, site, clock
        self._until = clock.monotonic() + ANSWER_SECONDS
        self._first = bounded.start(self._ask, name=f"the agents of {site}")
        self._is_silent = False

    def who_may_write(self) -> str:
        """Return who of the site says that it may write, and for how long; empty where nobody does, or answers."""
        if self._is_silent or not self._has_answered():
            return ""
        states = self._ask()  # what they said at first is old by now
        self._is_silent = not states
        held = [f"{name} for {state['lease_seconds_left']} s" for name, state in states.items() if has_lease(state)]
        return f"nobody has the lease by the witness, and by their agents' own words: {', '.join(held)}" if held else ""

    def _has_answered(self) -> bool:
        try:
            seconds = self._until - self._clock.monotonic()
            self._is_silent = not bounded.answer_of(self._first, what=f"the agents of {self._site}", seconds=seconds)
        except bounded.OutOfTimeError:
            return False
        return not self._is_silent

    def _ask(self) -> Mapping[str, State]:
        found: dict[str, State] = {}
        with suppress(ShopSphereError):  # one that is lost says nothing
            found[self._site] = self._access.agent_state(self._site)
        return {**found, **answering(self._access, self._site)}
