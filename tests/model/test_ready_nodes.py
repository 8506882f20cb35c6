"""`ready` at sites of several nodes: every node's fence is proven, and no database runs outside them."""

from __future__ import annotations

from typing import Any

import pytest

from runbooks.readiness.nodes import judge_node, judge_places, judge_spread
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.foundation.finding import Verdict

OPEN: dict[str, Any] = {"databases": True, "writes": True, "because": "lease held in epoch 1", "unproven": ""}


@pytest.mark.requirement("every node's fence is proven before a failover counts as possible")
@pytest.mark.parametrize(
    ("state", "active", "holds", "verdict", "found"),
    [
        ({}, True, True, Verdict.PASSED, "frankfurt-2 is fenced"),
        ({}, False, False, Verdict.PASSED, "frankfurt-2 is fenced"),
        ({"unproven": "the table is gone"}, True, True, Verdict.FAILED, "not proven: the table is gone"),
        ({"databases": False, "because": "no lease"}, True, True, Verdict.FAILED, "closed: no lease"),
        ({}, True, False, Verdict.FAILED, "no lease at the witness"),
    ],
)
def test_a_node(state: dict[str, Any], active: bool, holds: bool, verdict: Verdict, found: str) -> None:
    finding = judge_node("frankfurt-2", {**OPEN, **state}, active=active, holds=holds)
    assert finding.verdict is verdict
    assert found in finding.found


@pytest.mark.requirement("no database runs on a node without a fence")
def test_a_node_that_is_barred() -> None:
    shut = {"databases": False, "because": "no lease: this site may not write"}
    judged = judge_node("frankfurt-2", shut, active=True, holds=False, barred=True)
    assert judged.verdict is Verdict.FAILED
    assert "frankfurt-2 is barred" in judged.found


def test_a_database_on_an_unknown_node() -> None:
    pods = [
        {"metadata": {"name": "ledger-frankfurt-1"}, "spec": {"nodeName": "frankfurt"}},
        {"metadata": {"name": "ledger-frankfurt-2"}, "spec": {"nodeName": "spare"}},
        {"metadata": {"name": "ledger-frankfurt-3"}, "spec": {}},
    ]
    finding = judge_places("frankfurt", pods, ("frankfurt", "frankfurt-2"))
    assert finding.verdict is Verdict.FAILED
    assert "ledger-frankfurt-2 on spare" in finding.found
    assert "ledger-frankfurt-3" not in finding.found
    assert judge_places("frankfurt", pods[:1], ("frankfurt",)).verdict is Verdict.PASSED


def pod(name: str, node: str, *, number: int = 1, ready: str = "True", **metadata: str) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"{name}-{number}", "namespace": name, "labels": {"app.kubernetes.io/name": name}, **metadata,
        },
        "spec": {"nodeName": node},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }  # fmt: skip


NODES = ("frankfurt", "frankfurt-2")
KUBECTL = SiteKubectl("/kube/up", "frankfurt", {Role.OPERATE: "/kube/operate"}, "/kube/owner")
GATEWAYS = [pod("gateway", "frankfurt"), pod("gateway", "frankfurt-2", number=2)]


@pytest.mark.requirement("customers are answered at every node that the site's address leads to")
@pytest.mark.parametrize(
    "pods",
    [
        [pod("gateway", "frankfurt-2"), pod("gateway", "frankfurt-2", number=2)],
        [pod("gateway", "frankfurt", ready="False"), pod("gateway", "frankfurt-2", number=2)],
        [pod("gateway", "frankfurt", deletionTimestamp="2026-11-29T20:00:00Z"), GATEWAYS[1]],
        [GATEWAYS[1], pod("shop", "frankfurt")],
    ],
)
def test_a_node_without_a_gateway(pods: list[dict[str, Any]]) -> None:
    finding = judge_spread("frankfurt", pods, NODES, KUBECTL)
    assert finding.verdict is Verdict.FAILED
    assert "no gateway of frankfurt is ready on frankfurt:" in finding.found


@pytest.mark.requirement("pods that all run on one node of several are told of before that node is lost")
def test_workloads_on_one_node() -> None:
    shops = [pod("shop", "frankfurt"), pod("shop", "frankfurt", number=2)]
    alone = pod("payments", "frankfurt")
    finding = judge_spread("frankfurt", [*GATEWAYS, *shops, alone], NODES, KUBECTL)
    assert finding.verdict is Verdict.FAILED
    assert finding.found.startswith("all pods of shop at frankfurt are on one node")
    assert (
        "`kubectl --kubeconfig /kube/owner --context frankfurt --namespace shop delete pod shop-2`" in finding.action
    ), "none of our roles may delete a pod"
    apart = [shops[0], pod("shop", "frankfurt-2", number=2)]
    assert judge_spread("frankfurt", [*GATEWAYS, *apart, alone], NODES, KUBECTL).verdict is Verdict.PASSED
    collectors = [pod("collector", "frankfurt"), pod("collector", "frankfurt", number=2)]
    found = judge_spread("frankfurt", [*GATEWAYS, *apart, *collectors], NODES, KUBECTL)
    assert found.verdict is Verdict.PASSED, "no order waits for clicks"
