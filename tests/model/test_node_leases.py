"""Sites of several nodes: each node's fence has a lease of its own, and nobody is promoted while one has not ended."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from glass_world import Fence
from manual_clock import ManualClock
from small_etcd import Line, SmallEtcd

from runbooks.agent.agent import Agent
from runbooks.agent.config import AgentConfig, Margins
from runbooks.agent.databases import Role
from runbooks.agent.node import PART_OF_SITE_SECONDS, NodeAgent, boot_of
from runbooks.agent.permits import Witnessed
from runbooks.agent.place import Found
from runbooks.agent.state import FRESH_SECONDS
from runbooks.agent.synchrony import Ledger
from runbooks.permit import Permit
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.witness import PairRecord, Phase, Witness, WitnessConflictError
from shopsphere.witness.nodes import NodeWitness
from shopsphere.witness.sites import SiteWitness
from shopsphere.witness.store import Store

URLS = ("http://10.0.0.1:1",)
NODE_KEY = "/shopsphere/rdc-a/nodes/frankfurt/frankfurt-2"


class Permits:
    kept, session, refused, witnessed = None, "this one", "", None

    def look(self) -> Permit | None:
        return None

    def remember(self, witnessed: Witnessed) -> None:
        """Nothing outlives a test."""

    def refuse(self, _permit: Permit, why: str) -> None:
        """There are none."""

    def take_up_again(self) -> None:
        """There are none."""


class NoLedger:
    looks = 0

    def let_go(self) -> None:
        """Nothing is held."""

    def look(self) -> None:
        self.looks += 1
        raise ShopSphereError("not asked for here")


class Host:
    """One host with an agent: of a site, or of a further node of it."""

    def __init__(
        self, world: World, site: str, node: str = "", boot: str = "first start", *, first: Any = Agent
    ) -> None:
        self.line, self.fence, self.ledger, self.told = Line(world.etcd), Fence(world.clock), NoLedger(), [""]
        self.role, self.witness = world.roles, self._witness(site, node, boot)
        peer = "dublin" if site == "frankfurt" else "frankfurt"
        config = AgentConfig(
            pair="rdc-a", site=site, node=node, peer=peer, first_active="frankfurt", witness=URLS,
            witness_keys=Path("/none"), kubeconfig=Path("/none"), context=site, permit=Path("/none"), listen="10.0.0.2",
        )  # fmt: skip
        self.peers = Fence(world.clock)
        kind: Any = partial(NodeAgent, place=world, peers=self.peers) if node else first
        self.agent: Agent = kind(
            config, self.witness, self.fence, lambda: world.role_of(site), lambda: True, cast("Ledger", self.ledger),
            Permits(), self.told.append, world.clock,
        )  # fmt: skip
        self.agent.start_closed()

    def _witness(self, site: str, node: str, boot: str) -> Witness:
        if node:
            return NodeWitness("rdc-a", URLS, node=node, boot=boot, transport=self.line.transport)
        return SiteWitness("rdc-a", URLS, site=site, transport=self.line.transport)

    def turn(self) -> None:
        self.agent.prove_fence()
        self.agent.look_at_databases()
        self.agent.renew_lease()
        self.agent.follow_record()
        self.agent.follow_promotion()
        with suppress(ShopSphereError):
            self.agent.keep_synchrony()
        self.agent.move_doors()


class World:
    refusal: ShopSphereError | None = None
    found = Found(heard=True)
    """What the place of the further node says."""
    seen = Found(heard=False, unknown="nothing is seen without the API", silent=True)
    """What its kernel says."""

    def __init__(self) -> None:
        self.clock = ManualClock(100.0)
        self.etcd = SmallEtcd(self.clock)
        self.roles = {"frankfurt": Role.PRIMARY, "dublin": Role.REPLICA}
        self.first, self.second = Host(self, "frankfurt"), Host(self, "frankfurt", "frankfurt-2")
        self.operator = Witness("rdc-a", URLS, transport=Line(self.etcd).transport)
        for host in (self.first, self.first, self.second, self.second):
            host.turn()

    def look(self) -> Found:
        return self.found

    def glance(self) -> Found:
        return self.seen

    def role_of(self, site: str) -> Role:
        if self.refusal:
            raise self.refusal
        return self.roles[site]

    def announce(self, phase: Phase) -> None:
        seen = self.operator.see()
        changed = self.record().changed(actor="test", reason="test", phase=phase)
        self.operator.change(seen, changed)

    def record(self) -> PairRecord:
        return self.operator.see().require_record("rdc-a")

    def begin(self) -> bool:
        """Begin the next epoch with dublin active, as a failover does."""
        seen = self.operator.see()
        begun = self.record().changed(actor="t", reason="t", epoch=2, active="dublin", phase=Phase.STEADY)
        return self.operator.attempt(seen, begun, without_lease=True)[0]


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.requirement("the fence holds on every node of a site")
def test_each_node_has_a_lease_and_opens_its_own_fence(world: World) -> None:
    assert world.etcd.keys() == [
        "/shopsphere/rdc-a/lease",
        NODE_KEY,
        "/shopsphere/rdc-a/record",
    ]
    assert world.first.fence.is_open
    assert world.second.fence.is_open
    assert world.operator.see().holders == ("frankfurt", "frankfurt/frankfurt-2")


@pytest.mark.requirement("a site of one node leaves nothing at the witness that it did not leave before")
def test_a_site_of_one_node() -> None:
    world = World.__new__(World)
    world.clock = ManualClock(100.0)
    world.etcd, world.roles = SmallEtcd(world.clock), {"frankfurt": Role.PRIMARY}
    host = Host(world, "frankfurt")
    host.turn()
    host.turn()
    assert world.etcd.keys() == ["/shopsphere/rdc-a/lease", "/shopsphere/rdc-a/record"]
    assert host.witness.see().nodes == ()


@pytest.mark.requirement("a node that does not answer keeps the other site from being promoted until its lease is over")
def test_a_silent_node_is_waited_for(world: World) -> None:
    world.announce(Phase.FENCING)
    world.second.line.cut = True
    world.first.turn()
    assert not world.first.fence.is_open
    assert world.operator.see().holders == ("frankfurt/frankfurt-2",)
    opened = world.clock.now
    while not world.begin():
        world.clock.sleep(0.1)
        assert world.clock.now < opened + Margins().lease + 0.2
    assert world.clock.now > opened + Margins().lease - 2
    assert not world.second.fence.is_open


@pytest.mark.requirement("nobody is promoted while a node's fence is open")
@pytest.mark.parametrize("way", ["answers", "cut", "hangs"])
def test_no_epoch_begins_over_an_open_fence(world: World, way: str) -> None:
    world.announce(Phase.FENCING)
    world.second.line.cut = way == "cut"
    for _ in range(200):
        world.first.turn()
        if way != "hangs":
            world.second.turn()
        began, is_open = world.begin(), world.second.fence.is_open or world.first.fence.is_open
        assert not (began and is_open)
        if began:
            break
        world.clock.sleep(0.1)
    assert world.record().active == "dublin"
    if way == "answers":
        assert world.clock.now < 101, "a node that answers is not waited for until its lease ends"


@pytest.mark.requirement("a node keeps its fence by its own clock, not by the agent of its site")
def test_a_node_goes_on_without_the_first_one(world: World) -> None:
    for _ in range(30):
        world.clock.sleep(1)
        world.second.turn()
    assert not world.first.fence.is_open
    assert world.second.fence.is_open
    assert world.operator.see().holders == ("frankfurt/frankfurt-2",)
    assert not world.begin(), "writes may be open on that node"


def test_a_node_that_lost_the_witness_closes_before_its_lease_ends(world: World) -> None:
    world.second.line.cut = True
    while world.second.fence.is_open:
        world.clock.sleep(0.1)
        world.second.turn()
    assert NODE_KEY in world.etcd.keys()  # noqa: SIM118 a method of the store


@pytest.mark.requirement("a lease is never taken while a node of the other site has one")
def test_the_other_site_takes_no_lease_over_a_node(world: World) -> None:
    """Whoever changed the record without waiting, as an agent does that brings in a permit."""
    store = Store(URLS, transport=Line(world.etcd).transport)
    seen = world.operator.see()
    world.operator.change(seen, world.record().changed(actor="t", reason="t", epoch=2, active="dublin"))
    world.etcd.entries.pop(b"/shopsphere/rdc-a/lease")
    world.roles = {"frankfurt": Role.PRIMARY, "dublin": Role.PRIMARY}
    dublin, node = Host(world, "dublin"), Host(world, "dublin", "dublin-2")
    for host in (dublin, node, dublin, node):
        host.turn()
    assert world.operator.see().holders == ("frankfurt/frankfurt-2",)
    assert not dublin.fence.is_open
    assert not node.fence.is_open
    world.clock.sleep(Margins().lease)
    for host in (dublin, node):
        host.turn()
    assert world.operator.see().holders == ("dublin", "dublin/dublin-2")
    store.close()


@pytest.mark.requirement("customers do not wait for a question whose answer is part of the transaction")
@pytest.mark.parametrize(("meanwhile", "requests"), [("nothing", 1), ("its site", 2), ("the other site", 2)])
def test_a_node_takes_its_lease_in_one_request(world: World, meanwhile: str, requests: int) -> None:
    """In two where somebody has taken the site's since it was looked at."""
    world.clock.sleep(Margins().lease)
    site, node = world.operator, world.second.witness
    seen, lease = node.glance(), node.prepare_lease(seconds=10)
    assert seen.holders == ()
    if meanwhile == "its site":
        site.take_lease(site.see(), "frankfurt", site.prepare_lease(seconds=10))
    elif meanwhile == "the other site":
        world.etcd.entries[b"/shopsphere/rdc-a/lease"] = b"dublin", world.etcd.revision, 0
    before = world.second.line.asked
    refused = pytest.raises(WitnessConflictError, match=r"found: +dublin")
    with refused if meanwhile == "the other site" else nullcontext():
        node.take_lease(seen, "frankfurt", lease)
    assert (NODE_KEY in world.etcd.keys()) is (meanwhile != "the other site")  # noqa: SIM118 a method of the store
    assert world.second.line.asked - before <= requests


