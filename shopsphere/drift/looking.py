"""A whole run: every site of a target side by side, each with its own state, its own credentials and its own bound."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from shopsphere.clients.postgres_inventory import take_inventory
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.deploy.exporting import exported_state
from shopsphere.drift.database_role import standing_of
from shopsphere.drift.databases import look_at_databases
from shopsphere.drift.declared import Declared, declared_objects
from shopsphere.drift.edge import look_at_edge
from shopsphere.drift.host_finding import ALL_HOSTS
from shopsphere.drift.hosts import DeclaredHosts, declared_hosts, look_at_hosts
from shopsphere.drift.ignores import Ignore, read_ignores, sift
from shopsphere.drift.judging import judge
from shopsphere.drift.kinds import find_kind
from shopsphere.drift.live import Lists
from shopsphere.drift.live import look as look_at_lists
from shopsphere.drift.model import Report, SiteDrift, Unseen, worst_first
from shopsphere.drift.repair import Repair, repair_at
from shopsphere.drift.rights import Rights, owners_rights
from shopsphere.estate.access import HostPortsAccess, read_access, site_access
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.host_openings import site_ports
from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, StackId, edge_stack, site_stack, sites_of
from shopsphere.foundation import bounded
from shopsphere.foundation.errors import told
from shopsphere.topology import Topology

SITE_SECONDS = 90.0
"""Bound on a site (s), with the reading of its state."""
DATABASES_SECONDS = 60.0
"""Bound on what the look at a site's databases takes longer than that at its objects (s)."""
HOSTS_SECONDS = 15.0
"""The same for the look at its hosts."""
ANSWER_SECONDS = 10.0
"""Bound on each request to a cluster (s)."""
_WHOLE = "the whole site"

Look = Callable[[StackId], SiteDrift]


def compare(topology: Topology, target: str, environment: Environment) -> Report:
    """Compare all sites of a target, and the edge, with what their stacks declare."""
    stacks = [site_stack(topology, site, environment) for site in sites_of(topology, target)]
    if target in {EDGE, EVERYTHING}:
        stacks.append(edge_stack(environment))
    found = side_by_side(stacks, partial(look_at, topology), seconds=SITE_SECONDS)
    return report(target, environment, found, read_ignores(), datetime.now(UTC).date())


def side_by_side(stacks: Sequence[StackId], look: Look, *, seconds: float) -> list[SiteDrift]:
    """Look at sites at the same time; one that hangs, or fails, is unknown and hides no other."""
    end = time.monotonic() + seconds
    asked = [bounded.start(partial(look, stack), name=f"drift of {stack.label}") for stack in stacks]
    found = []
    for stack, answer in zip(stacks, asked, strict=True):
        try:
            found.append(bounded.answer_of(answer, what=f"the look at {stack.label}", seconds=end - time.monotonic()))
        except Exception as error:  # noqa: BLE001 - whatever keeps a site from being looked at, nothing is known of it
            found.append(SiteDrift(stack.label, unseen=(Unseen(stack.label, _WHOLE, told(error)),)))
    return found


def report(target: str, environment: str, sites: Sequence[SiteDrift], ignores: Sequence[Ignore], today: date) -> Report:
    """Put the sites together and leave out what is accepted."""
    seen = {each.site for each in sites if not each.unseen}
    sifted = sift([drift for each in sites for drift in each.drifts], ignores, seen=seen, today=today)
    return Report(target, environment, tuple(sites), tuple(worst_first(sifted.drifts)), sifted.ignored)


def look_at(topology: Topology, stack: StackId) -> SiteDrift:
    """Compare a site, or the edge."""
    return look_at_site(topology, stack) if stack.site else look_at_edge(stack)


