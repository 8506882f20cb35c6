"""The configuration of a host's agent, written from the topology: the same for the lab and for hosts of an owner."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from runbooks.agent.config import AgentConfig, HostConfig, PodNetworks
from shopsphere.estate.databases import POSTGRESQL_PORT
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.topology import Pair, Site

Networks = tuple[IPv4Network, ...]


@dataclass(frozen=True)
class AgentPlaces:
    """Where the agent of a pair's site finds on its host what is its own.

    Attributes:
        witness_keys: folder with what `shopsphere.witness.keys.user_files` names.
        kubeconfig: of the site's cluster, with a context of the site's name.
        permit: file that the agent writes, on a disk.
    """

    witness_keys: Path
    kubeconfig: Path
    permit: Path


def agent_config(
    site: Site,
    pair: Pair,
    *,
    witness: tuple[str, ...],
    places: AgentPlaces,
    state_askers: Networks,
    askers: Networks = (),
    guarded: bool = True,
    node: str = "",
    listen: IPv4Address | None = None,
    firewall: Path | None = None,
    port: int = SITE_AGENT_PORT,
    signed: bool = False,
) -> AgentConfig:
    """Return what the agent of a pair's site is told.

    Args:
        site: where it runs.
        pair: the site's.
        witness: client addresses of the voters.
        places: its files.
        state_askers: networks that may see names and reasons of operators.
        askers: networks of API servers on other hosts.
        guarded: whether the host loads the guard of the pods, which kube-router needs.
        node: name of a further node of the site; empty for the site's own agent.
        listen: address of the host; the site's if not given.
        firewall: file of the host's firewall, where it has one of ours.
        port: of its door.
        signed: whether it refuses a record without a signature from the start.
    """
    return AgentConfig(
        pair=pair.name,
        site=site.name,
        node=node,
        peer=pair.other_than(site.name),
        first_active=pair.primary,
        witness=witness,
        witness_keys=places.witness_keys,
        witness_signed=signed,
        kubeconfig=places.kubeconfig,
        context=site.name,
        permit=places.permit,
        listen=listen or site.address,
        askers=askers,
        state_askers=state_askers,
        pod_guard=_networks(site) if guarded else None,
        firewall=firewall,
        port=port,
        database_port=POSTGRESQL_PORT,
        try_packets=True,
    )


def host_config(
    site: Site,
    *,
    state_askers: Networks,
    askers: Networks = (),
    guarded: bool = True,
    listen: IPv4Address | None = None,
    firewall: Path | None = None,
    port: int = SITE_AGENT_PORT,
) -> HostConfig:
    """Return what the agent of a site without a pair is told; the words mean what they mean in `agent_config`."""
    return HostConfig(
        site=site.name,
        listen=listen or site.address,
        askers=askers,
        state_askers=state_askers,
        pod_guard=_networks(site) if guarded else None,
        firewall=firewall,
        port=port,
    )


def _networks(site: Site) -> PodNetworks:
    return PodNetworks(pods=site.pod_network, services=site.service_network)
