"""A site with an event log: off by default, on by one key, and what is declared then."""

import json
from typing import Any

import pulumi
import pytest
from event_log_stack import CLUSTER, OWN, config_with, without_event_log
from site_graph import GraphOf, build, complete_config
from test_policies_on_graphs import RULES, resources_of

from app.clicks.settings import VARIABLES
from components.event_log import EventLogError
from policies.judging import judge
from shopsphere.deploy.declared_graph import Graph


@pytest.fixture(scope="module")
def own() -> Graph:
    return build("rdc-a", "lab-frankfurt", config_with(OWN))


@pytest.fixture(scope="module")
def elsewhere() -> Graph:
    return build("rdc-a", "lab-frankfurt", config_with(CLUSTER))


def collector_of(graph: Graph) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the collector's pod, and the values of its variables."""
    pod: dict[str, Any] = graph.get("Deployment", "collector", "collector")["spec"]["template"]["spec"]
    return pod, {each["name"]: each["value"] for each in pod["containers"][0]["env"]}


def test_sites_of_the_lab_have_it_and_production_says_whether(graph_of: GraphOf) -> None:
    for stack in ("lab-frankfurt", "lab-dublin", "prod-frankfurt"):
        graph = graph_of("rdc-a", stack)
        has_it = stack.startswith("lab-")
        assert bool(graph.of("StatefulSet")) == has_it
        assert bool({each.name for each in graph.of("Namespace")} & {"kafka", "collector"}) == has_it


def test_nothing_else_comes_or_changes_but_admission(own: Graph) -> None:
    without = build("rdc-a", "lab-frankfurt", without_event_log(complete_config("rdc-a", "lab-frankfurt")))
    before = {each.key: each.state for each in without.objects}
    after = {each.key: each.state for each in own.objects}
    changed = {key[2] for key in before if after.get(key) != before[key]}
    assert changed == {
        "shopsphere-labels", "shopsphere-namespaces", "shopsphere-labels-of-others", "shopsphere-workloads",
        "shopsphere-unlisted-kinds", "shopsphere-bindings-of-controllers", "shopsphere-roles-of-namespaces",
        "shop", "gateway", "gateway-configuration",
    }  # fmt: skip
    assert {key[1] or key[2] for key in set(after) - set(before)} == {
        "kafka", "collector", "insight", "recommend", "frankfurt-v5", "shop", "gateway", "data-commerce",
    }  # fmt: skip


@pytest.mark.requirement("with the event log every rule of the pack holds")
def test_the_pack_approves_both(own: Graph, elsewhere: Graph) -> None:
    for graph in (own, elsewhere):
        assert [each.message for each in judge(RULES, resources_of(graph, "lab-frankfurt"))] == []


def test_the_broker_is_one_pod_with_one_volume_of_its_site_and_class(own: Graph) -> None:
    spec = own.get("StatefulSet", "kafka", "kafka")["spec"]
    assert spec["replicas"] == 1
    (claim,) = spec["volumeClaimTemplates"]
    assert claim["spec"] == {
        "storageClassName": "frankfurt-pinned",
        "accessModes": ["ReadWriteOnce"],
        "selector": {"matchLabels": {"shopsphere.io/data-class": "personal"}},
        "resources": {"requests": {"storage": "2Gi"}},
    }
    pod = spec["template"]["spec"]
    assert pod["securityContext"]["fsGroup"] == 10001
    (first,) = pod["initContainers"]
    assert {"kafka.tools.StorageTool", "--ignore-formatted"} <= set(first["command"])
    broker, keeper = pod["containers"]
    assert "-Xmx160m" in broker["command"]
    # 0.1 cores * 12 W + 0.28 GiB * 1.5 W, rounded up.
    assert broker["resources"]["limits"] == {"memory": "288Mi", "shopsphere.io/watts": "2"}
    assert keeper["command"] == ["shop", "keep-log"]
    probes = {kind: broker[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert probes == {
        "startup": {"path": "/livez", "port": 8013},
        "liveness": {"path": "/livez", "port": 8013},
        "readiness": {"path": "/readyz", "port": 8013},
    }
    assert own.get("PodDisruptionBudget", "kafka", "kafka")["spec"]["maxUnavailable"] == 1
    hard = own.get("ResourceQuota", "kafka", "objects")["spec"]["hard"]
    assert hard["persistentvolumeclaims"] == "2"


@pytest.mark.requirement("only declared programs reach the broker")
def test_its_clients_alone_have_a_way_to_the_broker(own: Graph) -> None:
    policies = [each for each in own.of("NetworkPolicy") if each.namespace == "kafka"]
    ways = {each.name: each.state["spec"]["ingress"] for each in policies if each.state["spec"].get("ingress")}
    assert ways == {
        f"kafka-from-{client}": [
            {
                "ports": [{"port": 9092, "protocol": "TCP"}],
                "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": client}}}],
            }
        ]
        for client in ("collector", "insight")
    }
    assert {each.name for each in policies if each.state["spec"].get("egress")} == {"kafka-to-dns"}


