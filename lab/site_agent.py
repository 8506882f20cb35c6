"""The agent of a site: a process on its host, and the rules that the host starts with."""

from __future__ import annotations

from ipaddress import IPv4Network
from pathlib import Path

from lab.cluster.credentials import agent_kubeconfig
from lab.cluster.nodes import LabNode
from lab.component import Component
from lab.host_firewall import FILE, SWITCHED_ON
from lab.hosts import load_hosts
from lab.own_program import own_program
from lab.paths import disk_directory
from lab.witness import make_witness_keys
from runbooks.agent.written import AgentPlaces, agent_config, host_config
from shopsphere.estate.databases import POSTGRESQL_PORT
from shopsphere.estate.host_rules import first_rules
from shopsphere.estate.witness_seats import client_urls
from shopsphere.foundation.files import write_whole
from shopsphere.topology import Pair, Topology
from shopsphere.witness.keys import hand_out, user_files
from shopsphere.witness.users import agent_user


def agent_components(node: LabNode, pair: Pair, topology: Topology) -> list[Component]:
    """Return the agent of a node and its door, and write their configuration and the host's first fence.

    The one of the first node is the site's; each further one keeps its own node's fence.
    """
    site = node.site
    disk = disk_directory(node.name)
    disk.mkdir(parents=True, exist_ok=True)
    hand_out(user_files(make_witness_keys(pair, topology), agent_user(site.name)), disk / "witness-keys")
    config = agent_config(
        site,
        pair,
        node=node.name if node.number > 1 else "",
        listen=node.address,
        witness=client_urls(pair, topology),
        places=AgentPlaces(disk / "witness-keys", agent_kubeconfig(node.name), disk / "permit.json"),
        askers=_askers(node),
        state_askers=_state_askers(topology),
        firewall=_firewall(node),
        signed=True,
    )
    file = disk / "agent.json"
    file.write_text(config.model_dump_json(indent=2))
    write_whole(disk / "fence.nft", first_rules(POSTGRESQL_PORT, further=node.number > 1))
    return _with_door("runbooks.agent", file)


def unpaired_components(node: LabNode, topology: Topology) -> list[Component]:
    """Return the agent of a node of a site without a pair, which tells what its host enforces, and its door.

    Their configuration is written.
    """
    site, disk = node.site, disk_directory(node.name)
    disk.mkdir(parents=True, exist_ok=True)
    file = disk / "agent.json"
    config = host_config(
        site,
        listen=node.address,
        askers=_askers(node),
        state_askers=_state_askers(topology),
        firewall=_firewall(node),
    )
    file.write_text(config.model_dump_json(indent=2))
    return _with_door("runbooks.agent.unpaired", file)


def _with_door(agent: str, config: Path) -> list[Component]:
    """Return an agent and its door: two processes, so that nobody who asks can keep the agent from its lease."""
    packages = ("runbooks", "shopsphere")
    programs = (("site-agent", agent), ("site-door", "runbooks.agent.door"))
    return [own_program(name, module, str(config), packages=packages, priority=1) for name, module in programs]


def _firewall(node: LabNode) -> Path | None:
    return disk_directory(node.name) / FILE if SWITCHED_ON else None


def _askers(node: LabNode) -> tuple[IPv4Network, ...]:
    """Return from where the site's API server asks for a host's rules: a further node is not its own host."""
    return (IPv4Network(node.site.address),) if node.number > 1 else ()


def _state_askers(topology: Topology) -> tuple[IPv4Network, ...]:
    """Return who sees names and reasons of operators: their machine alone; a pod seems to be its host."""
    return (IPv4Network(load_hosts(topology).workstation.address),)
