"""`python -m runbooks.agent CONFIG.json`: the agent in the foreground, for a supervisor to keep running."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from runbooks.agent.agent import Agent
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role, ledger_is_synchronous, role_of
from runbooks.agent.door import Door
from runbooks.agent.fence import FirewallFence
from runbooks.witness import Witness
from shopsphere.errors import UsageError
from shopsphere.storage.cluster import Cluster

NICE = -10
"""Ahead of the pods: an agent that waits for its turn shuts a healthy site off."""


def main() -> None:
    """Read the configuration, shut the databases off, then run."""
    if len(sys.argv) != 2:  # noqa: PLR2004 program and file
        raise UsageError("usage: python -m runbooks.agent CONFIG.json")
    config = AgentConfig.model_validate_json(Path(sys.argv[1]).read_text())
    os.nice(NICE)

    def cluster() -> Cluster:
        return Cluster(config.kubeconfig, config.context, seconds=2)

    def role() -> Role:
        return role_of(cluster())

    def synchronous() -> bool:
        return ledger_is_synchronous(cluster(), config.site, config.peer)

    def tell(line: str) -> None:
        print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {line}", flush=True)  # noqa: T201 its log

    witness = Witness(config.pair, config.witness)
    agent = Agent(config, witness, FirewallFence(config.database_port), role, synchronous, tell)
    agent.start_closed()
    Door(str(config.listen), config.port, agent.doors, agent.describe).start()
    agent.run()


main()
