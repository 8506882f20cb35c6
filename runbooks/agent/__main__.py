"""`python -m runbooks.agent CONFIG.json`: the agent in the foreground, for a supervisor to keep running."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from runbooks.agent.agent import Agent
from runbooks.agent.audit_heads import LOOK_EVERY, KeptHeads
from runbooks.agent.believing import KEEP_EVERY, BeliefKeeper
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role, SiteRole, all_lead
from runbooks.agent.description import with_heads
from runbooks.agent.fence import FirewallFence
from runbooks.agent.first_node import FirstAgent
from runbooks.agent.in_site import InSiteMoves
from runbooks.agent.kernel_proof import KernelProof
from runbooks.agent.kernel_rules import KernelRules
from runbooks.agent.ledger import SiteLedger
from runbooks.agent.log import tell
from runbooks.agent.loops import Loop
from runbooks.agent.node import NodeAgent, witness_of_agent
from runbooks.agent.own_certificates import with_certificates
from runbooks.agent.packet_proof import FencePackets
from runbooks.agent.permits import PermitKeeper
from runbooks.agent.place import NodePlace
from runbooks.agent.published import Publisher
from runbooks.agent.rules_line import RulesLine
from runbooks.agent.watches import watches
from shopsphere.clients.cluster import Cluster
from shopsphere.estate.databases import REPLICATION_PORTS
from shopsphere.estate.host_rules import PEER_FENCE_TABLE
from shopsphere.foundation.errors import UsageError
from shopsphere.witness.sites import SiteWitness

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

    witness = witness_of_agent(config)
    believing = BeliefKeeper(config, witness.belief)
    keeping = Loop(believing.keep_belief, lambda: KEEP_EVERY, tell)
    permits = PermitKeeper(
        config.permit,
        cluster,
        pair=config.pair,
        site=config.site,
        peer=config.peer,
        session=uuid.uuid4().hex,
        node=config.node,
    )
    ledger = SiteLedger(cluster, config.site, config.peer)
    fence = FirewallFence(config.database_port)
    heads = KeptHeads(config.permit.with_suffix(".audit.jsonl"), witness.audit.heads)
    following = Loop(heads.keep_heads, lambda: LOOK_EVERY, tell, after_an_error=LOOK_EVERY)
    woken_by = watches(witness, config.witness, cluster, following.ring)
    peers = FirewallFence(*REPLICATION_PORTS, name=PEER_FENCE_TABLE) if config.node else None
    fences = [each for each in (fence, peers) if each]
    proofs = [KernelProof(each, FencePackets(*each.ports) if config.try_packets else None) for each in fences]

    def proof() -> None:
        for each in proofs:
            each()

    kind: Callable[..., Agent] = FirstAgent
    if isinstance(witness, SiteWitness):
        kind = partial(FirstAgent, in_site=InSiteMoves(config.site, cluster, witness, tell))
    if peers:
        kind = partial(NodeAgent, place=NodePlace(config.site, config.node, cluster), peers=peers)
    agent = kind(config, witness, fence, role, leads, ledger, permits, tell, watches=woken_by, proof=proof)
    describe = with_certificates(with_heads(believing.described(agent.describe), heads), config)
    publisher = Publisher(config.run, agent.doors, describe, tell)  # if it is the only agent
    agent.start_closed()
    agent.changed = publisher.ring
    publisher.start()
    rules = KernelRules(config.site, fence, config.guard, peers=peers, firewall=config.firewall)
    RulesLine(config.run, rules, tell).start()
    following.start()
    keeping.start()
    agent.run()


main()
