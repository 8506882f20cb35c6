"""The lab with several nodes at each site: names, addresses, racks, programs; and with one, as it always was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import node_count, record
from lab.cloud_controller import power_capacity
from lab.cluster.configuration import node_labels, write_containerd
from lab.cluster.credentials import prepare, prepare_node
from lab.cluster.nodes import NodesError, further_nodes, node_of, nodes_of, pod_routes
from lab.hosts import HostKind, load_hosts
from lab.network.control import ways_between
from lab.plan import components_of, wanted_hosts
from lab.volumes import host_of
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import Topology, load_topology

ONE = load_topology()
WORKERS = {"refused", "containerd", "kubelet", "kube-proxy", "kube-router", "pod-routes", "site-agent", "site-door"}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    monkeypatch.setattr("lab.plan.give_to_databases", lambda _folder: None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A topology of the test's own, beside which the lab may write."""
    copy = tmp_path / "topology.yaml"
    copy.write_text(TOPOLOGY_FILE.read_text())
    return copy


@pytest.fixture
def two(file: Path) -> Topology:
    node_count.choose(2, file)
    return load_topology(file, environment="lab")


def test_further_nodes_have_names_and_addresses_of_their_own(two: Topology) -> None:
    assert [(node.name, str(node.address), str(node.pods)) for node in nodes_of(two.site("frankfurt"))] == [
        ("frankfurt", "10.99.0.11", "10.11.0.0/24"),
        ("frankfurt-2", "10.99.1.11", "10.11.1.0/24"),
    ]
    hosts = load_hosts(two)
    host = hosts.host("frankfurt-2")
    assert host.kind is HostKind.NODE
    assert hosts.rtt_ms("frankfurt", "frankfurt-2", two) == 0.2
    assert hosts.rtt_ms("frankfurt-2", "dublin", two) == 25.2
    assert node_of(host, two).number == 2


@pytest.mark.requirement("racks are failure domains: each is of one node")
def test_racks_are_shared_out(two: Topology) -> None:
    first, second = nodes_of(two.site("frankfurt"))
    assert [*first.racks, *second.racks] == [1, 2, 3, 4, 5, 6, 7, 8]
    labels = node_labels(second, two)
    assert (labels["shopsphere.io/rack"], labels["shopsphere.io/racks"]) == ("r5", "4")
    assert "rack.shopsphere.io/r4" not in labels
    assert power_capacity(second)["shopsphere.io/watts"] == "75000"
    assert power_capacity(first)["rack.shopsphere.io/r4-watts"] == "18750"


@pytest.mark.requirement("a lab of one node is what it was")
def test_one_node_is_unchanged(file: Path) -> None:
    node_count.choose(1, file)
    assert not file.with_name("topology.lab.yaml").exists()
    (node,) = nodes_of(ONE.site("frankfurt"))
    assert power_capacity(node)["shopsphere.io/watts"] == "150000"
    assert len([name for name in node_labels(node, ONE) if name.startswith("rack.")]) == 8
    assert {host.kind for host in load_hosts(ONE).hosts.values()}.isdisjoint({HostKind.NODE})
    network = json.loads((write_containerd(node).parent / "cni" / "10-pods.conflist").read_text())["plugins"][0]
    assert network["ipMasq"]
    assert network["ipam"]["ranges"] == [[{"subnet": "10.11.0.0/24"}]]
    programs = components_of(load_hosts(ONE).host("frankfurt"), ["rdc-a"], ONE)
    assert "pod-routes" not in {each.name for each in programs}
    agent = json.loads(Path(programs_file("frankfurt")).read_text())
    assert agent["node"] == ""


def programs_file(host: str) -> Path:
    from lab.paths import disk_directory  # noqa: PLC0415 the folder is this test's own

    return disk_directory(host) / "agent.json"


def test_a_further_node_runs_what_pods_need_and_an_agent_of_its_own(two: Topology) -> None:
    hosts = load_hosts(two)
    programs = {each.name: each for each in components_of(hosts.host("frankfurt-2"), ["rdc-a"], two)}
    assert set(programs) == WORKERS
    assert "--hostname-override=frankfurt-2" in programs["kubelet"].command
    assert "--node-ip=10.99.1.11" in programs["kubelet"].command
    agent = json.loads(programs_file("frankfurt-2").read_text())
    assert agent["askers"] == ["10.99.0.11/32"], "the API server is on another host"
    assert (agent["site"], agent["node"], agent["listen"]) == ("frankfurt", "frankfurt-2", "10.99.1.11")
    assert (programs_file("frankfurt-2").parent / "fence.nft").exists(), "a node starts shut off"
    first = {each.name: each for each in components_of(hosts.host("frankfurt"), ["rdc-a"], two)}
    assert set(first) >= WORKERS | {"etcd", "kube-apiserver"}
    assert "--node-monitor-grace-period=8s" in first["kube-controller-manager"].command
    assert json.loads(programs_file("frankfurt").read_text())["node"] == ""