def test_an_agent_that_starts_again_on_its_host_goes_on_at_once(world: World) -> None:
    again = Host(world, "frankfurt", "frankfurt-2")
    again.turn()
    assert again.fence.is_open


@pytest.mark.requirement("a name that two hosts have opens only one of them")
def test_another_host_of_the_same_name_waits(world: World) -> None:
    other = Host(world, "frankfurt", "frankfurt-2", boot="another host")
    other.turn()
    assert not other.fence.is_open
    world.clock.sleep(Margins().lease)
    other.turn()
    assert other.fence.is_open


def test_a_node_changes_no_record_and_no_synchrony(world: World) -> None:
    assert world.second.ledger.looks == 0
    assert world.first.ledger.looks > 0
    seen = world.operator.see()
    with pytest.raises(WitnessConflictError, match="frankfurt-2 changes no record"):
        world.second.witness.change(seen, world.record())


def test_the_name_of_a_start_stays_over_starts_of_the_agent(tmp_path: Path) -> None:
    first = boot_of(tmp_path / "run")
    assert boot_of(tmp_path / "run") == first
    assert boot_of(tmp_path / "other") != first


@pytest.mark.requirement("an old primary on a node shuts it at once; a silent API does so after 10 s")
def test_what_is_known_of_an_old_primary_is_no_silence(world: World) -> None:
    assert world.second.fence.is_open
    world.found = Found(heard=False, unknown="the API is silent")
    world.second.turn()
    assert world.second.fence.is_open
    world.found = Found(heard=True, old_primary="ledger-frankfurt-2 is no standby")
    world.second.turn()
    assert not world.second.fence.is_open
    world.found = Found(heard=True)
    world.second.turn()
    assert world.second.fence.is_open


