"""What the agents of the site that is left say of their own leases, asked beside what goes on.

The voters of the witness may say that nobody has a lease while a site goes on. Whoever rules them can end a lease on
which the site counts by its own clock for up to 7 s, and can renew for that site alone what he hides from others. A
site that answers and says that it may write is believed, whatever they say. One that is lost does not answer, and is
hardly waited for: it was asked when the change began, or in the last second of its lease.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from functools import partial

from runbooks.engine import bounded
from runbooks.pair_access import PairAccess
from runbooks.site_nodes import State
from shopsphere.estate.site_agent import has_lease
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError

ANSWER_SECONDS = 1.0
"""How long answers are waited for, of all together (s): over 200 ms of WAN each takes 0.4 s. Customers wait, too; one
that comes later counts from then on."""

Asked = dict[str, Future[State]]


class SourceLook:
    """The agents of one site and of its further nodes; all are asked at once.

    Args:
        access: the ways to the pair.
        site: which.
        clock: replaceable in tests.
    """

    def __init__(self, access: PairAccess, site: str, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock, self._until = clock, clock.monotonic() + ANSWER_SECONDS
        self._ways: dict[str, Callable[[], State]] = {site: partial(access.agent_state, site)}
        for node in access.topology.site(site).further_nodes:
            self._ways[node.name] = partial(access.node_state, site, node)
        self._late = self._ask(self._ways)
        self._answering: tuple[str, ...] = ()

    def who_may_write(self) -> str:
        """Return who of the site says that it may write, and for how long; empty where nobody does, or answers.

        Who has not answered the last question is not asked again before he has.
        """
        came, self._late = self._answers(self._late, self._until)
        self._until = 0.0  # from now on only whoever answers is waited for
        asked = self._ask((*self._answering, *came))  # what they said at first is old by now
        states, late = self._answers(asked, self._clock.monotonic() + ANSWER_SECONDS if asked else 0.0)
        self._answering = tuple(states)
        self._late |= late
        held = [f"{name} for {state['lease_seconds_left']} s" for name, state in states.items() if has_lease(state)]
        return f"nobody has the lease by the witness, and by their agents' own words: {', '.join(held)}" if held else ""

    def _ask(self, names: Iterable[str]) -> Asked:
        return {name: bounded.start(self._ways[name], name=f"the agent of {name}") for name in names}

    def _answers(self, asked: Asked, until: float) -> tuple[Mapping[str, State], Asked]:
        """Return what was answered until then, and who has not answered yet; one that is lost says nothing."""
        found: dict[str, State] = {}
        late: Asked = {}
        for name, answer in asked.items():
            seconds = until - self._clock.monotonic()
            try:
                found[name] = bounded.answer_of(answer, what=f"the agent of {name}", seconds=seconds)
            except bounded.OutOfTimeError:
                late[name] = answer
            except ShopSphereError:
                continue
        return found, late
