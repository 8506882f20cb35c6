"""The fence between the databases of a further node and the pair's other site: rules, proof, and what drift says."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from manual_clock import ManualClock
from test_drift_hosts import FRANKFURT, declared, look, summary
from told_hosts import listing

from runbooks.agent import fence as agent_fence
from runbooks.agent import kernel_rules
from runbooks.agent.fence import FirewallFence
from runbooks.agent.kernel_proof import KernelProof
from runbooks.agent.kernel_rules import KernelRules
from runbooks.agent.proving import NoEffectError
from shopsphere.drift.model import Kind
from shopsphere.estate.databases import DATABASES, REPLICATION_PORTS
from shopsphere.estate.host_rules import PEER_FENCE_TABLE, fence_text, first_rules, guard_of, peer_fence
from shopsphere.foundation.finding import Severity
from shopsphere.foundation.process import Result

PEER = "inet shopsphere_peer_fence"


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []

    def run(_words: object, *, stdin: str = "", **_more: Any) -> Result:
        found.append(stdin)
        return Result(0, "", "")

    monkeypatch.setattr(agent_fence, "run", run)
    monkeypatch.setattr(kernel_rules, "run", run)
    return found


def peers(clock: ManualClock) -> FirewallFence:
    return FirewallFence(*REPLICATION_PORTS, clock=clock, name=PEER_FENCE_TABLE)


@pytest.mark.requirement("a node that is cut off from its site confirms nothing to the other site")
def test_the_text(loaded: list[str]) -> None:
    assert {*REPLICATION_PORTS} == {each.replication_port for each in DATABASES}
    peers(ManualClock(100)).open(1.5)
    assert loaded == [
        "table inet shopsphere_peer_fence {}\ndelete table inet shopsphere_peer_fence\n"
        "table inet shopsphere_peer_fence {\n"
        "    set permitted {\n        type inet_service; flags timeout;\n"
        "        elements = { 30032 timeout 1500ms, 30033 timeout 1500ms }\n    }\n"
        "    chain forward {\n        type filter hook forward priority -400; policy accept;\n"
        "        tcp dport 30032 tcp dport != @permitted drop\n        tcp sport 30032 tcp sport != @permitted drop\n"
        "        tcp dport 30033 tcp dport != @permitted drop\n        tcp sport 30033 tcp sport != @permitted drop\n"
        "    }\n}\n"
    ]


@pytest.mark.requirement("only what leads at its site receives from the other one")
def test_one_database_alone_is_let_through(loaded: list[str]) -> None:
    clock = ManualClock(100)
    fence = peers(clock)
    fence.open(10, {30033})
    assert "elements = { 30032 timeout 10000ms }\n" in loaded[-1]
    assert "tcp dport 30033 tcp dport != @permitted drop" in loaded[-1]
    clock.sleep(4)
    fence.again()
    assert "elements = { 30032 timeout 6000ms }\n" in loaded[-1]
    fence.open(10)
    assert "30032 timeout 10000ms, 30033 timeout 10000ms" in loaded[-1]
    fence.open(10, REPLICATION_PORTS)
    assert "elements" not in loaded[-1]


@pytest.mark.usefixtures("loaded")
def test_the_proof_finds_a_database_that_is_let_through_unordered(tmp_path: Path) -> None:
    clock, switch = ManualClock(100), tmp_path / "switch"
    switch.write_text("1\n")
    to_peer, entries = peers(clock), peer_fence().listing()
    to_peer.open(10, {30033})
    for port, proven in ((30032, True), (30033, False)):
        next(each for each in entries if "set" in each)["set"]["elem"] = [{"elem": {"val": port, "expires": 8}}]
        listed = json.dumps({"nftables": entries})
        proof = KernelProof(to_peer, listing=partial(Result, 0, listed, ""), bridged=switch, clock=clock)
        if proven:
            proof()
        else:
            with pytest.raises(NoEffectError, match=PEER):
                proof()


def test_a_further_node_starts_with_both_closed_and_others_with_one() -> None:
    assert first_rules(5432, further=False) == fence_text(5432)
    both = first_rules(5432, further=True)
    assert both.startswith(fence_text(5432))
    assert both.count("    set permitted {") == 2
    assert "elements" not in both


@pytest.mark.requirement("loading a host's rules again opens nothing")
def test_it_is_loaded_again_with_the_others(loaded: list[str]) -> None:
    clock = ManualClock(100)
    own, to_peer = FirewallFence(5432, clock=clock), peers(clock)
    rules = KernelRules("frankfurt", own, None, peers=to_peer, listing=lambda: '{"nftables": []}', clock=clock)
    own.close()
    to_peer.open(10)
    clock.sleep(4)
    assert rules.load()["loaded"] == ["inet shopsphere_fence", PEER]
    assert "elements" not in loaded[-2]
    assert "30033 timeout 6000ms" in loaded[-1]
    assert rules.tell()["fence"]["port"] == 5432


@pytest.mark.requirement("the agent proves again and again that its fence has effect")
@pytest.mark.parametrize(
    ("elements", "proven"),
    [
        ([], True),
        ([{"elem": {"val": 30032, "timeout": 10, "expires": 8}}, {"elem": {"val": 30033, "expires": 9}}], True),
        ([{"elem": {"val": 30033, "timeout": 10, "expires": 14}}], False),
        ([30033], False),
        ([{"elem": {"val": 5432, "expires": 8}}], False),
    ],
)
@pytest.mark.usefixtures("loaded")
def test_the_proof(tmp_path: Path, elements: list[Any], proven: bool) -> None:
    clock, switch = ManualClock(100), tmp_path / "switch"
    switch.write_text("1\n")
    to_peer = peers(clock)
    to_peer.open(10)
    entries = peer_fence().listing()
    next(each for each in entries if "set" in each)["set"]["elem"] = elements
    proof = KernelProof(
        to_peer, listing=lambda: Result(0, json.dumps({"nftables": entries}), ""), bridged=switch, clock=clock
    )
    if proven:
        proof()
    else:
        with pytest.raises(NoEffectError, match=PEER):
            proof()


@pytest.mark.usefixtures("loaded")
def test_the_proof_finds_a_rule_that_is_gone(tmp_path: Path) -> None:
    clock, switch = ManualClock(100), tmp_path / "switch"
    switch.write_text("1\n")
    to_peer = peers(clock)
    to_peer.close()
    entries = peer_fence().listing()[:-1]
    listed = Result(0, json.dumps({"nftables": entries}), "")
    with pytest.raises(NoEffectError, match="fewer rules"):
        KernelProof(to_peer, listing=lambda: listed, bridged=switch, clock=clock)()


def test_drift_knows_it_where_an_agent_loads_it() -> None:
    plain = listing("closed")
    clean = look([*plain, *peer_fence().listing()])
    assert (clean.drifts, clean.declared) == ((), 3)
    assert look(plain).declared == 2, "a host of a site without further nodes has none"
    found = look([*plain, *peer_fence().listing()[:-1]])
    (gone,) = summary(found)
    assert gone[2:] == (Kind.REMOVED, Severity.CRITICAL, False)
    assert PEER.partition(" ")[2] in gone[0]


def test_a_site_of_no_pair_has_none() -> None:
    told: Any = SimpleNamespace(nftables=peer_fence().listing(), loads=())
    assert peer_fence() not in declared(paired=False).tables(told)
    assert guard_of(FRANKFURT).name != PEER_FENCE_TABLE
