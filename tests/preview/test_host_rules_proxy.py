"""A host's rules through a real API server: its proxy leads to the agent's door, for looking and for loading again."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from kube_api import DEPLOYER, KubeApi
from open_door import OpenDoor
from told_hosts import LISTINGS

from runbooks.agent import kernel_rules
from runbooks.agent.door.callers import Callers
from runbooks.agent.kernel_rules import KernelRules
from shopsphere.drift.host_repair import load_again
from shopsphere.drift.hosts import declared_hosts, look_at_hosts
from shopsphere.drift.model import Kind, SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.estate.host_rules import guard_of
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.stack import Environment
from shopsphere.foundation.paths import tools_directory
from shopsphere.foundation.process import Result, run
from shopsphere.topology import load_topology

SITE = load_topology().site("frankfurt")
GUARD = "shopsphere_pod_guard"


class Kernel:
    """What nft lists of a host without a fence; loading puts the guard back."""

    def __init__(self) -> None:
        printed = json.loads((LISTINGS / "closed.json").read_text())["nftables"]
        self.whole = [each for each in printed if "shopsphere_fence" not in json.dumps(each)]
        self.rules = self.whole

    def flush(self) -> None:
        self.rules = [each for each in self.whole if GUARD not in json.dumps(each)]

    def listing(self) -> str:
        return json.dumps({"nftables": self.rules})

    def load(self, words: Sequence[str], *, stdin: str, **_more: Any) -> Result:
        assert (*words, stdin) == ("nft", "-f", "-", guard_of(SITE).text())
        self.rules = self.whole
        return Result(0, "", "")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApi]:
    started = KubeApi(tmp_path_factory.mktemp("kube"))
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def address() -> str:
    """An address of this machine that the API server proxies to, which loopback is not."""
    found = json.loads(run(["ip", "-4", "-json", "address", "show", "scope", "global"]).stdout)
    addresses = [info["local"] for link in found for info in link.get("addr_info", ())]
    assert addresses, "expected an address beside loopback, found none: give this machine a network"
    return str(addresses[0])


@pytest.fixture(scope="module")
def node(api: KubeApi, address: str) -> str:
    cluster, path = api.cluster(), "/api/v1/nodes/frankfurt/status"
    cluster.create("/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "frankfurt"}})
    cluster.patch(path, {"status": {"addresses": [{"type": "InternalIP", "address": address}]}})
    return "frankfurt"


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    found = Kernel()
    monkeypatch.setattr(kernel_rules, "run", found.load)
    return found


@pytest.fixture
def port(kernel: Kernel, node: str, address: str, tmp_path: Path) -> Iterator[int]:
    """The agent's."""
    rules = KernelRules(node, None, guard_of(SITE), listing=kernel.listing)
    with OpenDoor(tmp_path, Callers(IPv4Address(address)), address, rules) as door:
        yield door.port


def look(api: KubeApi, port: int) -> SiteDrift:
    declared = declared_hosts(SITE, load_topology(), paired=False, environment=Environment.LAB, agent_port=port)
    repair = Repair("frankfurt", "lab", SiteKubectl(str(api.kubeconfig), DEPLOYER))
    return look_at_hosts(declared, api.cluster(), repair)


@pytest.mark.requirement("a host's rules are asked with the site's own credentials, through its API server")
def test_what_a_host_enforces_is_asked_through_the_api(api: KubeApi, kernel: Kernel, port: int) -> None:
    found = look(api, port)
    assert (found.drifts, found.unseen) == ((), ())
    kernel.flush()
    (drift,) = look(api, port).drifts
    assert (drift.object, drift.kind) == (f"nftables ip {GUARD} at frankfurt", Kind.MISSING)
    words = shlex.split(drift.repair)
    assert words[0] == "kubectl"
    run([tools_directory() / "kubectl", *words[1:]], seconds=60)
    assert kernel.rules == kernel.whole, "the command of the finding repairs it"
    kernel.flush()
    load_again(api.cluster(), drift.object, port)
    assert look(api, port).drifts == ()


@pytest.mark.requirement("an agent that does not tell what its host enforces makes the site unknown")
def test_an_agent_that_is_gone_or_refuses_is_unknown(
    api: KubeApi, kernel: Kernel, node: str, address: str, tmp_path: Path
) -> None:
    rules = KernelRules(node, None, None, listing=kernel.listing)
    strange = Callers(IPv4Address("203.0.113.1"))
    with OpenDoor(tmp_path, strange, address, rules) as door:
        refused = look(api, door.port)
    with OpenDoor(tmp_path, Callers(IPv4Address(address)), address) as door:
        ended = look(api, door.port)
    gone = look(api, door.port)
    assert [len(each.unseen) for each in (refused, ended, gone)] == [1, 1, 1]
    assert refused.drifts == ended.drifts == gone.drifts == ()
    assert "no API server of this site" in refused.unseen[0].why
    assert "does not tell its rules" in ended.unseen[0].why
    assert "503" in gone.unseen[0].why or "refused" in gone.unseen[0].why
