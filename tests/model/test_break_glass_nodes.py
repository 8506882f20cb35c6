"""Writing without the witness at sites of several nodes: each node is barred and permitted by itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, cast

import glass_world
import pytest
from glass_world import EPOCH, STEPS, Fence, Memory, NoLedger, Reach, SiteHost, names_of_last_epoch
from present import present

from runbooks import unwitnessed
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role
from runbooks.agent.node import PART_OF_SITE_SECONDS, NodeAgent
from runbooks.agent.permits import PermitKeeper, Witnessed
from runbooks.agent.place import Found
from runbooks.agent.synchrony import Ledger
from runbooks.change import MOVE, STAY, RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.permit import Permit, permit_path, write_permit
from runbooks.unwitnessed import lay_down
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterUnreachableError
from shopsphere.clients.site_agent import SiteAgentError
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import FurtherNode
from shopsphere.witness import PairRecord, Witness, WitnessConflictError
from shopsphere.witness.seen import Seen

NODES = {
    site: FurtherNode(name=f"{site}-2", address=IPv4Address(f"10.99.1.{number}"))
    for number, site in enumerate(glass_world.SITES, 11)
}


class NodeLine(glass_world.Line):
    """A further node's way to the quorum: what it takes is its own lease, and it changes no record."""

    def take_lease(self, seen: Seen, site: str, lease: int) -> None:
        self._travel()
        if seen.revision != self.quorum.revision or self.quorum.holder() not in {"", site}:
            raise WitnessConflictError(f"held, or changed, before lease {lease}")

    def change(self, seen: Seen, record: PairRecord, *, without_lease: bool = False, but_of: str = "") -> Seen:
        raise WitnessConflictError(f"not by a node: {seen} {record} {without_lease} {but_of}")


class NodeHost(SiteHost):
    """A further node: agent and fence of its own, and the API of its site, which it may lose."""

    def __init__(self, world: World, of_site: SiteHost, disk: Path) -> None:
        self._of_site, self.is_cut_off, self.node = of_site, False, NODES[of_site.site].name
        self.site, self._world, self._file = of_site.site, world, disk / f"{self.node}.json"
        self.line, self.fence, self.fault = NodeLine(world.quorum), Fence(world.clock), None
        self.peers = Fence(world.clock)
        self.is_off, self._starts = False, itertools.count(1)
        self.start()

    def _cluster(self) -> Cluster:
        if self.is_cut_off:
            raise ClusterUnreachableError("no answer")
        return cast("Cluster", self._of_site.api)

    def _role(self) -> Role:
        self._cluster()
        return Role.PRIMARY

    def look(self) -> Found:
        """As its place: an instance here leads, so that only the API says that no other one does."""
        return Found(heard=False, unknown="no answer") if self.is_cut_off else Found(heard=True)

    def glance(self) -> Found:
        """What its kernel shows: that one leads here."""
        return Found(heard=False, unknown="a server that does not follow", silent=True)

    def start(self) -> None:
        peer = glass_world.PAIR.other_than(self.site)
        config = AgentConfig(
            pair="rdc-a", site=self.site, node=self.node, peer=peer, first_active="frankfurt",
            witness=("http://10.0.0.1:1",), witness_keys=Path("/none"), kubeconfig="/nowhere", context=self.site,
            permit="/nowhere", listen="10.0.0.2",
        )  # fmt: skip
        permits = PermitKeeper(
            self._file, self._cluster, pair="rdc-a", site=self.site, peer=peer, node=self.node,
            session=f"{self.node} {next(self._starts)}",
        )  # fmt: skip
        self.agent = NodeAgent(
            config, cast("Witness", self.line), self.fence, self._role, lambda: True, cast("Ledger", NoLedger()),
            permits, lambda _line: None, self._world.clock, proof=self._prove,
            place=self, peers=self.peers,
        )  # fmt: skip
        self.agent.start_closed()


class World(glass_world.World):
    def __init__(self, disk: Path) -> None:
        super().__init__(disk)
        self.nodes = {site: NodeHost(self, host, disk) for site, host in self.hosts.items()}

    def settle(self, turns: int = 3) -> None:
        for _ in range(turns):
            for host in self.nodes.values():
                host.turn()
            super().settle(1)

    def lose_witness(self) -> None:
        for host in self.nodes.values():
            host.line.cut = True
        super().lose_witness()

    def open_nodes(self) -> list[str]:
        return [host.node for host in self.nodes.values() if host.fence.is_open]


