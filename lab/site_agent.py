"""The agent of a site: a process on its host, and the rules that the host starts with."""

from __future__ import annotations

from lab.component import Component
from lab.own_program import own_program
from lab.paths import disk_directory, kubeconfig_path
from runbooks.agent.config import AgentConfig, HostConfig, PodNetworks
from shopsphere.estate.databases import POSTGRESQL_PORT
from shopsphere.estate.host_rules import fence_text
from shopsphere.estate.witness_seats import client_urls
from shopsphere.topology import Pair, Site, Topology


def agent_component(site: Site, pair: Pair, topology: Topology) -> Component:
    """Return the agent of `site`, and write its configuration and the host's first fence."""
    disk = disk_directory(site.name)
    disk.mkdir(parents=True, exist_ok=True)
    config = AgentConfig(
        pair=pair.name,
        site=site.name,
        peer=pair.other_than(site.name),
        first_active=pair.primary,
        witness=client_urls(pair, topology),
        kubeconfig=kubeconfig_path(site.name),
        context=site.name,
        permit=disk / "permit.json",
        listen=site.address,
        pod_guard=_networks(site),
        database_port=POSTGRESQL_PORT,
    )
    file = disk / "agent.json"
    file.write_text(config.model_dump_json(indent=2))
    (disk / "fence.nft").write_text(fence_text(POSTGRESQL_PORT))
    return own_program("site-agent", "runbooks.agent", str(file), packages=("runbooks", "shopsphere"), priority=1)


def unpaired_component(site: Site) -> Component:
    """Return the agent of a site without a pair, which only tells what its host enforces; write its configuration."""
    disk = disk_directory(site.name)
    disk.mkdir(parents=True, exist_ok=True)
    file = disk / "agent.json"
    config = HostConfig(site=site.name, listen=site.address, pod_guard=_networks(site))
    file.write_text(config.model_dump_json(indent=2))
    module = "runbooks.agent.unpaired"
    return own_program("site-agent", module, str(file), packages=("runbooks", "shopsphere"), priority=1)


def _networks(site: Site) -> PodNetworks:
    return PodNetworks(pods=site.pod_network, services=site.service_network)