def let_pass(world: World, seconds: float) -> None:
    for _ in range(int(seconds)):
        world.clock.sleep(1)
        world.first.turn()
        world.second.turn()


@pytest.mark.requirement("losing only the API server of a site stops no payment while all that runs on a node follows")
def test_a_node_whose_servers_all_follow_stays_open_without_the_api(world: World) -> None:
    world.refusal = NoAnswerError("the API is silent")
    world.found = Found(heard=False)
    let_pass(world, 60)
    assert world.second.fence.is_open, "the leader on the other node waits for the copy here"
    assert world.first.fence.is_open
    world.found = Found(heard=False, unknown="a server here does not follow")
    let_pass(world, PART_OF_SITE_SECONDS - 1)
    assert world.second.fence.is_open
    let_pass(world, 2)
    assert not world.second.fence.is_open, "it was promoted perhaps, and another one after it"


@pytest.mark.requirement("a node that was promoted without its agent's knowledge is shut before another one can lead")
def test_what_was_seen_to_follow_counts_for_ten_seconds_also_where_the_agent_hangs(world: World) -> None:
    world.refusal, world.found = NoAnswerError("the API is silent"), Found(heard=False)
    let_pass(world, 30)
    for _ in range(12):  # it renews its lease, and looks no more
        world.clock.sleep(1)
        world.second.agent.renew_lease()
        world.second.agent.move_doors()
    assert not world.second.fence.is_open


@pytest.mark.requirement("an old primary that has not heard of its end is reached by nobody")
def test_a_node_that_comes_back_opens_over_no_leader_that_is_to_be_replaced(world: World) -> None:
    world.refusal, world.found = NoAnswerError("the API is silent"), world.seen
    let_pass(world, PART_OF_SITE_SECONDS + 2)
    assert not world.second.fence.is_open
    world.refusal, world.found = None, Found(heard=True, leaving=True)
    let_pass(world, 30)
    assert not world.second.fence.is_open
    world.found = Found(heard=True)
    let_pass(world, 2)
    assert world.second.fence.is_open
    world.found = Found(heard=True, leaving=True)  # a switch inside the site, as planned: it sends what it has
    let_pass(world, 30)
    assert world.second.fence.is_open


