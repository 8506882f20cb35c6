"""Faults inside a site of several nodes; only for a lab that was started with --nodes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from scene import Scene

from runbooks.site_nodes import node_of_leader
from shopsphere.clients.postgres import run_statement
from shopsphere.estate.databases import COMPLETE_COPIES, DATABASES, LEDGER, DatabaseModel
from shopsphere.estate.workloads import PAYMENTS, SHOP
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.status.quantities import is_true


def node_of_primary(scene: Scene, site: str, database: DatabaseModel = LEDGER) -> str:
    """Return the node on which the instance of a database is that leads at a site."""
    return node_of_leader(scene.under_test.access.database(site, database))


def lead_on_further_node(scene: Scene, databases: Sequence[DatabaseModel] = (LEDGER,), site: str | None = None) -> str:
    """Let databases of a site, the active one unless told, be led from a further node; return that node."""
    site = site or scene.active
    lead_on(scene, site, databases, further=True)
    (node,) = {node_of_primary(scene, site, each) for each in databases}
    return node


def lead_on(scene: Scene, site: str, databases: Sequence[DatabaseModel], *, further: bool) -> None:
    """Let databases of a site be led from a further node or from its first one, as their operator's plugin would."""
    moved = [each for each in databases if (node_of_primary(scene, site, each) == site) is further]
    for each in moved:
        _await_complete_copy(scene, each, site)
        _let_another_lead(scene, each, site)
    for each in moved:
        there = partial(_leads_there, scene, each, site, further=further)
        wait_until(there, what=f"another {each.name} to lead at {site}", seconds=120)
    if moved:
        wait_until(scene.under_test.is_steady, what="a steady pair", seconds=300, interval=1)
    for each in databases:
        _await_complete_copy(scene, each, site)


def _spread_services(scene: Scene) -> None:
    """Have a pod of each service on each node of the active site: nothing moves one back after the loss of a node.

    A service whose pods are all beside a closed fence would keep the site from taking orders, and hide a second writer.
    """
    for service in (SHOP, PAYMENTS):
        wait_until(partial(_is_spread, scene, service.name), what=f"{service.name} on two nodes", seconds=120)


def _is_spread(scene: Scene, namespace: str) -> bool:
    cluster = scene.under_test.access.cluster(scene.active)
    pods = [pod for pod in cluster.items(f"/api/v1/namespaces/{namespace}/pods") if not _is_leaving(pod)]
    if not pods or not all(is_true(pod, "Ready") for pod in pods):
        return False
    if len({pod["spec"]["nodeName"] for pod in pods}) > 1:
        return True
    name = pods[0]["metadata"]["name"]
    cluster.delete(f"/api/v1/namespaces/{namespace}/pods/{name}")
    return False


def _is_leaving(pod: Mapping[str, Any]) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _let_another_lead(scene: Scene, database: DatabaseModel, site: str) -> None:
    held = scene.under_test.access.database(site, database)
    found = held.document()["status"]
    others = [each for each in found["instanceNames"] if each != found["currentPrimary"]]
    assert others, f"{site} has one instance of {database.name}: start the lab with --nodes 2"
    status = {"targetPrimary": others[0], "phase": "Switchover in progress"}
    held.cluster.patch(f"{held.path}/status", {"status": status})


def _await_complete_copy(scene: Scene, database: DatabaseModel, site: str) -> None:
    """Wait until another instance of a synchronous database may lead: before, the site's API refuses it (ADR 45).

    At a site that follows, nobody is asked for: any instance may lead there.
    """
    if database.synchronous and site == scene.active:
        what = f"a complete copy of {database.name}"
        wait_until(partial(_has_complete_copy, scene, database), what=what, seconds=120, interval=1)


def _has_complete_copy(scene: Scene, database: DatabaseModel) -> bool:
    """Whether one is named that does not lead: right after a switch it is the new leader that is named still."""
    document = scene.under_test.access.database(scene.active, database).document()
    named = document["metadata"].get("annotations", {}).get(COMPLETE_COPIES, "")
    may = {*named.split(",")} - {"", document["status"]["currentPrimary"]}
    # Its operator lets nobody lead either until it knows whom PostgreSQL waits for: a second or two later.
    group, name = "/apis/postgresql.cnpg.io/v1/namespaces", document["metadata"]["name"]
    path = f"{group}/{database.namespace.name}/failoverquorums/{name}"
    quorum = scene.under_test.access.cluster(scene.active).find(path) or {}
    return bool(may & {*quorum.get("status", {}).get("standbyNames", ())})


