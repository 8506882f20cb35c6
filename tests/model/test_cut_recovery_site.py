"""A recovery site that is cut in two: what confirms payments is what its site would promote."""

from __future__ import annotations

from typing import Any

import pytest
from glass_world import Fence
from manual_clock import ManualClock
from test_complete_copies import PEER, SECOND
from test_copies_and_peer import Pair, keep, keeper_of
from test_node_leases import Host, World

from runbooks.agent.copies import Step, waited_for
from runbooks.agent.node import PART_OF_SITE_SECONDS
from runbooks.agent.place import Found
from runbooks.agent.synchrony import DROP_AFTER
from runbooks.readiness.p02_synchrony import judge_ledger
from shopsphere.clients.cluster import Document
from shopsphere.clients.postgres import follower_in
from shopsphere.foundation.finding import Verdict
from shopsphere.witness import Sync

NOTICED = 5.0
"""PostgreSQL's wal_sender_timeout."""
LOOK = 2.0


class Frankfurt(Pair):
    """The active site; two instances of Dublin may follow it by one name, as PostgreSQL counts them.

    Attributes:
        old: how far the one on the node that is cut off has the ledger; None while PostgreSQL knows no such follower.
        old_hears: whether it receives.
    """

    def __init__(self) -> None:
        super().__init__()
        self.old: int | None = None
        self.old_hears = False

    def answer(self) -> Document:
        said = super().answer()
        if not self.peer_streams:
            said["followers"].pop(0)
        if self.old is not None:
            waits = PEER in waited_for(self.setting)
            said["followers"].insert(0, {"name": PEER, "state": "streaming", "replayed": self.old,
                                         "sync": "sync" if waits else "async"})  # fmt: skip
            if waits and self.peer_streams:  # each of them is counted, in the place of whoever comes after
                said["followers"][1]["sync"] = "sync" if SECOND in waited_for(self.setting) else "potential"
                said["followers"][-1]["sync"] = "potential"
        return said

    def write(self) -> None:
        """A payment; PostgreSQL takes so many followers as it is told, those of the first name first."""
        self.written += 1
        if self.old is not None and self.old_hears:
            self.old = self.written
        if self.peer_streams:
            self.at_peer = self.written
        if self.streams:
            self.at_second = self.written
        waited = waited_for(self.setting)
        peers = [self.old] if self.old is not None else []
        peers += [self.at_peer] if self.peer_streams else []
        second = [self.at_second] if self.streams else []
        counted = ((peers if PEER in waited else []) + (second if SECOND in waited else []))[: len(waited)]
        if len(counted) == len(waited) and all(each == self.written for each in counted):
            self.acknowledged = self.written


@pytest.mark.requirement(
    "several followers of one name are no confirmation, and no copy beside counts as complete then"
)
def test_two_instances_of_the_other_site_follow_at_once() -> None:
    pair = Frankfurt()
    keeper = keeper_of(pair)
    keep(keeper, pair, 8)
    assert (pair.second_may_lead, pair.record.sync) == (True, Sync.ON)
    pair.old, pair.old_hears = pair.written, True
    pair.streams = False
    pair.write()
    assert pair.acknowledged == pair.written > pair.at_second, "that is what is wrong with it"
    began = pair.now
    assert Step.REVOKE.value in keep(keeper, pair, 1)
    assert not pair.second_may_lead
    while pair.record.sync is Sync.ON:
        keep(keeper, pair, 1)
        assert pair.now <= began + DROP_AFTER + 2 * LOOK
    assert "several followers call themselves the other site" in pair.record.reason
    assert PEER not in waited_for(pair.setting)
    pair.streams, pair.at_second = True, pair.written
    keep(keeper, pair, 8)
    assert (pair.second_may_lead, pair.record.sync) == (True, Sync.OFF), "what is beside counts again by itself"
    pair.old = None
    keep(keeper, pair, 8)
    assert (pair.second_may_lead, pair.record.sync) == (True, Sync.ON)


@pytest.mark.requirement("a copy that PostgreSQL does not count may not lead")
def test_a_copy_that_streams_and_does_not_count_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    keep(keeper, pair, 8)
    assert pair.second_may_lead
    said = pair.answer
    monkeypatch.setattr(pair, "answer", lambda: {**said(), "followers": [
        {**each, "sync": "potential" if each["name"] == SECOND else each["sync"]} for each in said()["followers"]
    ]})  # fmt: skip
    assert keep(keeper, pair, 1) == [Step.REVOKE.value]
    assert not pair.second_may_lead


