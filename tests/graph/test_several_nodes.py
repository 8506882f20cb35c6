"""Stacks of a site of several nodes: what is declared for each node, and what stays as it is with one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from site_graph import complete_config

from components.network_policies import NetworkModel
from components.pinned_storage import PinnedStorageModel
from components.pod_template import on_each_node, pod_defaults
from components.postgres_spec import cluster_spec
from components.regional_pair import RegionalPair
from lab.cluster.nodes import further_nodes
from policies.admission.site_facts import SiteFacts
from policies.network.destinations import Destinations
from policies.residency.replication_peers import Peers
from shopsphere.estate.databases import COMMERCE, LEDGER
from shopsphere.estate.site_config import RegionalConfig
from shopsphere.estate.stack import Environment
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import Topology, load_topology, parse_topology

ONE = load_topology()
SECRETS = dict.fromkeys(("authority", "server", "replication", "owner", "service", "insight", "recommend"), "secret")


def of(nodes: int) -> Topology:
    document: dict[str, Any] = yaml.safe_load(TOPOLOGY_FILE.read_text())
    for site, found in further_nodes(ONE, nodes).items():
        document["sites"][site]["further_nodes"] = found
    return parse_topology(yaml.safe_dump(document, sort_keys=False))


def pair(topology: Topology, **databases: Any) -> RegionalPair:
    fields = RegionalConfig.model_fields
    config: dict[str, Any] = {
        key.removeprefix("shopsphere:"): value for key, value in complete_config("rdc-a", "lab-frankfurt").items()
    }
    aliases = {str(field.alias) for field in fields.values()}
    plain = {key: value for key, value in config.items() if key in aliases}
    for name, more in databases.items():
        plain["databases"] = {**plain["databases"], name: {**plain["databases"][name], **more}}
    return RegionalPair.of(topology, "rdc-a", "frankfurt", RegionalConfig.model_validate(plain), environment="lab")


def spec(topology: Topology) -> dict[str, Any]:
    return cluster_spec(pair(topology).member(LEDGER), "image", "databases", SECRETS)


@pytest.mark.requirement("a site of one node declares what it declared before")
def test_one_node() -> None:
    found = spec(ONE)
    assert found["instances"] == 1
    assert found["affinity"] == {"nodeSelector": {"shopsphere.io/site": "frankfurt"}}
    assert [each["connectionParameters"]["host"] for each in found["externalClusters"]] == ["10.99.0.12", "10.99.0.11"]
    volumes = PinnedStorageModel(pair(ONE).placement, pair(ONE).config.volumes, ONE.site("frankfurt").nodes).pinned
    assert [(name, node) for name, _, node in volumes] == [
        ("frankfurt-v1", None), ("frankfurt-v2", None), ("frankfurt-v3", None), ("frankfurt-v4", None),
        ("frankfurt-v5", None),
    ]  # fmt: skip


@pytest.mark.requirement("two instances per database and site, each on a node of its own")
def test_two_nodes() -> None:
    found = spec(of(2))
    assert found["instances"] == 2
    assert found["affinity"] == {
        "nodeSelector": {"shopsphere.io/site": "frankfurt"},
        "enablePodAntiAffinity": True,
        "podAntiAffinityType": "required",
        "topologyKey": "kubernetes.io/hostname",
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{taint}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 1,
            }
            for taint in ("not-ready", "unreachable")
        ],
    }


@pytest.mark.requirement("the recovery site follows the primary on whichever node it is")
def test_the_other_site_is_tried_at_each_node() -> None:
    hosts = {each["name"]: each["connectionParameters"]["host"] for each in spec(of(2))["externalClusters"]}
    assert hosts == {"ledger-dublin": "10.99.0.12,10.99.1.12", "ledger-frankfurt": "10.99.0.11,10.99.1.11"}
    model: NetworkModel = pair(of(2)).network()
    assert [str(each) for each in model.peer] == ["10.99.0.12", "10.99.1.12"]


@pytest.mark.requirement("the ledger stays synchronous across sites: an instance beside it does not stand for the peer")
def test_the_ledger_waits_for_the_other_site() -> None:
    assert spec(of(2))["postgresql"]["synchronous"] == spec(ONE)["postgresql"]["synchronous"]
    assert spec(of(2))["postgresql"]["synchronous"]["standbyNamesPre"] == ["ledger-dublin"]
    assert spec(of(2))["postgresql"]["synchronous"]["maxStandbyNamesFromCluster"] == 0


def test_a_volume_is_of_one_node() -> None:
    topology = of(2)
    found = pair(topology)
    volumes = PinnedStorageModel(found.placement, found.config.volumes[:1], topology.site("frankfurt").nodes).pinned
    assert [(name, node) for name, _, node in volumes] == [
        ("frankfurt-v1", "frankfurt"), ("frankfurt-v1-n2", "frankfurt-2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "configured", "instances"), [(3, {}, 2), (3, {"instances": 3}, 3), (2, {"instances": 1}, 1)]
)
def test_the_number_can_be_configured(nodes: int, configured: dict[str, int], instances: int) -> None:
    assert pair(of(nodes), commerce=configured).member(COMMERCE).instances == instances


@pytest.mark.requirement("policies know the nodes of a pair's sites, and no others")
def test_policies_know_the_nodes() -> None:
    topology = of(2)
    peers = Peers("ledger", "frankfurt", topology.pair("rdc-a").sites, topology)
    assert peers.is_host("10.99.1.12")
    assert not peers.is_host("10.99.1.21")
    assert not Peers("ledger", "frankfurt", ONE.pair("rdc-a").sites, ONE).is_host("10.99.1.12")
    facts = SiteFacts.of(topology, "frankfurt", Environment.LAB, {}, event_log=True)
    assert {"10.99.1.11", "10.99.1.12"} <= set(facts.hosts)
    assert "10.99.1.21" not in facts.hosts
    assert "10.99.1.21/32" in {str(network) for _, network in Destinations.of(topology, "frankfurt").elsewhere}


@pytest.mark.requirement("customers are answered at every node that a site's address leads to")
@pytest.mark.parametrize(("nodes", "asked", "pods"), [(1, 1, 1), (1, 2, 2), (2, 1, 2), (3, 2, 3), (2, 4, 4)])
def test_a_gateway_on_each_node(nodes: int, asked: int, pods: int) -> None:
    model = pair(of(nodes)).gateway()
    assert replace(model, config=model.config.model_copy(update={"replicas": asked})).replicas == pods


@pytest.mark.requirement("no node of a site has two gateways while another has none")
def test_gateways_wait_for_their_node() -> None:
    by_node, by_rack = on_each_node(pair(of(2)).placement, "gateway")["topology_spread_constraints"]
    assert (by_node["topology_key"], by_node["when_unsatisfiable"]) == ("kubernetes.io/hostname", "DoNotSchedule")
    assert by_node["max_skew"] == 1
    assert [by_rack] == pod_defaults(pair(ONE).placement, "gateway")["topology_spread_constraints"]
