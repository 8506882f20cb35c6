"""What counts as a proof of the fence, and what an agent does without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from glass_world import World
from manual_clock import ManualClock
from told_hosts import LISTINGS

from runbooks.agent import fence as agent_fence
from runbooks.agent.databases import Role
from runbooks.agent.fence import FirewallFence
from runbooks.agent.kernel_proof import KernelProof, UnprovenError
from runbooks.agent.proving import FenceProofs, NoEffectError
from runbooks.agent.state import Knowledge, doors
from runbooks.permit import Permit
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.process import CommandError, Result
from shopsphere.witness import PairRecord, Phase

RECORD = PairRecord.first("rdc-a", "frankfurt", actor="test")
PERMIT = Permit(
    pair="rdc-a", epoch=2, active="frankfurt", session="s", actor="a", reason="b", at=datetime(2026, 1, 1, tzinfo=UTC)
)
FENCE_ONLY = "shopsphere_fence"


def listed(name: str) -> Result:
    printed = json.loads((LISTINGS / f"{name}.json").read_text())["nftables"]
    kept = [each for each in printed if "metainfo" in each or FENCE_ONLY in json.dumps(each)]
    return Result(0, json.dumps({"nftables": kept}), "")


class Kernel:
    """What the kernel says; a test changes it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(agent_fence, "run", lambda *_words, **_more: Result(0, "", ""))
        self.clock = ManualClock(100)
        self.fence = FirewallFence(5432, clock=self.clock)
        self.fence.close()
        self.switch, self.bridges, self.tried = folder / "switch", "[]", 0
        self.switch.write_text("1\n")
        self.listing: Callable[[], Result] = lambda: listed("closed")

    def packets(self) -> None:
        self.tried += 1

    def prove(self) -> None:
        KernelProof(
            self.fence, self.packets, listing=lambda: self.listing(), bridges=lambda: self.bridges,
            bridged=self.switch, clock=self.clock,
        )()  # fmt: skip


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(tmp_path, monkeypatch)


def test_packets_are_tried_while_it_is_closed(kernel: Kernel) -> None:
    kernel.prove()
    assert kernel.tried == 1
    kernel.fence.open(7)
    kernel.prove()
    assert kernel.tried == 1, "an open fence lets them through"
    kernel.listing = lambda: listed("open")
    kernel.prove()


def test_a_fence_that_is_opened_while_packets_are_tried_is_not_refuted_by_them(kernel: Kernel) -> None:
    def opened() -> None:
        kernel.fence.open(7)
        raise NoEffectError("a packet came out")

    proof = KernelProof(kernel.fence, opened, listing=lambda: listed("closed"), bridged=kernel.switch)
    with pytest.raises(UnprovenError, match="opened while packets were tried"):
        proof()

    def came_out() -> None:
        raise NoEffectError("a packet came out")

    kernel.fence.close()
    with pytest.raises(NoEffectError, match="came out"):
        KernelProof(kernel.fence, came_out, listing=lambda: listed("closed"), bridged=kernel.switch)()


@pytest.mark.requirement("a slow listing of a healthy fence shuts nobody off")
def test_a_listing_that_takes_long_is_judged_by_when_it_was_asked_for(kernel: Kernel) -> None:
    kernel.fence.open(5)

    def slow() -> Result:
        kernel.clock.now += 2.5
        return listed("open")

    kernel.listing = slow
    kernel.prove()


@pytest.mark.parametrize(
    ("seconds", "passed", "proven"),
    [(7.0, 0.0, True), (7.0, 3.5, True), (7.0, 4.5, False), (2.0, 0.0, False), (0.0, 0.0, False)],
)
def test_an_opening_ends_when_it_was_ordered_to(kernel: Kernel, seconds: float, passed: float, proven: bool) -> None:
    """The listing has an opening with six seconds left, and three are allowed for whole seconds and the way."""
    kernel.fence.open(seconds) if seconds else kernel.fence.close()
    kernel.clock.now += passed
    kernel.listing = lambda: listed("open")
    if proven:
        kernel.prove()
    else:
        with pytest.raises(NoEffectError, match="permitted"):
            kernel.prove()


@pytest.mark.parametrize(
    ("switch", "bridges", "proven"),
    [("1\n", '[{"ifname": "cni0"}]', True), ("0\n", "[]", False), (None, "[]", True), (None, "", True),
     (None, '[{"ifname": "cni0"}]', False)],
)  # fmt: skip
def test_packets_of_one_bridge(kernel: Kernel, switch: str | None, bridges: str, proven: bool) -> None:
    if switch is None:
        kernel.switch.unlink()
    else:
        kernel.switch.write_text(switch)
    kernel.bridges = bridges
    if proven:
        kernel.prove()
    else:
        with pytest.raises(NoEffectError, match="modprobe br_netfilter"):
            kernel.prove()


@pytest.mark.parametrize(
    "listing",
    [Result(1, "", "Error: Could not process rule"), Result(0, "", ""), Result(0, "{}", ""), Result(0, "[1]", "")],
)
def test_what_cannot_be_read_proves_nothing_and_refutes_nothing(kernel: Kernel, listing: Result) -> None:
    kernel.listing = lambda: listing
    with pytest.raises(UnprovenError):
        kernel.prove()


def test_no_rules_at_all_are_no_fence(kernel: Kernel) -> None:
    kernel.listing = lambda: Result(0, '{"nftables": []}', "")
    with pytest.raises(NoEffectError):
        kernel.prove()