class NodeReach(Reach):
    """An operator's ways to both sites and to their nodes."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        sites = {
            name: site.model_copy(update={"further_nodes": (NODES[name],)}) if name in NODES else site
            for name, site in self.topology.sites.items()
        }
        self.topology = self.topology.model_copy(update={"sites": sites})
        self.nodes = world.nodes
        self.line.cut = True

    def node_state(self, site: str, node: FurtherNode, *, until: str = "") -> dict[str, Any]:
        assert not until
        if node.name in self.unreached or self.nodes[site].is_off:
            raise SiteAgentError(f"{node.name}: no answer")
        return self.nodes[site].state()


@pytest.fixture(autouse=True, scope="module")
def names() -> Iterator[None]:
    with names_of_last_epoch():
        yield


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.settle()
    assert (made.open_sites(), made.open_nodes()) == (["frankfurt"], ["frankfurt-2"])
    return made


@pytest.fixture
def reach(world: World) -> NodeReach:
    return NodeReach(world)


def change(reach: NodeReach, to: str = "dublin", variant: str = MOVE, off: str = "", **kept: object) -> RoleChange:
    source = glass_world.PAIR.other_than(to)
    return RoleChange(
        reach, source, to, EPOCH, variant, "anna", "flood", accept_data_loss=True, site_is_off=off,
        journal=cast("Any", Memory(dict(kept))), clock=reach.world.clock,
    )  # fmt: skip


def do(number: int, this: RoleChange) -> None:
    present(STEPS[number].act)(this)


@pytest.mark.requirement("a permit opens the fence of each node of the site, and of no other")
def test_each_node_is_barred_and_permitted(world: World, reach: NodeReach) -> None:
    world.lose_witness()
    assert (world.open_sites(), world.open_nodes()) == ([], [])
    this = change(reach)
    assert STEPS[1].verify(this)
    do(3, this)
    assert not STEPS[3].verify(this), "nobody there has looked yet"
    world.hosts["frankfurt"].turn()
    assert not STEPS[3].verify(this), "the node has not looked yet"
    world.settle(1)
    assert STEPS[3].verify(this)
    do(5, this)
    world.hosts["dublin"].turn()
    assert not STEPS[5].verify(this), "its node does not keep to it yet"
    world.settle(1)
    assert STEPS[5].verify(this)
    assert (world.open_sites(), world.open_nodes()) == (["dublin"], ["dublin-2"])


@pytest.mark.requirement("a permit ends with the agent of the node that it was given to")
def test_a_permit_is_for_one_start_of_each_node(world: World, reach: NodeReach) -> None:
    world.lose_witness()
    lay_down(change(reach), "dublin")
    world.settle(1)
    assert world.open_nodes() == ["dublin-2"]
    world.nodes["dublin"].start()
    world.settle(1)
    assert (world.open_sites(), world.open_nodes()) == (["dublin"], [])
    lay_down(change(reach), "dublin")
    world.settle(1)
    assert world.open_nodes() == ["dublin-2"]


@pytest.mark.requirement("a node that is not asked stays shut")
def test_a_node_that_did_not_answer_is_not_permitted(world: World, reach: NodeReach) -> None:
    world.lose_witness()
    reach.unreached.add("dublin-2")
    this = change(reach)
    assert "dublin-2 does not answer and stays shut" in STEPS[5].check(this)
    lay_down(this, "dublin")
    world.settle(1)
    assert (world.open_sites(), world.open_nodes()) == (["dublin"], [])


def test_a_permit_that_is_given_again_takes_nothing_from_a_silent_node(world: World, reach: NodeReach) -> None:
    world.lose_witness()
    lay_down(change(reach), "dublin")
    reach.unreached.add("dublin-2")
    lay_down(change(reach), "dublin")
    world.settle(2)
    assert world.open_nodes() == ["dublin-2"]


@pytest.mark.requirement("a node that cannot be barred blocks, until somebody answers for its being off")
def test_a_silent_node_of_the_other_site(world: World, reach: NodeReach) -> None:
    world.lose_witness()
    reach.unreached.add("frankfurt-2")
    with pytest.raises(BlockedError, match="add --site-is-off frankfurt-2"):
        STEPS[3].check(change(reach))
    with pytest.raises(BlockedError, match="frankfurt-2"):
        do(3, change(reach))
    for off, barred in (("", False), ("frankfurt", False), ("frankfurt-2", True), ("frankfurt-3,frankfurt-2", True)):
        this = change(reach, off=off)
        lay_down(this, "frankfurt")
        this.remember("barred", value=True)
        world.settle(1)
        assert STEPS[3].verify(this) is barred, off
    stays = change(reach, to="dublin", variant=STAY, barred=True)
    assert STEPS[3].verify(stays), "nobody has promoted what follows"


def test_a_node_that_answers_is_not_off(world: World, reach: NodeReach) -> None:
    """Whatever the operator says of it: its agent has been permitted before, and has not heard of the bar."""
    world.lose_witness()
    lay_down(change(reach, to="frankfurt", variant=STAY), "frankfurt")
    world.settle(1)
    assert world.open_nodes() == ["frankfurt-2"]
    this = RoleChange(
        reach, "frankfurt", "dublin", EPOCH + 1, MOVE, "anna", "flood", site_is_off="frankfurt-2",
        journal=cast("Any", Memory()), clock=world.clock,
    )  # fmt: skip
    do(3, this)
    world.hosts["frankfurt"].turn()
    assert not STEPS[3].verify(this)
    assert world.nodes["frankfurt"].fence.is_open
    world.settle(1)
    assert STEPS[3].verify(this)
    assert not world.nodes["frankfurt"].fence.is_open


@pytest.mark.requirement("break-glass refuses while there is a safe way")
def test_a_node_that_hears_the_witness(world: World, reach: NodeReach) -> None:
    world.lose_witness()
    world.nodes["frankfurt"].line.cut = False
    world.settle(1)
    with pytest.raises(BlockedError, match="the agent of frankfurt-2 heard it"):
        STEPS[1].verify(change(reach))


def test_what_only_a_node_knows_is_used_up(world: World, reach: NodeReach) -> None:
    """A bar that only the node of the barred site has read."""
    world.lose_witness()
    lay_down(change(reach, to="frankfurt", variant=STAY), "dublin")
    assert unwitnessed.direction_without_witness(reach, "dublin").epoch == EPOCH
    world.nodes["dublin"].turn()
    found = unwitnessed.direction_without_witness(reach, "dublin")
    assert (found.epoch, found.variant) == (EPOCH + 1, MOVE)


@pytest.mark.requirement("a node that is cut off from its site closes before another instance can be let lead")
@pytest.mark.parametrize("witness", [True, False])
def test_a_node_that_does_not_hear_its_site(world: World, reach: NodeReach, witness: bool) -> None:
    """With the lease of the node, and with a permit."""
    if not witness:
        world.lose_witness()
        lay_down(change(reach, to="frankfurt", variant=STAY), "frankfurt")
        world.settle(1)
    node = world.nodes["frankfurt"]
    assert node.fence.is_open
    node.is_cut_off, began = True, world.clock.now
    while node.fence.is_open:
        world.settle(1)
        assert world.clock.now <= began + PART_OF_SITE_SECONDS + 0.5
    assert "does not answer this node" in node.state()["because"]
    assert world.hosts["frankfurt"].fence.is_open, "the rest of the site goes on"
    node.is_cut_off = False
    world.settle(1)
    assert node.fence.is_open


def test_a_hanging_node_is_shut_by_the_kernel_when_its_site_is_out_of_reach(world: World) -> None:
    node = world.nodes["frankfurt"]
    node.is_cut_off, began = True, world.clock.now
    for _ in range(18):
        world.settle(1)  # its lease goes on, for 7 s from the last of these
    assert node.fence.is_open
    node.is_off = True  # its agent looks no more
    world.clock.now = began + PART_OF_SITE_SECONDS + 0.01
    assert not node.fence.is_open


def test_a_permit_of_a_version_without_nodes(world: World) -> None:
    world.lose_witness()
    session = str(world.hosts["dublin"].state()["session"])
    old = {"pair": "rdc-a", "epoch": EPOCH + 1, "active": "dublin", "session": session, "actor": "a", "reason": "b",
           "at": "2026-11-29T12:00:00Z"}  # fmt: skip
    api = cast("Cluster", world.hosts["dublin"].api)
    write_permit(api, Permit.model_validate(old))
    world.settle(1)
    assert (world.open_sites(), world.open_nodes()) == (["dublin"], [])
    assert permit_path(EPOCH + 1) in world.hosts["dublin"].api.objects
    with pytest.raises(ShopSphereError, match="decided before"):
        write_permit(api, Permit.model_validate({**old, "active": "frankfurt"}))


def test_a_reign_that_only_a_node_knows_of_counts(world: World, reach: NodeReach) -> None:
    world.lose_witness()
    lay_down(change(reach), "dublin")
    assert unwitnessed.direction_without_witness(reach, "").target == "dublin"
    world.nodes["dublin"].turn()
    assert unwitnessed.direction_without_witness(reach, "").target == "frankfurt", "dublin may write by now"


def test_a_node_that_missed_epochs_is_told_of_them(world: World, reach: NodeReach) -> None:
    world.lose_witness()
    node = world.nodes["dublin"]
    node._file.with_suffix(".witnessed.json").write_text(  # noqa: SLF001 its disk
        Witnessed(epoch=EPOCH - 2, active="frankfurt").model_dump_json()
    )
    node.start()
    lay_down(change(reach), "dublin")
    world.settle(2)
    assert (node.fence.is_open, node.state()["refused"]) == (True, "")


@pytest.mark.requirement("what is not known never opens")
def test_a_node_is_shut_until_its_site_has_answered(world: World) -> None:
    node = world.nodes["frankfurt"]
    node.is_cut_off = True
    node.start()
    world.settle(2)
    assert not node.fence.is_open
    node.is_cut_off = False
    world.settle(2)
    assert node.fence.is_open


@pytest.mark.parametrize(
    ("holder", "nodes", "expected"),
    [
        ("", (), ""),
        ("frankfurt", (), "frankfurt"),
        ("frankfurt", ("frankfurt/frankfurt-2",), "frankfurt"),
        ("", ("frankfurt/frankfurt-2",), ""),
        ("frankfurt", ("dublin/dublin-2",), "dublin"),
        ("", ("dublin/dublin-2",), "dublin"),
    ],
)
def test_a_node_of_the_other_site_counts_as_that_site(holder: str, nodes: tuple[str, ...], expected: str) -> None:
    assert Seen(None, 1, holder, nodes).writer_seen_by("frankfurt") == expected
