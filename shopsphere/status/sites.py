"""Asks sites side by side; a dead one costs its bound and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from functools import partial

from shopsphere.clients.cluster import PART_OF, Cluster
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.clients.workloads import find_workloads
from shopsphere.estate.access import AccessError
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.kubectl_line import SiteKubectl, kubectl_at
from shopsphere.estate.ready_workloads import ReadyWorkload, ready_workloads_of
from shopsphere.estate.stack import StackId
from shopsphere.status import quantities
from shopsphere.status.databases import databases_of
from shopsphere.status.model import Power, SiteFacts, SiteStatus, role_of
from shopsphere.topology import Topology
from shopsphere.topology.power import base_load, is_near_limit, site_limit

REQUEST_SECONDS = 3.0
SITE_SECONDS = 10.0  # a site that answers each request just in time is still given up after this


def site_statuses(topology: Topology, stacks: Iterable[StackId]) -> tuple[SiteStatus, ...]:
    """Return the status of each site, in order."""
    wanted = list(stacks)
    found: dict[str, SiteStatus] = {}

    def ask(stack: StackId) -> None:
        found[stack.label] = site_status(topology, stack)

    # Daemons: a thread that hangs in a network call must not keep the command from ending.
    threads = [threading.Thread(target=ask, args=(stack,), daemon=True) for stack in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SITE_SECONDS)
    late = f"no whole answer within {SITE_SECONDS:.0f} s"
    return tuple(found.get(stack.label, _dead(stack, late)) for stack in wanted)


def site_status(topology: Topology, stack: StackId) -> SiteStatus:
    """Return the status of one site."""
    try:
        cluster = cluster_of(stack, Role.WATCH, seconds=REQUEST_SECONDS)
        facts = site_facts(topology, stack.label, cluster, kubectl_at(stack), ready_workloads_of(topology, stack))
    except (ClusterError, AccessError) as error:
        return _dead(stack, str(error))
    return SiteStatus(stack.label, stack.region, role_of(facts.databases), facts, problem_of(facts))


def problem_of(facts: SiteFacts) -> str:
    """Return what is wrong at a site by its own facts; empty when all is well."""
    problems = [database.problem for database in facts.databases if database.problem]
    for what, count in (("nodes", facts.nodes), ("pods", facts.pods)):
        if count.ready < count.total:
            problems.append(f"{count.total - count.ready} of {count.total} {what} are not ready")
    problems += facts.unready
    return "; ".join(problems)


def site_facts(
    topology: Topology, site: str, cluster: Cluster, kubectl: SiteKubectl, declared: Collection[ReadyWorkload]
) -> SiteFacts:
    """Return what a site says of itself; what is wrong with it comes with commands for `kubectl`.

    Args:
        topology: of the environment.
        site: which one.
        cluster: its API.
        kubectl: how a person calls it.
        declared: workloads that have to be ready.

    Raises:
        ClusterError: its API does not answer; a database that does not is `unknown`.
    """
    nodes = cluster.items("/api/v1/nodes")
    pods = cluster.items("/api/v1/pods")
    workloads = find_workloads(partial(cluster.items, labelSelector=PART_OF), declared)
    return SiteFacts(
        nodes=quantities.ready_nodes(nodes),
        pods=quantities.ready_pods(pods),
        racks=quantities.rack_count(nodes),
        power=_power(topology, site, nodes, pods),
        storage=quantities.storage(cluster.items("/api/v1/persistentvolumes")),
        databases=databases_of(cluster, pair.name if (pair := topology.pair_of(site)) else "", kubectl),
        unready=tuple(each.said for each in workloads if not each.is_ready),
    )


def _power(
    topology: Topology, site_name: str, nodes: list[quantities.Document], pods: list[quantities.Document]
) -> Power:
    site = topology.site(site_name)
    charged = quantities.requested_watts(pods)
    used, limit = base_load(site, topology) + charged, site_limit(site, topology)
    # What the nodes offer and what the site may draw: whichever is used up first.
    free = min(limit - used, quantities.allocatable_watts(nodes) - charged)
    return Power(used / 1000, free / 1000, limit / 1000, is_near_limit(site, topology, charged))


def _dead(stack: StackId, problem: str) -> SiteStatus:
    return SiteStatus(stack.label, stack.region, "unknown", None, f"unreachable: {problem}")