def test_the_nodes_of_a_region_start_with_it(two: Topology) -> None:
    names = {host.name for host in wanted_hosts(["rdc-a"], two, load_hosts(two))}
    assert {"frankfurt", "frankfurt-2", "dublin", "dublin-2"} <= names
    assert "chicago-2" not in names, "a seat of the witness has no pods"


def test_pods_of_one_node_reach_those_of_the_other_under_their_own_addresses(two: Topology) -> None:
    first, second = nodes_of(two.site("frankfurt"))
    script = pod_routes(second, "/bin").command[-1]
    assert "ip route replace 10.11.0.0/24 via 10.99.0.11 dev eth0" in script
    assert "-s 10.11.1.0/24 ! -d 10.11.0.0/17 -j MASQUERADE" in script
    assert "10.11.1.0/24 via" not in script
    assert " ;" not in script, "supervisord takes what follows for a comment"
    network = json.loads((write_containerd(first).parent / "cni" / "10-pods.conflist").read_text())["plugins"][0]
    assert not network["ipMasq"]


def test_a_node_has_no_administrators_keys(two: Topology) -> None:
    site = two.site("frankfurt")
    prepare(site)
    found = prepare_node(site, "frankfurt-2").directory
    assert {each.name for each in found.glob("*.kubeconfig")} == {
        "agent.kubeconfig", "kubelet.kubeconfig", "proxy.kubeconfig", "router.kubeconfig",
    }  # fmt: skip
    assert yaml.safe_load((found / "kubelet.kubeconfig").read_text())["users"][0]["user"]


@pytest.mark.parametrize("count", [0, 5, 9])
def test_a_number_that_no_lab_can_have_is_refused(count: int) -> None:
    with pytest.raises(NodesError, match="1 to 4"):
        further_nodes(ONE, count)


def test_a_lab_that_runs_keeps_its_number(file: Path) -> None:
    node_count.choose(2, file)
    record.add_regions(["rdc-a"])
    node_count.choose(2, file)
    with pytest.raises(NodesError, match="another number of nodes"):
        node_count.choose(1, file)
    record.forget()
    node_count.choose(1, file)
    assert not file.with_name("topology.lab.yaml").exists()


def test_a_file_of_somebody_else_is_left_alone(file: Path) -> None:
    own = file.with_name("topology.lab.yaml")
    own.write_text("sites: {}\n")
    with pytest.raises(NodesError, match="not the lab's own"):
        node_count.choose(2, file)
    node_count.forget(file)
    assert own.exists()


def test_a_volume_is_emptied_where_it_is() -> None:
    terms: list[dict[str, Any]] = [{"matchExpressions": [{"key": "shopsphere.io/site", "values": ["frankfurt"]}]}]
    volume = {"spec": {"nodeAffinity": {"required": {"nodeSelectorTerms": terms}}}}
    assert host_of(volume, "frankfurt") == "frankfurt"
    terms[0]["matchExpressions"].append({"key": "kubernetes.io/hostname", "values": ["frankfurt-2"]})
    assert host_of(volume, "frankfurt") == "frankfurt-2"


@pytest.mark.requirement("a site loses power with all its nodes, and a node alone")
def test_a_name_stands_for_its_nodes(two: Topology) -> None:
    hosts = load_hosts(two)
    assert hosts.together("frankfurt") == ("frankfurt", "frankfurt-2")
    assert hosts.together("frankfurt-2") == ("frankfurt-2",)
    assert hosts.together("edge") == ("edge",)
    assert load_hosts(ONE).together("frankfurt") == ("frankfurt",)


def test_a_cut_between_sites_is_one_between_all_nodes(two: Topology) -> None:
    hosts = load_hosts(two)
    assert set(hosts.between("frankfurt", "dublin")) == {
        ("frankfurt", "dublin"), ("frankfurt", "dublin-2"), ("frankfurt-2", "dublin"), ("frankfurt-2", "dublin-2"),
    }  # fmt: skip
    assert hosts.between("frankfurt", "frankfurt-2") == [("frankfurt", "frankfurt-2")]
    assert ways_between(load_hosts(ONE), "frankfurt", "dublin", one_way=True) == [["frankfurt", "dublin"]]