@pytest.mark.requirement("the collector writes to as many partitions as the topic has")
def test_partitions_and_files_are_those_that_the_collector_reads(own: Graph) -> None:
    pod, settings = collector_of(own)
    clicks = {name: value for name, value in settings.items() if name.startswith("CLICKS_")}
    assert clicks == {
        "CLICKS_BOOTSTRAP": "kafka.kafka.svc.cluster.local:9092",
        "CLICKS_PARTITIONS": "7",
        "CLICKS_AUTHORITY_FILE": "/etc/shopsphere/files/ca.crt",
        "CLICKS_CERTIFICATE_FILE": "/etc/shopsphere/files/tls.crt",
        "CLICKS_KEY_FILE": "/etc/shopsphere/files/tls.key",
    }
    assert set(clicks) <= VARIABLES
    declared = json.loads(own.get("ConfigMap", "kafka", "event-log-declaration")["data"]["declaration.json"])
    assert {each["name"]: each["partitions"] for each in declared["topics"]}["clicks"] == 7
    assert {"name": "files", "secret": {"secretName": "collector-files"}} in pod["volumes"]
    (container,) = pod["containers"]
    assert {"name": "files", "mountPath": "/etc/shopsphere/files", "readOnly": True} in container["volumeMounts"]
    assert set(own.get("Secret", "collector", "collector-files")["stringData"]["value"]) == {
        "ca.crt",
        "tls.crt",
        "tls.key",
    }


def test_a_cluster_that_exists_is_reached_by_configuration_alone(elsewhere: Graph) -> None:
    assert not elsewhere.of("StatefulSet")
    _, settings = collector_of(elsewhere)
    assert {name: value for name, value in settings.items() if name.startswith("CLICKS_")} == {
        "CLICKS_BOOTSTRAP": "k1.example:9093,k2.example:9093",
        "CLICKS_PARTITIONS": "6",
        "CLICKS_AUTHORITY_FILE": "/etc/shopsphere/files/ca.crt",
        "CLICKS_SASL_MECHANISM": "SCRAM-SHA-512",
        "CLICKS_SASL_USER": "clicks",
        "CLICKS_SASL_PASSWORD_FILE": "/etc/shopsphere/files/password",
    }
    (way,) = elsewhere.get("NetworkPolicy", "collector", "to-event-log")["spec"]["egress"]
    assert way["ports"] == [{"port": 9093, "protocol": "TCP"}]
    assert [each["ipBlock"]["cidr"] for each in way["to"]] == ["10.50.0.1/32", "10.50.0.2/32"]


@pytest.mark.parametrize(
    ("kafka", "said"),
    [
        ({}, "size, for a broker of the site's own, or bootstrapServers"),
        ({"size": "2Gi", "bootstrapServers": "a:1"}, "and not both"),
        ({"size": "2Gi", "saslUser": "x"}, "should not have saslUser"),
        ({"bootstrapServers": "k1.example:9093"}, "should have networks, authority, saslUser too"),
        ({**CLUSTER, "bootstrapServers": "k1.example"}, "should be host:port"),
        ({"size": "2Gi", "clickPartitions": 0}, "clickPartitions"),
    ],
    ids=["neither", "both", "own with a user", "cluster without a password", "no port", "no partitions"],
)
def test_what_cannot_be_is_refused(kafka: dict[str, Any], said: str) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        build("rdc-a", "lab-frankfurt", config_with(kafka))


def test_two_brokers_are_refused() -> None:
    with pytest.raises(EventLogError, match="the site's own broker is one node"):
        build("rdc-a", "lab-frankfurt", config_with({"size": "2Gi"}, brokers=2))
