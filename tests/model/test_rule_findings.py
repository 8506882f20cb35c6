"""All that a rule finds in one stack, written by hand: each thing once, and no more than that."""

from __future__ import annotations

import pytest
from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN
from policy_cases.judging import RULES, CaseOf, findings
from policy_cases.lim_007_volumes_for_databases import volume

from policies.resource import Resource
from shopsphere.estate.placement import OWNER_LABEL, RACK_LABEL

FOUND: dict[str, tuple[str, CaseOf, list[tuple[str, str, str]]]] = {
    "a pod without an owner is told once, it has no template": (
        "RES-001",
        k8s.POD.but("metadata", "labels", OWNER_LABEL, REMOVED),
        [
            (
                "Pod 'one' (urn:pulumi:lab-frankfurt::rdc-a::kubernetes:core/v1:Pod::one)",
                "metadata.labels has no shopsphere.io/owner",
                "the team that answers for it",
            )
        ],
    ),
    "a database is told once, however many of its instances have no volume": (
        "LIM-007",
        [k8s.DATABASE.but("spec", "instances", 3.0), volume("v1", "1Gi")],
        [
            (
                "the stack",
                "no volume of 1Gi or more for payment data that ledger-frankfurt could have for itself",
                "for each instance of a database one volume of its class of data, as large as its size or larger",
            )
        ],
    ),
    "a value that nobody can know yet": (
        "LIM-001",
        k8s.DEPLOYMENT.but("spec", "template", "spec", "nodeSelector", {RACK_LABEL: UNKNOWN}),
        [
            (
                "Deployment 'shop' (urn:pulumi:lab-frankfurt::rdc-a::kubernetes:apps/v1:Deployment::shop)",
                "spec.template.spec.nodeSelector.shopsphere.io/rack is not known before the update",
                "a value that is known at preview",
            )
        ],
    ),
}


@pytest.mark.parametrize(("rule_id", "declared", "found"), FOUND.values(), ids=FOUND)
def test_a_rule_finds_this_and_no_more(rule_id: str, declared: CaseOf, found: list[tuple[str, str, str]]) -> None:
    told = findings(RULES[rule_id], declared)
    assert [(each.subject, each.found, each.allowed) for each in told] == found


@pytest.mark.parametrize(
    ("urn", "stack", "environment"),
    [
        ("urn:pulumi:prod-frankfurt::rdc-a::kubernetes:core/v1:Namespace::shop", "prod-frankfurt", "prod"),
        ("urn:pulumi:lab::edge::shopsphere:edge:CdnOrigin::cdn", "lab", "lab"),
        ("urn:pulumi:draft-frankfurt::rdc-a::kubernetes:core/v1:Namespace::shop", "draft-frankfurt", ""),
        ("urn:pulumi:lab-dublin::rdc-a", "lab-dublin", "lab"),
        ("cluster:prod-frankfurt", "", ""),
        ("", "", ""),
    ],
)
def test_stack_and_environment_come_from_the_urn(urn: str, stack: str, environment: str) -> None:
    resource = Resource("kubernetes:core/v1:Namespace", "shop", urn, {}, None, "")
    assert (resource.stack, resource.environment) == (stack, environment)
