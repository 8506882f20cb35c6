"""The policy pack judges every committed stack: what the repository shows as an example must be allowed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import test_edge_graph as edge
from site_graph import build, committed_stacks, complete_config

from policies import declared
from policies.judging import judge
from policies.registry import discover
from policies.resource import Resource
from shopsphere.deploy.declared_graph import Graph
from shopsphere.foundation.finding import Finding, Verdict

RULES = discover()
ABOUT_SITES = {"RES-001", "RES-003", "RES-004", "RES-005", "RES-006", "RES-007", "RES-008", "RES-009", "RES-010",
               "RES-011", "LIM-001", "LIM-002", "LIM-003", "LIM-004", "LIM-005", "LIM-006", "LIM-007", "NET-001",
               "NET-002", "NET-003", "SEC-001", "SEC-002", "EVT-003"}  # fmt: skip
"""Rules that have something to judge in every regional stack; written by hand."""
ABOUT_EVENT_LOGS = {"EVT-001", "EVT-002", "EVT-004"}
"""Those of a stack with an event log: the lab's have one."""
THE_LABS = "10.99.0.11"
"""Frankfurt's address in topology.yaml; production's is another."""
GraphOf = Callable[[str, str], Graph]


def resources_of(graph: Graph, stack: str) -> list[Resource]:
    """A graph as rules see it, each resource with the provider that creates it."""
    return declared.resources_of(graph, "shopsphere", stack)


def told(findings: list[Finding]) -> str:
    """The findings as a failed test shows them."""
    return "\n".join(finding.message for finding in findings)


@pytest.mark.requirement("every committed stack passes the policy pack, production's filled in")
@pytest.mark.parametrize(("project", "stack"), committed_stacks())
def test_no_rule_has_anything_against_a_site(graph_of: GraphOf, project: str, stack: str) -> None:
    findings = judge(RULES, resources_of(graph_of(project, stack), stack))
    assert findings == [], told(findings)


@pytest.mark.parametrize(("project", "stack"), [each for each in committed_stacks() if each[0] != "hq"])
def test_the_rules_had_something_to_judge(graph_of: GraphOf, project: str, stack: str) -> None:
    resources = resources_of(graph_of(project, stack), stack)
    name = stack.partition("-")[2]
    assert {rule.id for rule in RULES if any(map(rule.applies, resources))} == (
        ABOUT_SITES | ABOUT_EVENT_LOGS if stack.startswith("lab-") else ABOUT_SITES
    )
    clusters = {each.provider["clusterIdentifier"] for each in resources if each.is_kubernetes and each.provider}
    assert clusters == {name}
    assert all(each.provider for each in resources if each.is_kubernetes)


@pytest.mark.requirement("every committed stack passes the policy pack, production's filled in")
@pytest.mark.parametrize("environment", edge.ENVIRONMENTS)
def test_no_rule_has_anything_against_the_edge(environment: str) -> None:
    resources = edge_resources(environment)
    findings = judge(RULES, resources)
    assert findings == [], told(findings)
    assert {rule.id for rule in RULES if any(map(rule.applies, resources))} == {"RES-007", "RES-030", "RES-031"}


def edge_resources(environment: str) -> list[Resource]:
    """The edge's graph as rules see it; dynamic resources have no provider of a site."""
    return declared.resources_of(Graph(edge.committed(environment)), "shopsphere-edge", environment)


def judged_with(key: str, value: Any) -> list[Finding]:
    """Judge Frankfurt's production stack with one key of its configuration changed."""
    config = {**complete_config("rdc-a", "prod-frankfurt"), f"shopsphere:{key}": value}
    return judge(RULES, resources_of(build("rdc-a", "prod-frankfurt", config), "prod-frankfurt"))


@pytest.mark.requirement("a database's member is reached at its site's address in topology.yaml, or not at all")
def test_an_address_of_another_environment_is_refused(graph_of: GraphOf) -> None:
    resources = resources_of(graph_of("rdc-a", "prod-frankfurt"), "prod-frankfurt")
    findings = judge(RULES, [_reached_at(THE_LABS, each) if each.kind == "Cluster" else each for each in resources])
    assert {(each.check, each.verdict) for each in findings} == {("RES-010", Verdict.FAILED)}
    assert all(f"connectionParameters.host: {THE_LABS}" in each.found for each in findings)
    assert all("198.51.100.11 (frankfurt), 198.51.100.12 (dublin)" in each.allowed for each in findings)
    assert {each.subject.split(" (")[0] for each in findings} == {
        "Cluster 'commerce-frankfurt'",
        "Cluster 'ledger-frankfurt'",
    }


def _reached_at(host: str, resource: Resource) -> Resource:
    """A database that is told to find the members of its pair at one address."""
    clusters = [
        {**each, "connectionParameters": {**each["connectionParameters"], "host": host}}
        for each in resource.props["spec"]["externalClusters"]
    ]
    return replace(resource, props={**resource.props, "spec": {**resource.props["spec"], "externalClusters": clusters}})


def test_a_workload_that_grew_beyond_its_site_is_refused() -> None:
    workloads = complete_config("rdc-a", "prod-frankfurt")["shopsphere:workloads"]
    findings = judged_with("workloads", {**workloads, "payments": {**workloads["payments"], "replicas": 20000}})
    assert any(each.check == "LIM-002" and "20000 pods of" in each.found for each in findings), told(findings)


def test_a_namespace_whose_class_was_changed_is_refused(graph_of: GraphOf) -> None:
    resources = resources_of(graph_of("rdc-a", "prod-frankfurt"), "prod-frankfurt")
    spoiled = [_as_aggregate(each) if (each.kind, each.name) == ("Namespace", "shop") else each for each in resources]
    findings = {each.check: each for each in judge(RULES, spoiled)}
    assert set(findings) == {"RES-003", "RES-009"}
    finding = findings["RES-003"]
    assert "class aggregate of jurisdiction eu at site frankfurt" in finding.found


def _as_aggregate(resource: Resource) -> Resource:
    labels = {**resource.labels, "shopsphere.io/data-class": "aggregate"}
    return replace(resource, props={**resource.props, "metadata": {**resource.props["metadata"], "labels": labels}})
