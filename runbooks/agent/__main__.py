"""`python -m runbooks.agent CONFIG.json`: the agent in the foreground, for a supervisor to keep running."""

from __future__ import annotations

import os
import sys
import uuid
from functools import cache
from pathlib import Path

from runbooks.agent.agent import Agent
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role, SiteLedger, SiteRole, all_lead
from runbooks.agent.door import Door
from runbooks.agent.fence import FirewallFence
from runbooks.agent.kernel_rules import KernelRules
from runbooks.agent.log import tell
from runbooks.agent.permits import PermitKeeper
from runbooks.agent.watches import watches
from shopsphere.clients.cluster import Cluster
from shopsphere.foundation.errors import UsageError
from shopsphere.witness import Witness

NICE = -10
"""A higher priority than the pods have: an agent that waits for the processor shuts a healthy site off."""


def main() -> None:
    """Read the configuration, shut the databases off, then run."""
    if len(sys.argv) != 2:  # noqa: PLR2004 program and file
        raise UsageError("usage: python -m runbooks.agent CONFIG.json")
    config = AgentConfig.model_validate_json(Path(sys.argv[1]).read_text())
    os.nice(NICE)

    @cache  # an error is not cached: the kubeconfig may be written later
    def cluster() -> Cluster:
        return Cluster(config.kubeconfig, config.context, seconds=2)

    known = SiteRole(config.site)

    def role() -> Role:
        return known.ask(cluster())

    def leads() -> bool:
        return all_lead(cluster(), config.site)

    witness = Witness(config.pair, config.witness)
    permits = PermitKeeper(
        config.permit, cluster, pair=config.pair, site=config.site, peer=config.peer, session=uuid.uuid4().hex
    )
    ledger = SiteLedger(cluster, config.site, config.peer)
    fence = FirewallFence(config.database_port)
    woken_by = watches(witness, config.witness, cluster)
    agent = Agent(config, witness, fence, role, leads, ledger, permits, tell, watches=woken_by)
    agent.start_closed()
    rules = KernelRules(config.site, config.listen, config.askers, fence, config.guard)
    Door(str(config.listen), config.port, agent.doors, agent.describe, rules).start()
    agent.run()


main()