def look_at_site(topology: Topology, stack: StackId) -> SiteDrift:
    """Compare one site.

    Raises:
        ShopSphereError: its state cannot be read, or its cluster cannot be reached from here.
    """
    began = time.monotonic()
    repair = repair_at(stack)
    cluster = cluster_of(stack, Role.DRIFT, seconds=ANSWER_SECONDS)
    exported = exported_state(stack)
    servers = bounded.start(
        lambda: look_at_databases(
            declared_objects(exported),
            cluster,
            partial(take_inventory, cluster),
            partial(standing_of, stack.region, stack.environment),
            repair,
        ),
        name=f"databases of {stack.label}",
    )
    rules = rules_of(topology, stack)
    hosts = bounded.start(partial(look_at_hosts, rules, cluster, repair), name=f"hosts of {stack.label}")
    found = judge_site(exported, cluster, repair, rights_at(topology, stack, rules))
    found = together(found, databases_of(servers, stack.label))
    found = together(found, hosts_of(hosts, stack.label))
    return replace(found, seconds=round(time.monotonic() - began, 1))


def rights_at(topology: Topology, stack: StackId, hosts: DeclaredHosts) -> Rights:
    """Return what tells the rights that the owner of a site's cluster applied."""
    return partial(owners_rights, topology, stack.label, agent_port=hosts.agent_port)


def rules_of(topology: Topology, stack: StackId) -> DeclaredHosts:
    """Return what the hosts of a site should enforce."""
    site = topology.site(stack.label)
    return declared_hosts(
        site,
        topology,
        paired=topology.pair_of(stack.label) is not None,
        environment=stack.environment,
        agent_port=site_access(stack).site_agent_port,
        named=site_ports(site, read_access(HostPortsAccess, stack)),
    )


def databases_of(asked: Future[SiteDrift], site: str, *, seconds: float = DATABASES_SECONDS) -> SiteDrift:
    """Return what the look at a site's databases found; one that fails, or does not end, hides nothing else."""
    return _part_of(asked, site, "the databases", seconds)


def hosts_of(asked: Future[SiteDrift], site: str, *, seconds: float = HOSTS_SECONDS) -> SiteDrift:
    """Return what the look at a site's hosts found; one that fails, or does not end, hides nothing else."""
    return _part_of(asked, site, ALL_HOSTS, seconds)


def _part_of(asked: Future[SiteDrift], site: str, what: str, seconds: float) -> SiteDrift:
    try:
        return bounded.answer_of(asked, what=f"the look at {what} of {site}", seconds=seconds)
    except Exception as error:  # noqa: BLE001 - as of a whole site
        return SiteDrift(site, unseen=(Unseen(site, what, told(error)),))


def together(objects: SiteDrift, part: SiteDrift) -> SiteDrift:
    """Return both looks at a site as one."""
    return replace(
        objects,
        declared=objects.declared + part.declared,
        live=objects.live + part.live,
        drifts=objects.drifts + part.drifts,
        unseen=objects.unseen + part.unseen,
    )


def judge_site(exported: Mapping[str, Any], cluster: Lists, repair: Repair, rights: Rights) -> SiteDrift:
    """Compare an exported state, and the rights that the cluster's owner applied, with a cluster."""
    declared = declared_objects(exported)
    declared += rights(declared)
    if not declared:
        why = "its stack declares nothing: it was never deployed, or was removed"
        return SiteDrift(repair.site, unseen=(Unseen(repair.site, _WHOLE, why),))
    namespaces = {each.name for each in declared if each.kind == "Namespace"}
    seen = look_at_lists(cluster, namespaces)
    unseen = [Unseen(repair.site, f"objects of the kind {kind}", why) for kind, why in seen.unreadable.items()]
    unseen += unknown_kinds(declared, repair.site)
    comparable = [each for each in declared if each.kind not in seen.unreadable and find_kind(each.version, each.kind)]
    drifts = judge(comparable, seen.lives, repair)
    return SiteDrift(repair.site, len(declared), len(seen.lives), tuple(drifts), tuple(unseen))


def unknown_kinds(declared: Sequence[Declared], site: str) -> list[Unseen]:
    """Return the declared kinds that cannot be compared."""
    unknown = {(each.version, each.kind) for each in declared if find_kind(each.version, each.kind) is None}
    why = "it is not among those that are compared; add it to shopsphere/drift/kinds.py"
    return [Unseen(site, f"objects of the kind {kind} ({version})", why) for version, kind in sorted(unknown)]
