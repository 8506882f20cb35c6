"""The agent of a further node of a site: the same loops and the same fence, with a lease of the node's own.

It knows what the agent of the site knows, from the witness itself and from the site's API, and closes the node's fence
on its own clock. What belongs to a site as a whole it leaves to the agent of the site.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from runbooks.agent.agent import Agent
from runbooks.agent.believing import belief_of
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import OldPrimaryError
from shopsphere.foundation.files import write_whole
from shopsphere.witness import Witness
from shopsphere.witness.identity import Identity
from shopsphere.witness.nodes import NodeWitness
from shopsphere.witness.sites import SiteWitness
from shopsphere.witness.users import agent_user

PART_OF_SITE_SECONDS = 10.0
"""Seconds after an answer of the site's API for which a further node counts as a part of its site.

CloudNativePG lets another instance lead 15 s after the old primary renewed its lease last, which it does every 2 s;
its lease alone does not keep an old primary from writing. So the node has to be shut after less than 13 s.
"""
LOOKS_EVERY = 2.0
"""Seconds between two looks at the databases at most: an API that starts again must not shut a node that is well."""


class NodeAgent(Agent):
    """Takes arguments as `Agent` does; its witness has to be a `NodeWitness`.

    Closed until the site's API has answered, and again when it is silent: the site may let another instance lead.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._learn(site_until=0.0)

    def _look_at_role(self) -> None:
        asked = self._clock.monotonic()
        try:
            super()._look_at_role()
        except OldPrimaryError:  # here one may write beside the one that leads: not a moment longer
            self._learn(site_until=0.0)
            raise
        self._learn(site_until=asked + PART_OF_SITE_SECONDS)

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
