"""The flows that NetworkPolicies open, each with the place that declares it."""

from __future__ import annotations

from typing import Any

import pytest
from fleet_by_hand import POLICY, block, declared_by, named, opens, program, resource, with_planted, within
from fleet_planted import at_the_first_port

from policies.fleet.graph import fleet_of
from policies.resource import Resource
from shopsphere.foundation.finding import Finding, Verdict
from shopsphere.topology import load_topology

TO_ASHBURN = ["shop at dublin -> egress -> ashburn (spec.egress[0])"]


def policy(*egress: dict[str, Any], name: str = "out", namespace: str = "shop") -> Resource:
    """A NetworkPolicy of the shop at Dublin."""
    props = {"metadata": named(name, namespace, "personal"), "spec": {"egress": list(egress)}}
    return resource("lab-dublin", POLICY, f"{namespace}-{name}", props)


def to_ashburn(*ports: dict[str, Any]) -> list[Resource]:
    return [at_the_first_port("ashburn"), policy({"to": [block("10.99.0.21/32")], "ports": list(ports)})]


DECLARED: dict[str, tuple[list[Resource], list[str]]] = {
    "another site": (to_ashburn({"port": 443}), TO_ASHBURN),
    "another site, at every port": (to_ashburn(), TO_ASHBURN),
    "another site, at every port of a protocol": (to_ashburn({"protocol": "TCP"}), TO_ASHBURN),
    "another site, at a port with a name": (to_ashburn({"port": "https"}), TO_ASHBURN),
    "another site's database, at a port beside one with a name": (
        to_ashburn({"port": "https"}, {"port": 30033}),
        ["shop at dublin -> egress -> ledger-ashburn (spec.egress[0])"],
    ),
    "two of another site's databases": (
        to_ashburn({"port": 30032}, {"port": 30033}),
        [
            "shop at dublin -> egress -> commerce-ashburn (spec.egress[0])",
            "shop at dublin -> egress -> ledger-ashburn (spec.egress[0])",
        ],
    ),
    "a site's pods": ([policy({"to": [block("10.21.4.0/24")]})], TO_ASHBURN),
    "its own site": ([policy({"to": [block("10.99.0.12/32")]})], []),
    "the second of two rules": (
        [policy({"to": [within("gateway")]}, {})],
        [
            "gateway at dublin -> read -> shop at dublin (spec.egress[0])",
            "shop at dublin -> call -> gateway at dublin (spec.egress[0])",
            "shop at dublin -> egress -> anywhere (spec.egress[1])",
        ],
    ),
    "a stranger": (
        [policy({"to": [block("198.51.100.9/32")]})],
        ["shop at dublin -> egress -> 198.51.100.9/32 (spec.egress[0])"],
    ),
    "the archive of its jurisdiction": (
        [policy({"to": [block("10.99.0.61/32")]})],
        ["shop at dublin -> egress -> archive of eu (spec.egress[0])"],
    ),
    "several sites at once": (
        [policy({"to": [block("10.99.0.20/30")]})],
        ["shop at dublin -> egress -> 10.99.0.20/30, where ashburn is (spec.egress[0])"],
    ),
    "a service of its own": ([policy({"to": [block("10.50.0.1/32")]}, name="to-site-agent")], []),
    "the payment provider": (
        [opens("dublin", "payments", block("192.0.2.0/24"), name="to-payment-provider")],
        ["payments at dublin -> egress -> the payment provider (spec.egress[0])"],
    ),
    "pods of its own namespace": ([policy({"to": [{"podSelector": {}}]})], []),
    "what its workload is declared to call": (
        [opens("dublin", "shop", within("payments"))],
        [
            "payments at dublin -> read -> shop at dublin (spec.egress[0])",
            "shop at dublin -> call -> payments at dublin (spec.egress[0], payment only)",
        ],
    ),
    "every namespace of the site": (
        [policy({"to": [{"namespaceSelector": {}}]}, namespace="payments")],
        [
            *(
                way
                for name in ("commerce-dublin", "shop at dublin", "gateway at dublin")
                for way in (
                    f"{name} -> read -> payments at dublin (spec.egress[0])",
                    f"payments at dublin -> call -> {name} (spec.egress[0])",
                )
            ),
            "ledger-dublin -> read -> payments at dublin (spec.egress[0])",
            "payments at dublin -> call -> ledger-dublin (spec.egress[0], payment only)",
        ],
    ),
    "a program that is no policy": ([program("dublin", "shop", "personal")], []),
}


@pytest.mark.parametrize("name", DECLARED)
def test_a_policy_opens_flows_each_with_its_place(name: str) -> None:
    planted, flows = DECLARED[name]
    assert sorted(declared_by(*planted)) == sorted(flows)


@pytest.mark.parametrize("cidr", ["10.99.0.12/24", "everywhere"])
def test_a_network_that_cannot_be_read_is_a_finding(cidr: str) -> None:
    planted = policy({"to": [block(cidr)]})
    _, unread = fleet_of(with_planted(planted), load_topology())
    finding = Finding(
        verdict=Verdict.FAILED, found="ipBlock.cidr is a str", allowed="a network, as in 10.99.0.12/32", action=""
    )
    assert unread == [("lab-dublin", planted, finding)]
