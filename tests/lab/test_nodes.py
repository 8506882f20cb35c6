"""Sites of two nodes: for a lab that was started with `shopsphere lab up rdc-a --nodes 2`; skipped in any other."""

from __future__ import annotations

import json
from functools import partial

import pytest
from lab_access import At
from lab_command import shopsphere

from lab.cluster.addons import kubectl
from lab.cluster.nodes import nodes_of
from lab.leading import leading_pod
from shopsphere.foundation.clock import wait_until
from shopsphere.status.quantities import is_true
from shopsphere.topology import Topology, load_topology
from shopsphere.witness import Witness

SITES = ("frankfurt", "dublin")
PAIR = "rdc-a"


@pytest.fixture
def topology() -> Topology:
    """As the lab has it: with its further nodes."""
    return load_topology(environment="lab")


@pytest.fixture(autouse=True)
def of_several_nodes(topology: Topology) -> None:
    if any(len(topology.site(site).nodes) == 1 for site in SITES):
        pytest.skip("the lab's sites have one node; start it with --nodes 2")


def places(site: str, database: str) -> dict[str, str]:
    """Node of each instance."""
    words = ["-n", f"data-{database}", "-l", f"cnpg.io/cluster={database}-{site}", "-o", "json"]
    pods = json.loads(kubectl(site, "get", "pods", *words))["items"]
    return {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in pods}


@pytest.mark.requirement("two instances per database and site, each on a node of its own")
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("database", ["commerce", "ledger"])
def test_instances_are_apart(site: str, database: str) -> None:
    assert sorted(places(site, database).values()) == [site, f"{site}-2"]


def ready_pods(site: str, namespace: str) -> dict[str, str]:
    """Node of each pod that is ready and not told to end."""
    pods = json.loads(kubectl(site, "get", "pods", "-n", namespace, "-o", "json"))["items"]
    staying = [pod for pod in pods if is_true(pod, "Ready") and not pod["metadata"].get("deletionTimestamp")]
    return {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in staying}


@pytest.mark.requirement("gateways and shops are on several nodes")
@pytest.mark.parametrize(("site", "workload"), [("frankfurt", "gateway"), ("frankfurt", "shop"), ("dublin", "gateway")])
def test_workloads_are_on_both_nodes(site: str, workload: str) -> None:
    found = ready_pods(site, workload)
    if workload != "gateway" and len(set(found.values())) == 1:
        # A node was lost before, and nothing moves pods back: `ready` tells of it, and what to do is this.
        kubectl(site, "-n", workload, "delete", "pod", next(iter(found)), "--wait=false")
    on_both = {site, f"{site}-2"}
    wait_until(lambda: set(ready_pods(site, workload).values()) == on_both, what="a pod on each node", seconds=90)


@pytest.mark.requirement("the fence holds on every node of a site")
def test_each_node_has_a_fence_and_a_lease(at: At, topology: Topology) -> None:
    for site in SITES:
        for node in nodes_of(topology.site(site)):
            assert "shopsphere_fence" in at(node.name, "nft", "list", "tables").stdout


@pytest.mark.requirement("pods reach those of another node under their own addresses")
def test_routes_between_nodes(at: At, topology: Topology) -> None:
    first, second = nodes_of(topology.site("frankfurt"))
    assert str(second.address) in at("frankfurt", "ip", "route", "get", str(second.pods[2])).stdout
    assert str(first.address) in at("frankfurt-2", "ip", "route", "get", str(first.pods[2])).stdout


@pytest.mark.full
@pytest.mark.requirement("the node with the primary is lost, and the site goes on by itself")
def test_a_lost_node(first_witness: Witness) -> None:
    lead_from("frankfurt-2")
    epoch = first_witness.see().require_record(PAIR).epoch
    shopsphere("lab", "power-off", "frankfurt-2")
    try:
        on = places("frankfurt", "commerce")
        (other,) = (pod for pod, node in on.items() if node == "frankfurt")
        leader = partial(leading_pod, "frankfurt", "commerce")
        wait_until(lambda: leader() == other, what="commerce to be led from the other node", seconds=90)
        wait_until(lambda: leads("frankfurt"), what="it to take writes", seconds=30)
        assert first_witness.see().require_record(PAIR).epoch == epoch, "no other site was promoted"
        wait_until(
            lambda: "frankfurt/frankfurt-2" not in first_witness.see().nodes, what="its lease to end", seconds=15
        )
    finally:
        shopsphere("lab", "power-on", "frankfurt-2")
    both = {"frankfurt", "frankfurt-2"}
    ready = partial(ready_pods, "frankfurt", "data-commerce")
    wait_until(lambda: set(ready().values()) == both, what="the node to carry a standby again", seconds=120)


def lead_from(node: str) -> None:
    """Let commerce of frankfurt be led from a node, as its operator's plugin would."""
    on = places("frankfurt", "commerce")
    if on[leading_pod("frankfurt", "commerce")] == node:
        return
    (other,) = (pod for pod, found in on.items() if found == node)
    status = json.dumps({"status": {"targetPrimary": other, "phase": "Switchover in progress"}})
    words = ["-n", "data-commerce", "patch", "clusters.postgresql.cnpg.io", "commerce-frankfurt", "--type=merge"]
    kubectl("frankfurt", *words, "--subresource=status", "-p", status)
    wait_until(lambda: leading_pod("frankfurt", "commerce") == other, what=f"{other} to lead", seconds=120)
    wait_until(lambda: leads("frankfurt"), what="it to take writes", seconds=60)
    # Until the one that led is a standby, nobody can lead in place of the new one, should that be lost.
    ready = partial(ready_pods, "frankfurt", "data-commerce")
    wait_until(lambda: len(set(ready().values())) == 2, what="the one that led to follow", seconds=120)


def leads(site: str) -> bool:
    statement = "select pg_is_in_recovery()"
    done = shopsphere("lab", "psql", site, "commerce", "--", "-XAt", "-c", statement, check=False, seconds=30)
    return done.code == 0 and "f" in done.stdout.split()