@pytest.mark.requirement("a node that is cut off from its site confirms nothing to the other site")
def test_the_way_to_the_other_site(world: World) -> None:
    node = world.second
    assert node.peers.is_open
    world.found = Found(heard=False)  # whatever runs there follows: that is no reason to go on confirming
    let_pass(world, PART_OF_SITE_SECONDS - 1)
    assert node.peers.is_open
    let_pass(world, 2)
    assert (node.peers.is_open, node.fence.is_open) == (False, True)
    assert "databases here receive nothing from the other site" in node.told[-1]
    world.found = Found(heard=True, unknown="ledger-frankfurt-2 does not answer")
    let_pass(world, 1)
    assert node.peers.is_open, "the API says who leads"
    assert "again" in node.told[-1]
    world.clock.sleep(PART_OF_SITE_SECONDS)
    assert not node.peers.is_open, "by the kernel alone"


@pytest.mark.requirement("what is not known never opens")
def test_the_way_to_the_other_site_is_shut_at_the_start(world: World) -> None:
    world.found = Found(heard=False)
    again = Host(world, "frankfurt", "frankfurt-2")
    again.turn()
    assert not again.peers.is_open
    world.found = Found(heard=True)
    again.turn()
    assert again.peers.is_open
    again.peers.close()  # as a kernel that has another fence than was ordered
    again.agent.move_doors()
    assert not again.peers.is_open, "nothing new was learned"
    again.agent._order_again()  # noqa: SLF001 what a proof that failed calls
    again.agent.move_doors()
    assert again.peers.is_open


@pytest.mark.requirement("a node without a lease of its own takes no copy's completeness with it")
def test_the_site_knows_which_of_its_nodes_are_shut(world: World) -> None:
    def is_shut(node: str) -> bool:
        return world.first.agent._is_shut(node)  # noqa: SLF001 as synchrony asks

    assert not is_shut("frankfurt-2")
    assert not is_shut("frankfurt"), "the site's own node has no lease beside the site's"
    world.second.line.cut = True
    let_pass(world, 12)
    assert is_shut("frankfurt-2")
    assert not is_shut("frankfurt")
    again = Host(world, "frankfurt")
    again.turn()
    assert not again.agent._is_shut("frankfurt-2"), "it has never seen it with a lease"  # noqa: SLF001
    world.first.line.cut = True
    world.clock.sleep(FRESH_SECONDS)
    assert not is_shut("frankfurt-2"), "the quorum has said nothing of late"


PERMIT = Permit(
    pair="rdc-a", epoch=2, active="frankfurt", session="this one", nodes={"frankfurt-2": "this one"}, actor="anna",
    reason="flood", at=datetime(2026, 11, 30, tzinfo=UTC),
)  # fmt: skip


@pytest.mark.requirement("a permit is brought in while the site's own further nodes have their leases")
@pytest.mark.parametrize("site_has_lease", [True, False])
def test_a_permit_is_brought_in_over_a_lease_of_an_own_node(
    world: World, monkeypatch: pytest.MonkeyPatch, site_has_lease: bool
) -> None:
    if not site_has_lease:
        world.etcd.entries.pop(b"/shopsphere/rdc-a/lease")
    monkeypatch.setattr(Permits, "look", lambda _self: PERMIT)
    world.first.turn()
    assert (world.record().epoch, world.record().active, world.record().actor) == (2, "frankfurt", "anna")
    assert world.operator.see().nodes == ("frankfurt/frankfurt-2",)
    let_pass(world, 3)
    assert world.second.fence.is_open


@pytest.mark.requirement("nobody's decision is brought in while a node of the other site may be open")
@pytest.mark.parametrize("holder", ["dublin", "dublin/dublin-2", "frankfurt/frankfurt-2"])
def test_a_decision_for_one_site_waits_for_all_others(world: World, holder: str) -> None:
    seen = world.operator.see()
    assert seen.nodes == ("frankfurt/frankfurt-2",)
    world.etcd.entries.pop(b"/shopsphere/rdc-a/lease")
    dublin = world.record().changed(actor="t", reason="t", epoch=2, active="dublin")
    frankfurt = world.record().changed(actor="t", reason="t", epoch=2, active="frankfurt")
    other, decided = ("frankfurt", dublin) if holder.startswith("frankfurt") else ("dublin", frankfurt)
    key = f"/shopsphere/rdc-a/{'lease' if holder == 'dublin' else f'nodes/{holder}'}"
    world.etcd.entries[key.encode()] = b"dublin", 2, 0
    with pytest.raises(WitnessConflictError):
        world.operator.change(world.operator.see(), decided, without_lease=True, but_of=decided.active)
    del world.etcd.entries[key.encode()]
    assert other != decided.active
    assert world.operator.change(world.operator.see(), decided, without_lease=True, but_of=decided.active).record