def test_a_fence_that_moves_at_each_look_is_not_judged(kernel: Kernel) -> None:
    def listing() -> Result:
        kernel.fence.close()
        return Result(0, '{"nftables": []}', "")

    kernel.listing = listing
    with pytest.raises(UnprovenError, match="being changed"):
        kernel.prove()


class Looked:
    """What an agent learned of its proofs; `outcome` is what the next one raises."""

    def __init__(self) -> None:
        self.clock, self.outcome, self.told = ManualClock(100), list[ShopSphereError](), list[str]()
        self.learned: dict[str, Any] = {}
        self.proofs = FenceProofs(self.proof, self.learn, self.told.append, self.clock)

    def proof(self) -> None:
        for error in self.outcome:
            raise error

    def learn(self, *, proven_until: float, unproven: str) -> None:
        self.learned = {"until": proven_until, "why": unproven}

    def look(self, *outcome: ShopSphereError) -> tuple[float, str, float]:
        self.outcome = [*outcome]
        self.proofs.prove_fence()
        return self.learned["until"], self.learned["why"], self.proofs.pause()


@pytest.mark.requirement("what is not known never opens")
def test_how_long_a_proof_counts() -> None:
    looked = Looked()
    assert looked.look(CommandError("no nft")) == (0.0, "no nft", 2.0), "nothing was ever proven"
    assert looked.look() == (190.0, "", 30.0)
    looked.clock.now = 130
    assert looked.look(CommandError("nft hangs")) == (190.0, "nft hangs", 2.0), "the last proof still counts"
    assert looked.look(NoEffectError("flushed")) == (0.0, "flushed", 2.0), "at once"
    assert looked.look(CommandError("nft hangs")) == (0.0, "nft hangs", 2.0)
    assert looked.look() == (220.0, "", 30.0)
    assert looked.told[-1] == "fence: it is proven again that it has effect"


def test_what_nobody_foresaw_ends_no_agent() -> None:
    looked = Looked()

    def broken() -> None:
        raise ValueError("no JSON")

    looked.proofs = FenceProofs(broken, looked.learn, looked.told.append, looked.clock)
    looked.proofs.prove_fence()
    assert looked.learned == {"until": 0.0, "why": "ValueError: no JSON"}


@pytest.mark.requirement("a fence that somebody took away from a closed site is loaded again")
def test_a_refuted_fence_is_ordered_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    frankfurt = world.hosts["frankfurt"]
    frankfurt.fault = NoEffectError("no table")
    world.settle(40)
    assert not frankfurt.state()["databases"]
    closed: list[bool] = []
    monkeypatch.setattr(type(frankfurt.fence), "close", lambda _fence: closed.append(True))
    world.settle(10)
    assert closed, "what the kernel has is not what it was told, so it is told again"


@pytest.mark.requirement("a site whose fence has no effect counts as closed")
@pytest.mark.parametrize(
    "known",
    [
        Knowledge(RECORD, 50, Role.PRIMARY, unproven="flushed"),
        Knowledge(RECORD, 50, Role.REPLICA, follows_until=50),
        Knowledge(None, 0, Role.PRIMARY, PERMIT),
    ],
)
def test_doors_without_a_proof(known: Knowledge) -> None:
    known = replace(known, proven_until=10.0)
    open_, closed = doors("frankfurt", known, 9.9), doors("frankfurt", known, 10.0)
    assert open_.databases
    assert open_.until == 10.0, "the kernel ends it with the proof"
    assert (closed.databases, closed.writes) == (False, False)
    assert "not proven" in closed.because


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path)
    found.settle()
    return found


@pytest.mark.requirement("a site whose fence has no effect counts as closed")
def test_a_site_without_a_proof_is_shut_off_and_keeps_its_lease(world: World) -> None:
    frankfurt, dublin = world.hosts["frankfurt"], world.hosts["dublin"]
    assert frankfurt.state()["writes"]
    assert frankfurt.state()["unproven"] == ""
    frankfurt.fault = NoEffectError("flushed")
    world.settle(40)
    state = frankfurt.state()
    assert (state["databases"], state["writes"], state["unproven"]) == (False, False, "flushed")
    assert state["because"] == "the fence is not proven: flushed"
    assert not frankfurt.fence.is_open
    assert world.quorum.holder() == "frankfurt", "nobody else may be promoted while nothing keeps its databases shut"
    assert not dublin.fence.is_open
    frankfurt.fault = None
    world.settle()
    assert frankfurt.state()["writes"]


@pytest.mark.requirement("a site whose fence has no effect counts as closed")
def test_a_site_without_a_proof_takes_no_lease(world: World) -> None:
    frankfurt = world.hosts["frankfurt"]
    frankfurt.fault = NoEffectError("flushed")
    frankfurt.start()
    for _ in range(60):
        world.settle(1)
        assert not frankfurt.fence.is_open
    assert world.quorum.holder() == ""
    assert "flushed" in frankfurt.state()["because"]
    frankfurt.fault = None
    world.settle()
    assert (world.quorum.holder(), frankfurt.state()["writes"]) == ("frankfurt", True)


def test_what_a_runbook_asks_for_it_gets(world: World) -> None:
    """A person decided; the site is shut off as well as it can be."""
    frankfurt = world.hosts["frankfurt"]
    frankfurt.fault = NoEffectError("flushed")
    record = world.quorum.record
    assert record
    world.quorum.record = record.changed(actor="test", reason="test", phase=Phase.FENCING)
    world.quorum.revision += 1
    world.settle()
    assert world.quorum.holder() == ""
