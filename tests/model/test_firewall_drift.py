"""The firewall of a site's hosts among what drift compares, and what an agent loads again; ulogd's configuration."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from manual_clock import ManualClock
from told_hosts import ToldHosts, listing, told

from runbooks.agent import fence as agent_fence
from runbooks.agent import kernel_rules
from runbooks.agent.fence import FirewallFence
from runbooks.agent.kernel_rules import KernelRules
from shopsphere.drift.host_repair import is_loaded_again
from shopsphere.drift.hosts import declared_hosts, look_at_hosts
from shopsphere.drift.model import Kind, SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.estate.host_firewall import firewall_of
from shopsphere.estate.host_rules import guard
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.estate.nftables import ACCEPT, DROP, Document, match, payload
from shopsphere.estate.refusal_log import Output, ulogd_configuration
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.stack import Environment
from shopsphere.foundation.finding import Severity
from shopsphere.foundation.process import CommandError, Result
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
FRANKFURT = TOPOLOGY.site("frankfurt")
REPAIR = Repair("frankfurt", "lab", SiteKubectl("/kubeconfigs/frankfurt.yaml", "frankfurt"))
NAME, CHAIN = "nftables inet shopsphere_firewall at frankfurt", {"family": "inet", "table": "shopsphere_firewall"}
OPENED = match(payload("tcp", "dport"), "==", 10250)


def look(own: Sequence[Document], *, is_loaded: bool = True, environment: Environment = Environment.LAB) -> SiteDrift:
    answer = told([*listing("closed"), *copy.deepcopy([*own])])
    if is_loaded:
        answer["loads"].append("inet shopsphere_firewall")
    declared = declared_hosts(FRANKFURT, TOPOLOGY, paired=True, environment=environment, agent_port=SITE_AGENT_PORT)
    return look_at_hosts(declared, ToldHosts({"frankfurt": lambda: answer}), REPAIR, ManualClock())


def own() -> list[Document]:
    return firewall_of(FRANKFURT, TOPOLOGY).listing()


@pytest.mark.requirement("drift compares what hosts let in")
def test_a_firewall_as_declared_is_clean_and_operators_in_its_set_are_its_hosts() -> None:
    assert look(own()).drifts == ()
    filled = own()
    next(each for each in filled if "set" in each)["set"]["elem"] = [{"concat": ["tcp", 22, "10.0.0.1"]}]
    assert look(filled).drifts == ()


@pytest.mark.requirement("drift compares what hosts let in")
def test_a_rule_that_lets_more_in_is_found() -> None:
    added = own()
    added.insert(4, {"rule": {**CHAIN, "chain": "input", "expr": [OPENED, ACCEPT]}})
    (drift,) = look(added).drifts
    assert (drift.object, drift.kind, drift.severity) == (NAME, Kind.ADDED, Severity.CRITICAL)
    assert drift.live == "tcp dport 10250 accept"


def test_a_version_of_nft_that_lists_a_sets_flag_dynamic_changes_nothing() -> None:
    listed = own()
    noisy = next(each["set"] for each in listed if each.get("set", {}).get("name") == "noisy")
    assert noisy["flags"] == ["timeout"], "as nft 1.0.6 lists it"
    noisy["flags"] = ["dynamic", "timeout"]
    noisy["elem"] = [{"elem": {"val": "198.51.100.7", "timeout": 10}}]
    assert look(listed).drifts == ()
    noisy["size"] = 65535
    assert [each.field for each in look(listed).drifts] == ["set noisy, size"]


def test_a_rule_that_lets_less_in_is_found_too() -> None:
    added = own()
    added.insert(4, {"rule": {**CHAIN, "chain": "input", "expr": [OPENED, DROP]}})
    assert [each.severity for each in look(added).drifts] == [Severity.HIGH]


@pytest.mark.requirement("drift compares what hosts let in")
def test_a_firewall_that_is_gone_is_found_where_an_agent_loads_it_and_is_none_of_ours_elsewhere() -> None:
    (drift,) = look([]).drifts
    assert (drift.object, drift.kind, drift.severity) == (NAME, Kind.MISSING, Severity.CRITICAL)
    assert is_loaded_again(drift.object)
    assert look([], is_loaded=False).drifts == ()


def test_an_agent_loads_the_file_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(words: Sequence[str], **_more: Any) -> Result:
        asked.append([*words])
        return Result(0, "", "")

    monkeypatch.setattr(kernel_rules, "run", run)
    pods = guard(IPv4Network("10.11.0.0/17"), IPv4Network("10.11.128.0/17"))
    file = tmp_path / "host-firewall.nft"
    rules = KernelRules("newyork", None, pods, firewall=file, listing=lambda: '{"nftables": []}')
    assert rules.load()["loaded"] == ["ip shopsphere_pod_guard", "inet shopsphere_firewall"]
    assert asked == [["nft", "-f", "-"], ["nft", "-c", "-f", str(file)], ["nft", "-f", str(file)]]
    assert rules.tell()["loads"] == ["ip shopsphere_pod_guard", "inet shopsphere_firewall"]


@pytest.mark.requirement("a file that cannot be loaded keeps no other table from being loaded")
def test_a_file_that_nft_refuses_keeps_neither_guard_nor_fence_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def run(words: Sequence[str], *, stdin: str = "", **_more: Any) -> Result:
        if "-c" in words:
            raise CommandError("host-firewall.nft:9:1: syntax error")
        loaded.append(stdin.split()[2])
        return Result(0, "", "")

    monkeypatch.setattr(kernel_rules, "run", run)
    monkeypatch.setattr(agent_fence, "run", run)
    pods = guard(IPv4Network("10.11.0.0/17"), IPv4Network("10.11.128.0/17"))
    rules = KernelRules("frankfurt", FirewallFence(5432), pods, firewall=tmp_path / "host-firewall.nft")
    with pytest.raises(CommandError, match="syntax error"):
        rules.load()
    assert loaded == ["shopsphere_pod_guard", "shopsphere_fence"], "and no firewall"


def test_refusals_go_to_who_started_ulogd_or_to_the_hosts_log() -> None:
    lab, owner = (ulogd_configuration(each).splitlines() for each in (Output.STDOUT, Output.SYSLOG))
    assert 'file="/dev/stdout"' in lab
    assert "group=100" in lab
    assert "group=100" in owner
    assert not [line for line in owner if "stdout" in line]
    assert [line.rpartition("_")[2] for line in owner if line.startswith("plugin=")][-1] == 'SYSLOG.so"'