def test_what_is_said_of_several_followers() -> None:
    one = {"name": PEER, "state": "streaming", "sync": "sync"}
    assert follower_in({"followers": [one]}, PEER) == one
    assert follower_in({"followers": [one, {**one, "sync": "potential"}]}, PEER) == {}
    assert judge_ledger(PEER, {"followers": [one]}).verdict is Verdict.PASSED
    found = judge_ledger(PEER, {"followers": [one, one]})
    assert (found.verdict, "2 followers call themselves ledger-dublin" in found.found) == (Verdict.FAILED, True)


class CutDublin:
    """Dublin, whose second node, with the instance that leads, is cut off from the first one and not from Frankfurt."""

    def __init__(self, elected_after: float, caught_up_after: float) -> None:
        self.pair = Frankfurt()
        self.pair.names, self.pair.spec["instances"] = self.pair.names[:1], 1
        self.keeper = keeper_of(self.pair)
        self.world = World()
        self.node: Any = self.world.second  # of either site: what it does with its way to the other one is the same
        self.elected_after, self.caught_up_after = elected_after, caught_up_after
        self.pair.peer_streams, self.pair.old, self.pair.old_hears = False, self.pair.written, True
        self.shut_at: float | None = None
        self.steps = 0
        keep(self.keeper, self.pair, 8)
        assert self.pair.record.sync is Sync.ON
        self.began = self.pair.now
        self.reachable = self.pair.acknowledged  # the other instance, which has everything at this moment

    def lives_on(self, seconds: float) -> None:
        """Half a second at a time; a look of Frankfurt's agent every two."""
        for _ in range(int(seconds * 2)):
            self.steps += 1
            self.pair.now += 0.5
            self.world.clock.sleep(0.5)
            self.world.found = Found(heard=False, unknown="no answer")
            self.node.turn()
            self.pair.old_hears = self.node.peers.is_open
            if self.shut_at is None and not self.pair.old_hears:
                self.shut_at = self.pair.now
            if self.shut_at is not None and self.pair.now >= self.shut_at + NOTICED:
                self.pair.old = None
            since = self.pair.now - self.began
            if since >= self.elected_after + self.caught_up_after and not self.pair.peer_streams:
                self.pair.peer_streams, self.pair.at_peer = True, self.pair.written
            self.pair.write()
            if self.pair.peer_streams:
                self.reachable = self.pair.at_peer
            if self.steps % 4 == 0:
                self.keeper.keep(self.pair.record)
                self.pair.load()
            yield_at = PART_OF_SITE_SECONDS + NOTICED + DROP_AFTER + 2 * LOOK
            if since > yield_at and self.pair.record.sync is Sync.ON:
                assert self.reachable >= self.pair.acknowledged, f"{since} s after the cut"


@pytest.mark.requirement("an acknowledged payment is never lost with one site while the witness says sync on")
@pytest.mark.parametrize(
    ("elected_after", "caught_up_after"), [(9.0, 0.0), (9.0, 4.0), (13.0, 0.0), (20.0, 5.0), (40.0, 40.0), (1e9, 0.0)]
)
def test_a_node_that_is_cut_off_does_not_stand_for_its_site(elected_after: float, caught_up_after: float) -> None:
    dublin = CutDublin(elected_after, caught_up_after)
    acknowledged, stood, longest = dublin.pair.acknowledged, 0.0, 0.0
    for _ in range(240):
        dublin.lives_on(0.5)
        moved = dublin.pair.acknowledged > acknowledged
        acknowledged, stood = dublin.pair.acknowledged, 0.0 if moved else stood + 0.5
        longest = max(longest, stood)
    assert longest <= 15, "payments go on"
    assert dublin.shut_at is not None
    assert dublin.shut_at - dublin.began <= PART_OF_SITE_SECONDS + 0.5
    assert dublin.pair.record.sync is (Sync.ON if elected_after < 120 else Sync.OFF)


@pytest.mark.requirement("a node that comes back confirms again only when its site's API has answered")
def test_the_node_is_shut_as_long_as_it_is_cut_off() -> None:
    dublin = CutDublin(1e9, 0.0)
    dublin.lives_on(60)
    assert not dublin.node.peers.is_open
    dublin.world.found = Found(heard=True)
    dublin.node.turn()
    assert dublin.node.peers.is_open


def test_the_host_of_a_site_without_further_nodes_has_no_such_fence() -> None:
    world = World()
    assert isinstance(world.first, Host)
    assert not hasattr(world.first.agent, "_peers")
    assert isinstance(world.second.peers, Fence)
    assert isinstance(world.clock, ManualClock)
