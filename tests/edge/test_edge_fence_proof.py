"""The proof of the fence in a real kernel: passed by a fence that works, failed by every way to spoil it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest
from edge_network import own_network

from runbooks.agent import packet_proof
from runbooks.agent.fence import FirewallFence
from runbooks.agent.kernel_proof import KernelProof
from runbooks.agent.packet_proof import DEVICE, FencePackets, NoPacketsError
from runbooks.agent.proving import NoEffectError
from shopsphere.estate.databases import POSTGRESQL_PORT, REPLICATION_PORTS
from shopsphere.estate.host_rules import PEER_FENCE_TABLE
from shopsphere.foundation.process import run

TABLE = "inet shopsphere_fence"


@pytest.fixture
def fence() -> Iterator[FirewallFence]:
    with own_network([]):
        run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"])
        found = FirewallFence(POSTGRESQL_PORT)
        found.close()
        yield found


@pytest.fixture
def proof(fence: FirewallFence, monkeypatch: pytest.MonkeyPatch) -> KernelProof:
    """One that waits as long for its packets as a machine that is busy with other tests may need."""
    monkeypatch.setattr(packet_proof, "_SECONDS", 20.0)
    return KernelProof(fence, FencePackets(POSTGRESQL_PORT))


def nft(text: str) -> None:
    run(["nft", "-f", "-"], stdin=text)


@pytest.mark.requirement("the agent proves again and again that its fence has effect")
def test_a_fence_that_works(fence: FirewallFence, proof: KernelProof) -> None:
    proof()
    for seconds in (7.0, math.inf):
        fence.open(seconds)
        proof()
    fence.close()
    proof()
    links = run(["ip", "link", "show", "dev", DEVICE], check=False)
    assert "does not exist" in links.stderr, "the interface is gone"


@pytest.mark.requirement("a site whose fence has no effect counts as closed")
@pytest.mark.parametrize(
    ("spoiled", "found"),
    [
        (f"delete table {TABLE}", "no table"),
        (f"flush chain {TABLE} forward", "fewer rules"),
        (f"insert rule {TABLE} forward accept", '"accept":null'),
        (f"add element {TABLE} permitted {{ 5432 }}", r"permitted: \[5432\]"),
        (f"add element {TABLE} permitted {{ 5432 timeout 900s }}", "permitted"),
        (f"add chain {TABLE} other {{ type filter hook input priority 0; }}", '"hook":"input"'),
    ],
)
def test_a_fence_that_was_spoiled(fence: FirewallFence, proof: KernelProof, spoiled: str, found: str) -> None:
    nft(spoiled)
    with pytest.raises(NoEffectError, match=found):
        proof()
    fence.close()
    proof()


def test_an_opening_that_was_made_longer(fence: FirewallFence, proof: KernelProof) -> None:
    fence.open(7)
    nft(f"flush set {TABLE} permitted\nadd element {TABLE} permitted {{ 5432 timeout 900s }}")
    with pytest.raises(NoEffectError, match="permitted"):
        proof()


def test_packets_find_what_a_listing_does_not_show(
    fence: FirewallFence, proof: KernelProof, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here: packets to another port, which become ones of the databases' after the fence has seen them."""
    packets = FencePackets(POSTGRESQL_PORT)
    packets()
    nft(f"delete table {TABLE}")
    with pytest.raises(NoEffectError, match="one from and one to that port"):
        packets()
    fence.close()
    nft("table ip x { chain y { type filter hook forward priority 0; policy drop; }\n}")
    monkeypatch.setattr(packet_proof, "_SECONDS", 1.0)
    with pytest.raises(NoPacketsError, match="no packet to port 9"):
        proof()


def test_bridges_and_forwarding(proof: KernelProof, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_proof, "_SECONDS", 1.0)
    run(["sysctl", "-q", "-w", "net.bridge.bridge-nf-call-iptables=0"])
    with pytest.raises(NoEffectError, match="pods of one bridge"):
        proof()
    run(["sysctl", "-q", "-w", "net.bridge.bridge-nf-call-iptables=1", "net.ipv4.ip_forward=0"])
    with pytest.raises(NoPacketsError):
        proof()


@pytest.mark.requirement("a node that is cut off from its site confirms nothing to the other site")
def test_the_fence_to_the_other_site(fence: FirewallFence) -> None:
    peers = FirewallFence(*REPLICATION_PORTS, name=PEER_FENCE_TABLE)
    peers.close()
    packets = FencePackets(*REPLICATION_PORTS)
    proof = KernelProof(peers, packets)
    proof()
    assert peers.is_closed()
    peers.open(7.0)
    proof()
    with pytest.raises(NoEffectError, match="port 30032"):
        packets()
    assert fence.is_closed(), "the two are apart"
    peers.open(0.5)
    assert not peers.is_closed()
    time.sleep(0.7)
    assert peers.is_closed(), "by the kernel alone"
    packets()
    nft(f"add element inet {PEER_FENCE_TABLE} permitted {{ {REPLICATION_PORTS[1]} }}")
    with pytest.raises(NoEffectError, match="permitted"):
        proof()
    nft(f"flush chain inet {PEER_FENCE_TABLE} forward")
    with pytest.raises(NoEffectError, match="fewer rules"):
        proof()
    peers.close()
    proof()
