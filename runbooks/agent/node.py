"""The agent of a further node of a site: the same loops and the same fence, with a lease of the node's own.

It knows what the agent of the site knows, from the witness itself and from the site's API, and closes the node's fence
on its own clock. What belongs to a site as a whole it leaves to the agent of the site.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from runbooks.agent.agent import Agent
from runbooks.agent.believing import belief_of
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role
from runbooks.agent.fence import PeerFence
from runbooks.agent.place import Found, OldPrimaryError, Place
from runbooks.agent.state import ELSEWHERE, NO_WAY
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.foundation.files import write_whole
from shopsphere.witness import NOT_HEARD, Witness
from shopsphere.witness.identity import Identity
from shopsphere.witness.nodes import NodeWitness
from shopsphere.witness.sites import SiteWitness
from shopsphere.witness.users import agent_user

PART_OF_SITE_SECONDS = 10.0
"""Seconds for which a further node counts as a part of its site after the last look that said so.

CloudNativePG lets another instance lead 15 s after the old primary renewed its lease last, which it does every 2 s;
its lease alone does not keep an old primary from writing. So the node has to be shut after less than 13 s.
That is for writers. A designated primary, at a site that follows, takes no lease (CloudNativePG 1.30): another instance
may be made one at any moment, and until the way to the other site is shut, two of them confirm. PostgreSQL's count of
followers of one name finds that (ADR 46).
"""
NOTICED_SECONDS = 5.0
"""Seconds for which the kernel goes on to show a follower that is gone (`wal_sender_timeout`, pinned at each database).

So the way to the other site stays open for so much less where only followers speak for it.
"""
LOOKS_EVERY = 2.0
"""Seconds between two looks at the databases at most: an API that starts again must not shut a node that is well."""


class NodeAgent(Agent):
    """Takes what `Agent` takes; its witness has to be a `NodeWitness`.

    Closed until the site's API has said who leads; and again when it has not of late, and servers here are not all seen
    to follow: the site may let another instance lead.

    Args:
        place: looks at the instances of the node.
        peers: the fence between them and the pair's other site, database by database.
    """

    def __init__(self, *arguments: Any, place: Place, peers: PeerFence, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._place, self._peers = place, peers
        self._peers_told = math.nan, frozenset[int]()  # equal to nothing: what the kernel has is not known
        self._learn(site_until=0.0, peer_until=0.0)

    def start_closed(self) -> None:
        """Shut the databases off, also from the other site: what they confirm there, their own site may lack.

        Writers first: the proof of both comes last.
        """
        self._fence.close()
        self._peers.close()
        super().start_closed()

    def move_doors(self) -> None:
        """Move the doors, then open or close the way to the other site."""
        super().move_doors()
        with self._moving:
            now, known = self._clock.monotonic(), self._known
            opens = known.reaches_peer(now)
            wanted = (known.peer_until, known.peer_elsewhere) if opens else (0.0, frozenset[int]())
            if wanted == self._peers_told:
                return
            if opens:
                self._peers.open(known.peer_until - now, known.peer_elsewhere)
            else:
                self._peers.close()
            moved, self._peers_told = opens is not bool(self._peers_told[0] > 0), wanted
        if moved:
            shut = ELSEWHERE if known.peer_until > now else NO_WAY
            self._tell("databases here receive from the other site again" if opens else shut)

    def _order_again(self) -> None:
        super()._order_again()
        with self._moving:
            self._peers_told = math.nan, frozenset[int]()

    def renew_lease(self) -> None:
        """Renew the lease; where the node is no part of its site, give it back: it opens nothing, and others wait."""
        if self._lease.taken and not self._is_part_of_site():
            with suppress(*NOT_HEARD):
                self._give_back()  # the fence is shut first, whatever the clock of another loop says
        else:
            super().renew_lease()

    def _may_hold(self) -> bool:
        return super()._may_hold() and self._is_part_of_site()

    def _is_part_of_site(self) -> bool:
        return self._known.site_until > self._clock.monotonic()

    def _look_at_role(self) -> None:
        self._keep(self._place.glance)  # first: what the kernel shows waits for no API that is silent
        found = self._keep(self._place.look)
        if found.silent:
            self._keep(self._place.glance)
        else:
            super()._look_at_role()
        if found.old_primary:
            raise OldPrimaryError(found.old_primary)
        if found.unknown or found.silent:
            raise NoAnswerError(found.unknown or "the site's API does not say who leads each database")

    def _keep(self, look: Callable[[], Found]) -> Found:
        """Look, and learn what follows from it; nothing that was learned before is shortened, but by an old primary."""
        asked, known = self._clock.monotonic(), self._known
        found, until = look(), asked + PART_OF_SITE_SECONDS
        site_until = known.site_until
        if found.old_primary:  # here one may write beside the one that leads: not a moment longer
            site_until = 0.0
        elif not found.unknown and not (found.leaving and site_until <= asked):
            site_until = max(site_until, until)  # not where it comes back: what led here may not know that it is over
        news: dict[str, object] = {"peer_elsewhere": found.elsewhere, "site_until": site_until}
        if found.heard:
            to_peer = until - NOTICED_SECONDS if found.silent else until
            news["peer_until"] = max(known.peer_until, to_peer)
        if found.follows and known.role is Role.REPLICA:  # as little as the API was asked, nothing here takes writes
            news["follows_until"] = max(known.follows_until, until)
        self._learn(**news)
        if known.site_until <= asked < site_until:
            self._record.ring()  # the lease may be taken again
        return found

    def databases_pause(self) -> float:
        """Return the seconds until the next look at the databases; often enough to notice that the API is away."""
        return min(LOOKS_EVERY, super().databases_pause())

    def keep_synchrony(self) -> None:
        """Do nothing: two agents that switch the synchrony of one ledger would each undo what the other did."""


def witness_of_agent(config: AgentConfig) -> Witness:
    """Return the witness as this agent uses it: for its site, or for its node."""
    identity = Identity(config.witness_keys, agent_user(config.site))
    belief = belief_of(config, identity)
    if not config.node:
        return SiteWitness(config.pair, config.witness, identity, site=config.site, belief=belief)
    boot = boot_of(config.run)
    return NodeWitness(config.pair, config.witness, identity, node=config.node, boot=boot, belief=belief)


def boot_of(run: Path) -> str:
    """Return what names this start of the host: made once, in the folder in memory that a start empties."""
    file = run / "boot"
    if not file.exists():
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, uuid.uuid4().hex, mode=0o600)
    return file.read_text()
