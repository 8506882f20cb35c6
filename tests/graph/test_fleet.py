"""The fleet check on the real stacks of both environments, clean and with one declaration in one of them changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import test_edge_graph as edge
import yaml
from kubeconfigs import kubeconfig
from site_graph import GraphOf, committed_stacks
from test_policies_on_graphs import RULES, edge_resources, resources_of
from unplaced import without_source_positions
from ways_out import Plant, added, all_of, by_provider, changed

from policies.fleet.check import Report, Scope, check
from policies.fleet.environment import judge_environment
from policies.resource import Resource
from shopsphere.estate.stack import Environment
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.topology import load_topology

EU = {
    "app.kubernetes.io/name": "exporter",
    "shopsphere.io/data-class": "operational",
    "shopsphere.io/jurisdiction": "eu",
    "shopsphere.io/site": "dublin",
    "shopsphere.io/owner": "reporting",
}
EXPORTER = {
    "metadata": {"name": "exporter", "namespace": "exporter", "labels": EU},
    "spec": {"template": {"metadata": {"labels": EU}, "spec": {"containers": [{"name": "exporter"}]}}},
}
SHOP = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}
READS_THE_SHOP = {
    "metadata": {"name": "to-shop", "namespace": "exporter", "labels": EU},
    "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [SHOP], "ports": [{"port": 8000}]}]},
}
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
ADDRESSES = {
    "lab": {"dublin": "10.99.0.12", "ashburn": "10.99.0.21", "newyork": "10.99.0.40"},
    "prod": {"dublin": "198.51.100.12", "ashburn": "198.51.100.13", "newyork": "198.51.100.17"},
}
"""Written in topology.yaml, and in production as the tests fill it in."""


def policy_to(address: str) -> dict[str, object]:
    peers = [{"ipBlock": {"cidr": f"{address}/32"}}]
    return {
        "metadata": {"name": "to-headquarters", "namespace": "exporter", "labels": EU},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": peers, "ports": [{"port": 443}]}]},
    }


def external(name: str, address: str, port: str) -> dict[str, object]:
    return {"name": name, "connectionParameters": {"host": address, "port": port}}


def declared(graph_of: GraphOf, environment: str) -> dict[str, list[Resource]]:
    """Every stack of an environment as it is committed."""
    stacks = {
        stack: resources_of(graph_of(project, stack), stack)
        for project, stack in committed_stacks()
        if stack.startswith(f"{environment}-")
    }
    return {**stacks, environment: edge_resources(environment)}


def judged(stacks: dict[str, list[Resource]], environment: str) -> Report:
    files = {stack: f"{stack}.yaml" for stack in stacks}
    model = load_topology(environment=environment)
    return check(RULES, stacks, model, Scope(environment, "all", tuple(stacks), frozenset(model.sites), files))


@pytest.mark.requirement("the clean stacks of both environments give no finding, of one stack or of all together")
@pytest.mark.parametrize("environment", edge.ENVIRONMENTS)
def test_nothing_leaves_the_committed_fleet(graph_of: GraphOf, environment: str) -> None:
    report = judged(declared(graph_of, environment), environment)
    assert [each.finding.message for each in report.findings] == []
    assert report.exit_code is ExitCode.GOOD
    assert len(report.stacks) == 8
    assert report.flows > report.stores > 60, "the graph was built, and is not empty"


def replica_at_headquarters(address: dict[str, str]) -> Plant:
    labels = {**EU, "shopsphere.io/site": "newyork", "shopsphere.io/data-class": "aggregate"}
    spec = {
        "bootstrap": {"pg_basebackup": {"source": "ledger-dublin"}},
        "externalClusters": [external("ledger-dublin", address["dublin"], "30033")],
    }
    props = {"metadata": {"name": "sums", "namespace": "reporting", "labels": labels}, "spec": spec}
    return added("kubernetes:postgresql.cnpg.io/v1:Cluster", props)


def exporter_of_what_it_is_told(address: dict[str, str]) -> Plant:
    return all_of(
        added("kubernetes:apps/v1:Deployment", EXPORTER),
        added(NETWORK_POLICY, READS_THE_SHOP),
        added(NETWORK_POLICY, policy_to(address["newyork"])),
    )


def archive_at_headquarters(address: dict[str, str]) -> Plant:
    store = {"destinationPath": "s3://wal", "endpointURL": f"https://{address['newyork']}:9000"}
    return changed("Cluster", "ledger-dublin", "spec", "backup", {"barmanObjectStore": store})


def cluster_of_another_region(address: dict[str, str]) -> Plant:
    return by_own_provider(yaml.safe_dump(kubeconfig("x", f"https://{address['ashburn']}:6443")))


def by_own_provider(document: str) -> Plant:
    return all_of(
        by_provider(kubeconfig=document, context="x"),
        changed("kubernetes", "dublin", "kubeconfig", document),
        changed("kubernetes", "dublin", "context", "x"),
    )


SEEDED = {
    "replica": (replica_at_headquarters, "newyork", "FLT-001",
                "ledger-frankfurt (payment, eu) -> replication -> ledger-dublin -> replication -> sums"),
    "archive": (archive_at_headquarters, "dublin", "FLT-002",
                "ledger-frankfurt (payment, eu) -> replication -> ledger-dublin -> backup -> s3://wal at newyork"),
    "exporter": (exporter_of_what_it_is_told, "dublin", "FLT-007",
                 "shop at dublin (personal, eu) -> read -> exporter at dublin -> egress -> newyork"),
    "kubeconfig": (cluster_of_another_region, "dublin", "FLT-008",
                   "commerce-frankfurt (personal, eu) -> replication -> commerce-dublin -> credential -> ashburn"),
}  # fmt: skip


@pytest.mark.requirement("what leaves by a way through several stacks is found in the real ones, with its path")
@pytest.mark.parametrize("environment", edge.ENVIRONMENTS)
@pytest.mark.parametrize("name", SEEDED)
def test_a_way_through_several_stacks_is_found(graph_of: GraphOf, environment: str, name: str) -> None:
    plant, site, rule, path = SEEDED[name]
    stacks = declared(graph_of, environment)
    stack = f"{environment}-{site}"
    stacks[stack] = plant(ADDRESSES[environment])(stacks[stack])
    report = judged(stacks, environment)
    paths = {(each.stack, each.finding.check, " -> ".join(each.steps)) for each in report.findings if each.steps}
    assert (stack, rule, path) in paths, paths
    assert report.exit_code is ExitCode.VIOLATED


@pytest.mark.requirement("the fleet check needs no engine and no lab")
def test_the_lab_is_judged_where_none_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with without_source_positions():
        report = judge_environment(load_topology(environment="lab"), "rdc-a", Environment.LAB)
    assert [each.finding.message for each in report.findings] == []
    assert set(report.stacks) == {"lab-frankfurt", "lab-dublin"}
    assert len(report.files) == 8
    assert list(tmp_path.iterdir()) == [], "nothing is written"
