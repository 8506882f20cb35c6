"""What has to be ready at a site follows from its declaration and its stack's configuration; all wait for the same."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import pytest

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.clients.workloads import find_workloads
from shopsphere.deploy.verification import site_problems
from shopsphere.estate.event_log_site import SITE_WITH_BROKER, SITE_WITH_CLUSTER
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.ready_workloads import (
    ReadyWorkload,
    WorkloadKind,
    declaration_of,
    ready_workloads,
    ready_workloads_of,
)
from shopsphere.estate.site_declaration import HEADQUARTERS_SITE, REGIONAL_SITE
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.status.sites import problem_of, site_facts
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("who operates a site waits for its event log as for everything else")

TOPOLOGY = load_topology()
STACK = site_stack(TOPOLOGY, "frankfurt", Environment.LAB)
USUAL = {"shop", "payments", "gateway", "archive-commerce", "archive-ledger"}
BROKER = ReadyWorkload(WorkloadKind.STATEFUL_SET, "kafka")
SHOP = ReadyWorkload(WorkloadKind.DEPLOYMENT, "shop")
DEPLOYMENTS, STATEFUL_SETS = "/apis/apps/v1/deployments", "/apis/apps/v1/statefulsets"


@pytest.mark.parametrize(
    ("site", "archived", "deployments", "stateful_sets"),
    [
        (REGIONAL_SITE, True, USUAL, set()),
        (REGIONAL_SITE, False, {"shop", "payments", "gateway"}, set()),
        (SITE_WITH_BROKER, True, {*USUAL, "collector", "insight", "recommend"}, {"kafka"}),
        (SITE_WITH_CLUSTER, True, {*USUAL, "collector", "insight", "recommend"}, set()),
        (HEADQUARTERS_SITE, True, set(), set()),
    ],
)
def test_what_has_to_be_ready(site: Any, archived: bool, deployments: set[str], stateful_sets: set[str]) -> None:
    found = ready_workloads(site, archived=archived)
    of_kind = {kind: {each.name for each in found if each.kind is kind} for kind in WorkloadKind}
    assert of_kind == {WorkloadKind.DEPLOYMENT: deployments, WorkloadKind.STATEFUL_SET: stateful_sets}
    of_event_log = {each.name for each in found if each.of_event_log}
    assert of_event_log == (deployments | stateful_sets) - USUAL


@pytest.mark.parametrize(
    ("configuration", "declared"),
    [
        ({}, REGIONAL_SITE),
        ({"shopsphere:kafka": {"size": "2Gi"}}, SITE_WITH_BROKER),
        ({"shopsphere:kafka": {"bootstrapServers": "k1:9093"}}, SITE_WITH_CLUSTER),
        ({"status:kafka": {"size": "2Gi"}}, REGIONAL_SITE),
    ],
)
def test_the_stacks_configuration_says_what_there_is(configuration: dict[str, Any], declared: object) -> None:
    assert declaration_of(TOPOLOGY, STACK, lambda _: configuration) is declared


def test_headquarters_have_no_workloads() -> None:
    stack = site_stack(TOPOLOGY, TOPOLOGY.headquarters, Environment.LAB)
    assert declaration_of(TOPOLOGY, stack, lambda _: {"shopsphere:kafka": {"size": "2Gi"}}) is HEADQUARTERS_SITE
    assert ready_workloads_of(TOPOLOGY, stack) == ()


def workload(name: str, *, ready: int = 1, updated: int = 1) -> dict[str, Any]:
    status = {
        "observedGeneration": 1, "replicas": 1, "readyReplicas": ready, "availableReplicas": ready,
        "updatedReplicas": updated,
    }  # fmt: skip
    return {
        "metadata": {"namespace": name, "name": name, "generation": 1},
        "spec": {"replicas": 1},
        "status": status,
    }


class Site:
    """A site's API with these workloads and nothing else; who asks another question learns that it is none."""

    context = "frankfurt"

    def __init__(self, **lists: list[dict[str, Any]]) -> None:
        self.lists = {f"/apis/apps/v1/{kind}": found for kind, found in lists.items()}
        empty = ("/api/v1/nodes", "/api/v1/pods", "/api/v1/persistentvolumes", "/apis/batch/v1/jobs")
        self.lists |= {path: [] for path in (*empty, "/apis/postgresql.cnpg.io/v1/clusters")}

    def items(self, path: str, **_query: str) -> list[dict[str, Any]]:
        if path not in self.lists:
            raise NotFoundError(path)
        return self.lists[path]


def problems(site: Site, *declared: ReadyWorkload) -> list[str]:
    return site_problems(cast("Cluster", site), declared)


def test_a_site_without_a_broker_is_not_asked_for_stateful_sets() -> None:
    """Its role may not have the right to list them yet."""
    assert problems(Site(deployments=[workload("shop")]), SHOP) == []


def test_up_waits_for_the_broker() -> None:
    shop = [workload("shop")]
    assert problems(Site(deployments=shop, statefulsets=[workload("kafka")]), SHOP, BROKER) == []
    waiting = problems(Site(deployments=shop, statefulsets=[workload("kafka", ready=0)]), SHOP, BROKER)
    assert waiting == ["statefulset kafka/kafka: 1 of 1 pods are current, 0 available"]
    old = problems(Site(deployments=shop, statefulsets=[workload("kafka", updated=0)]), SHOP, BROKER)
    assert old == ["statefulset kafka/kafka: 0 of 1 pods are current, 1 available"]


def test_up_waits_for_what_is_declared_and_not_there() -> None:
    site = Site(deployments=[workload("shop")], statefulsets=[])
    assert problems(site, SHOP, BROKER) == ["statefulset kafka/kafka: is not there"]
    assert problems(Site(deployments=[]), SHOP) == ["deployment shop/shop: is not there"]


def test_status_tells_of_a_broker_without_a_pod() -> None:
    def problem(*stateful_sets: dict[str, Any]) -> str:
        site = cast("Cluster", Site(deployments=[workload("shop")], statefulsets=[*stateful_sets]))
        return problem_of(site_facts(TOPOLOGY, "frankfurt", site, SiteKubectl("/k", "frankfurt"), (SHOP, BROKER)))

    assert problem(workload("kafka")) == ""
    assert problem(workload("kafka", ready=0)) == "statefulset kafka/kafka has 0 of 1 pods ready"
    assert problem() == "statefulset kafka/kafka is not there"


def test_what_nobody_declared_is_found_beside_the_declared() -> None:
    asked = partial(Site(deployments=[workload("shop"), workload("other", ready=0)]).items)
    found = find_workloads(asked, (SHOP,))
    assert [(each.place, each.is_ready) for each in found] == [("shop/shop", True), ("other/other", False)]
