"""The agent of a further node of a site: the same loops and the same fence, with a lease of the node's own.

It knows what the agent of the site knows, from the witness itself and from the site's API, and closes the node's fence
on its own clock. What belongs to a site as a whole it leaves to the agent of the site.
"""

from __future__ import annotations

import math
import uuid
from pathlib import Path
from typing import Any

from runbooks.agent.agent import Agent
from runbooks.agent.config import AgentConfig
from runbooks.agent.fence import Fence
from runbooks.agent.place import OldPrimaryError, Place
from runbooks.agent.state import NO_WAY
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.foundation.files import write_whole
from shopsphere.witness import Witness
from shopsphere.witness.identity import Identity
from shopsphere.witness.nodes import NodeWitness
from shopsphere.witness.users import agent_user

PART_OF_SITE_SECONDS = 10.0
"""Seconds for which a further node counts as a part of its site after the last look that said so.

CloudNativePG lets another instance lead 15 s after the old primary renewed its lease last, which it does every 2 s;
its lease alone does not keep an old primary from writing. So the node has to be shut after less than 13 s.
"""
LOOKS_EVERY = 2.0
"""Seconds between two looks at the databases at most: an API that starts again must not shut a node that is well."""


class NodeAgent(Agent):
    """Takes what `Agent` takes; its witness has to be a `NodeWitness`.

    Closed until the site's API has said who leads, or every server here is seen to follow another one; and again when
    neither was seen of late: the site may let another instance lead.

    Args:
        place: looks at the instances of the node.
        peers: the fence between them and the pair's other site.
    """

    def __init__(self, *arguments: Any, place: Place, peers: Fence, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._place, self._peers = place, peers
        self._peers_until = math.nan  # equal to nothing: what the kernel has is not known
        self._learn(site_until=0.0, peer_until=0.0)

    def start_closed(self) -> None:
        """Shut the databases off, also from the other site: what they confirm there, their own site may lack."""
        self._peers.close()
        super().start_closed()

    def move_doors(self) -> None:
        """Move the doors, then open or close the way to the other site."""
        super().move_doors()
        with self._moving:
            now, until = self._clock.monotonic(), self._known.peer_until
            wanted = until if until > now else 0.0
            if wanted == self._peers_until:
                return
            if wanted:
                self._peers.open(wanted - now)
            else:
                self._peers.close()
            moved, self._peers_until = bool(wanted) is not bool(self._peers_until > 0), wanted
        if moved:
            self._tell("databases here receive from the other site again" if wanted else NO_WAY)

    def _order_again(self) -> None:
        super()._order_again()
        with self._moving:
            self._peers_until = math.nan

    def _look_at_role(self) -> None:
        asked = self._clock.monotonic()
        found, until = self._place.look(), asked + PART_OF_SITE_SECONDS
        news = {"peer_until": until} if found.heard else {}
        if found.old_primary:  # here one may write beside the one that leads: not a moment longer
            news |= {"site_until": 0.0}
        elif not found.unknown:
            news |= {"site_until": until}
        self._learn(**news)
        super()._look_at_role()
        if found.old_primary or found.unknown:
            raise OldPrimaryError(found.old_primary) if found.old_primary else NoAnswerError(found.unknown)

    def databases_pause(self) -> float:
        """Return the seconds until the next look at the databases; often enough to notice that the API is away."""
        return min(LOOKS_EVERY, super().databases_pause())

    def keep_synchrony(self) -> None:
        """Do nothing: two agents that switch the synchrony of one ledger would each undo what the other did."""


def witness_of_agent(config: AgentConfig) -> Witness:
    """Return the witness as this agent uses it: for its site, or for its node."""
    identity = Identity(config.witness_keys, agent_user(config.site))
    if not config.node:
        return Witness(config.pair, config.witness, identity)
    return NodeWitness(config.pair, config.witness, identity, node=config.node, boot=boot_of(config.run))


def boot_of(run: Path) -> str:
    """Return what names this start of the host: made once, in the folder in memory that a start empties."""
    file = run / "boot"
    if not file.exists():
        run.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(file, uuid.uuid4().hex, mode=0o600)
    return file.read_text()