def _leads_there(scene: Scene, database: DatabaseModel, site: str, *, further: bool) -> bool:
    return (node_of_primary(scene, site, database) != site) is further


def node_with_primary_lost(scene: Scene) -> None:
    """The node with both primaries loses power: the site goes on with its other instances, without an operator."""
    node = scene.facts["node"] = lead_on_further_node(scene, DATABASES)
    scene.mark("fault")
    scene.under_test.power_off(node)
    wait_until(lambda: _leads_elsewhere(scene, node), what="another instance to lead", seconds=90, interval=0.2)
    scene.facts["in_site_seconds"] = round(time.monotonic() - scene.at["fault"], 2)
    wait_until(lambda: _confirms(scene), what="the ledger to confirm a payment", seconds=90, interval=0.2)
    scene.facts["confirms_after_seconds"] = round(time.monotonic() - scene.at["fault"], 2)
    scene.pause(5, 10)
    scene.expect_active(scene.active)


def _confirms(scene: Scene) -> bool:
    """Whether the active site's ledger acknowledges a transaction, which it does not while it waits for a lost copy."""
    try:
        cluster, namespace, pod = scene.under_test.access.database(scene.active, LEDGER).leader()
        run_statement(cluster, namespace, pod, "SELECT pg_logical_emit_message(true, 'bench', 'confirmed')")
    except ShopSphereError:
        return False
    return True


def _leads_elsewhere(scene: Scene, node: str) -> bool:
    try:
        # First: a question to an instance on the lost node takes long to fail.
        if any(node_of_primary(scene, scene.active, each) == node for each in DATABASES):
            return False
        return bool(scene.under_test.leads(scene.active))
    except ShopSphereError:
        return False


def node_lost_then_site(scene: Scene) -> None:
    """A further node loses power, and a moment later the whole site; an operator moves the pair."""
    scene.under_test.power_off(lead_on_further_node(scene))
    scene.pause(0, 8)
    scene.mark("fault")
    scene.under_test.power_off(scene.active)
    scene.pause(1, 4)
    scene.move("unplanned")


def partition_inside_site(scene: Scene) -> None:
    """The nodes of the active site lose each other; the node with the primary still reaches witness and peer.

    It closes 10 s after it heard its site's API last, so that another instance may lead.
    """
    node = scene.facts["node"] = lead_on_further_node(scene)
    scene.mark("fault")
    scene.under_test.cut(scene.active, node)
    scene.pause(10, 40)
    scene.under_test.heal_links()
    scene.pause(5, 10)
    scene.expect_active(scene.active)


def silent_node_failover(scene: Scene) -> None:
    """The agent of the node with the primary hangs while an operator moves the pair: its lease is waited for."""
    node = scene.facts["node"] = lead_on_further_node(scene)
    scene.under_test.signal(node, "runbooks.agent /", "STOP")
    scene.mark("fault")
    scene.move("unplanned")
    scene.under_test.signal(node, "runbooks.agent /", "CONT")
    scene.pause(3, 6)


def partition_without_node_fence(scene: Scene) -> None:
    """A partition with the fence of the primaries' node alone taken away: two sites take orders, which has to be seen.

    Everything else of the site stays: its own node's fence, and its agent, which gives up the lease in time. Only the
    gateway is let go on, as it asks that agent out of courtesy to customers and is no part of the fence.
    """
    _spread_services(scene)
    node = scene.facts["node"] = lead_on_further_node(scene, DATABASES)
    scene.under_test.fences.remove(node)
    scene.under_test.fences.open_gateway(scene.active, scene.under_test.address(scene.active))
    scene.pause(11, 13)  # the node's lease runs out
    for host in {*scene.under_test.voters, scene.passive}:
        scene.under_test.cut(scene.active, host)
    scene.mark("fault")
    scene.pause(1, 4)
    scene.move("unplanned")
    scene.pause(5, 10)
