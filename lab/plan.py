"""Which programs run on which host, for the regions that are wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from lab.archive import archive_component, keeper_component, prepare_keys
from lab.cluster import credentials
from lab.cluster.components import kubernetes_components, node_components
from lab.cluster.nodes import node_of, nodes_of
from lab.component import Component
from lab.edge.components import edge_components, lab_settings, prepare
from lab.host_firewall import firewall_components
from lab.hosts import PSP_PORT, Host, HostKind, LabHosts, archive_host
from lab.images.catalogue import POSTGRES_UID
from lab.own_program import own_program
from lab.paths import disk_directory
from lab.record import HEADQUARTERS_REGION
from lab.site_agent import agent_components, unpaired_components
from lab.witness import hand_out_keys, witness_component
from shopsphere.estate.host_rules import guard_of
from shopsphere.estate.witness_seats import seats
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.files import write_whole
from shopsphere.topology import Topology


class UnknownRegionError(ShopSphereError):
    """A name that is no region."""


def sites_of(region: str, topology: Topology) -> tuple[str, ...]:
    """Return the sites of a region, the primary first; `hq` is headquarters alone."""
    if region == HEADQUARTERS_REGION:
        return (topology.headquarters,)
    if region not in topology.pairs:
        raise UnknownRegionError.build(
            f"no region {region!r}",
            expected=", ".join([*sorted(topology.pairs), HEADQUARTERS_REGION, "all"]),
            found=repr(region),
            action="use one of these names",
        )
    return tuple(topology.pair(region).sites)


def expand(regions: Iterable[str], topology: Topology) -> list[str]:
    """Return region names with `all` spelled out, each checked."""
    names = list(regions)
    if "all" in names:
        return [*sorted(topology.pairs), HEADQUARTERS_REGION]
    for name in names:
        sites_of(name, topology)
    return names


def cluster_sites(regions: Iterable[str], topology: Topology) -> list[str]:
    """Return the sites that need a Kubernetes for these regions."""
    return [site for region in regions for site in sites_of(region, topology)]


def wanted_hosts(regions: Iterable[str], topology: Topology, hosts: LabHosts) -> list[Host]:
    """Return the hosts to start: the regions' sites, archives and witness voters, and all that stand for others."""
    regions = list(regions)
    of_regions = {HostKind.SITE, HostKind.NODE, HostKind.ARCHIVE}
    names = {host.name for host in hosts.hosts.values() if host.kind not in of_regions}
    for site in cluster_sites(regions, topology):
        names.update({site, *(node.name for node in topology.site(site).further_nodes)})
    for region in regions:
        if region in topology.pairs:
            pair = topology.pair(region)
            names.update(seats(pair, topology))
            if topology.jurisdictions[pair.jurisdiction].archive:
                names.add(archive_host(pair.jurisdiction))
    return [hosts.host(name) for name in sorted(names)]


def components_of(host: Host, regions: Iterable[str], topology: Topology) -> list[Component]:
    """Return the programs of one host and write the files they read."""
    return [*firewall_components(host, topology), *_own_components(host, regions, topology)]


def _own_components(host: Host, regions: Iterable[str], topology: Topology) -> list[Component]:
    if host.kind is HostKind.EDGE:
        settings = lab_settings()
        prepare(settings, topology)
        return edge_components(settings)
    if host.kind is HostKind.PSP:
        return [_payment_provider(host)]
    if host.kind is HostKind.SITE:
        return _site_components(host.name, list(regions), topology)
    if host.kind is HostKind.NODE:
        return _further_node_components(host, topology)
    if host.kind is HostKind.ARCHIVE:
        return _archive_components(host, topology)
    return []


def _archive_components(host: Host, topology: Topology) -> list[Component]:
    made: list[Component] = []
    for each in topology.jurisdictions.values():
        if each.archive and archive_host(each.name) == host.name:
            prepare_keys(host.name, each.sites)
            made += [archive_component(host.name, each.archive), keeper_component(each)]
    return made


def _site_components(site: str, regions: list[str], topology: Topology) -> list[Component]:
    components = []
    for region in regions:
        if region in topology.pairs and site in seats(topology.pair(region), topology):
            disk_directory(site).mkdir(parents=True, exist_ok=True)
            hand_out_keys(topology.pair(region), site, topology)
            components.append(witness_component(topology.pair(region), site, topology))
    if site in cluster_sites(regions, topology):
        _make_volumes(site)
        pair, own = topology.pair_of(site), topology.site(site)
        first = nodes_of(own)[0]
        components += agent_components(first, pair, topology) if pair else unpaired_components(first, topology)
        write_whole(disk_directory(site) / "pod-guard.nft", guard_of(own).text())
        issued = credentials.prepare(own)
        components += kubernetes_components(own, topology, issued)
    return components


def _further_node_components(host: Host, topology: Topology) -> list[Component]:
    node = node_of(host, topology)
    _make_volumes(host.name)
    pair = topology.pair_of(node.site.name)
    agents = agent_components(node, pair, topology) if pair else unpaired_components(node, topology)
    write_whole(disk_directory(host.name) / "pod-guard.nft", guard_of(node.site).text())
    return [*agents, *node_components(node, topology, credentials.prepare_node(node.site, node.name))]


VOLUMES_PER_SITE = 8


def _make_volumes(host: str) -> None:
    for volume in range(1, VOLUMES_PER_SITE + 1):
        directory = disk_directory(host) / "volumes" / f"v{volume}"
        directory.mkdir(parents=True, exist_ok=True)
        give_to_databases(directory)


def give_to_databases(directory: Path) -> None:
    """Let a volume belong to PostgreSQL alone: whoever may write into it can put other data in place of a site's."""
    if directory.stat().st_mode & 0o007:  # not again: the kubelet has changed it for its pod since
        os.chown(directory, POSTGRES_UID, POSTGRES_UID)
        directory.chmod(0o770)


def _payment_provider(host: Host) -> Component:
    state = disk_directory(host.name)
    state.mkdir(parents=True, exist_ok=True)
    environment = {
        "SHOP_SITE": host.name,
        "SHOP_LISTEN": str(host.address),
        "SHOP_PORT": str(PSP_PORT),
        "PSP_STATE_FILE": str(state / "psp.sqlite"),
    }
    return own_program("psp", "app", "psp", packages=("app",), environment=environment)
