"""Sites of several nodes: each node's fence has a lease of its own, and nobody is promoted while one has not ended."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from glass_world import Fence
from instance_files import instance_files
from manual_clock import ManualClock
from small_etcd import Line, SmallEtcd

from runbooks.agent.agent import Agent
from runbooks.agent.config import AgentConfig, Margins
from runbooks.agent.databases import NodeRole, OldPrimaryError, Role
from runbooks.agent.node import NodeAgent, boot_of
from runbooks.agent.permits import Witnessed
from runbooks.agent.synchrony import Ledger
from runbooks.permit import Permit
from shopsphere.clients.cluster import Cluster
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.witness import PairRecord, Phase, Witness, WitnessConflictError
from shopsphere.witness.nodes import NodeWitness
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

    def __init__(self, world: World, site: str, node: str = "", boot: str = "first start") -> None:
        self.line, self.fence, self.ledger, self.told = Line(world.etcd), Fence(world.clock), NoLedger(), [""]
        self.role, self.witness = world.roles, self._witness(node, boot)
        peer = "dublin" if site == "frankfurt" else "frankfurt"
        config = AgentConfig(
            pair="rdc-a", site=site, node=node, peer=peer, first_active="frankfurt", witness=URLS,
            witness_keys=Path("/none"), kubeconfig=Path("/none"), context=site, permit=Path("/none"), listen="10.0.0.2",
        )  # fmt: skip
        kind = NodeAgent if node else Agent
        self.agent = kind(
            config, self.witness, self.fence, lambda: world.role_of(site), lambda: True, cast("Ledger", self.ledger),
            Permits(), self.told.append, world.clock,
        )  # fmt: skip
        self.agent.start_closed()

    def _witness(self, node: str, boot: str) -> Witness:
        if node:
            return NodeWitness("rdc-a", URLS, node=node, boot=boot, transport=self.line.transport)
        return Witness("rdc-a", URLS, transport=self.line.transport)

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

    def __init__(self) -> None:
        self.clock = ManualClock(100.0)
        self.etcd = SmallEtcd(self.clock)
        self.roles = {"frankfurt": Role.PRIMARY, "dublin": Role.REPLICA}
        self.first, self.second = Host(self, "frankfurt"), Host(self, "frankfurt", "frankfurt-2")
        self.operator = Witness("rdc-a", URLS, transport=Line(self.etcd).transport)
        for host in (self.first, self.first, self.second, self.second):
            host.turn()

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


class InstancesApi:
    """The API of a site with two instances of each database, on two nodes."""

    context = "frankfurt"

    def __init__(self) -> None:
        self.leader, self.files, self.running, self.looks = 1, "in archive recovery", True, list[str]()
        self.server, self.container, self.silent = True, "first", ""

    def get(self, path: str) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        status = {"currentPrimary": f"{name}-{self.leader}", "targetPrimary": f"{name}-{self.leader}"}
        return {
            "metadata": {"name": name, "namespace": f"data-{name.partition('-')[0]}", "uid": name},
            "spec": {"replica": {"self": name, "primary": name}},
            "status": status,
        }

    def items_of_known_kind(self, path: str, **query: str) -> list[dict[str, Any]]:
        if "fieldSelector" in query:
            assert (path, query) == ("/api/v1/pods", {"fieldSelector": "spec.nodeName=frankfurt-2"})
            return [{"metadata": {"uid": each}} for each in ("another database", "ledger-frankfurt-2")]
        name = query["labelSelector"].partition(",")[0].partition("=")[2]
        state: dict[str, Any] = {"running" if self.running else "waiting": {}}
        states = [{"name": "postgres", "state": state, "containerID": f"containerd://{self.container}"}]
        return [
            {
                "metadata": {"name": f"{name}-{number}", "uid": f"{name}-{number}"},
                "spec": {"nodeName": node},
                "status": {"containerStatuses": states},
            }
            for number, node in ((1, "frankfurt"), (2, "frankfurt-2"))
        ]

    def execute(self, _namespace: str, pod: str, *_command: object, **_bounds: object) -> str:
        self.looks.append(pod)
        if self.silent and pod.startswith(self.silent):
            raise NoAnswerError(f"{pod} does not answer")
        return instance_files(self.files, server=self.server)


def node_role(clock: Clock = SYSTEM_CLOCK, *servers: set[str]) -> NodeRole:
    """Return the role of a node on which PostgreSQL runs in these pods, look by look; in none where none are named."""
    said = iter(servers)
    return NodeRole("frankfurt", "frankfurt-2", clock, lambda: next(said, set()))


@pytest.mark.requirement("a node is shut while an old primary runs there, though another instance leads by now")
def test_an_old_primary_on_a_node() -> None:
    api, role = InstancesApi(), node_role()
    cluster = cast("Cluster", api)
    assert role.ask(cluster) is Role.PRIMARY
    assert sorted(api.looks) == ["commerce-frankfurt-2", "ledger-frankfurt-2"], "of this node, not of the other"
    api.files = "in production"
    assert role.ask(cluster) is Role.PRIMARY, "proven once, for as long as the same instance leads"
    api.leader = 2
    assert role.ask(cluster) is Role.PRIMARY, "it leads itself"
    api.leader = 1
    fresh = node_role()
    with pytest.raises(ShopSphereError, match="frankfurt-2 on frankfurt-2 is no standby, though "):
        fresh.ask(cluster)
    api.running = False
    assert fresh.ask(cluster) is Role.PRIMARY, "what does not run takes no writes, and asks before it starts"


@pytest.mark.requirement("a node that lost power gets its copy of the new leader over the network")
def test_an_instance_that_is_being_made_a_standby_does_not_shut_its_node() -> None:
    api, role = InstancesApi(), node_role()
    cluster = cast("Cluster", api)
    api.files, api.server = "shut down", False
    assert role.ask(cluster) is Role.PRIMARY
    api.files, api.server = "in production", True
    with pytest.raises(ShopSphereError, match="is no standby"):
        role.ask(cluster)  # what had no server was no proof


def test_a_proof_ends_with_the_reign_that_it_was_of() -> None:
    api, role = InstancesApi(), node_role()
    cluster = cast("Cluster", api)
    role.ask(cluster)
    api.leader = 2
    role.ask(cluster)
    api.leader, api.files = 1, "in production"
    with pytest.raises(ShopSphereError, match="is no standby"):
        role.ask(cluster)


@pytest.mark.requirement("a busy machine does not shut a healthy node: an answer that is missing ends no proof")
def test_a_proof_outlives_a_silence_of_ten_seconds() -> None:
    clock = ManualClock()
    api, role = InstancesApi(), node_role(clock)
    cluster = cast("Cluster", api)
    api.silent = "ledger"
    for _ in range(2):
        with pytest.raises(NoAnswerError):
            role.ask(cluster)
    assert sorted(set(api.looks)) == ["commerce-frankfurt-2", "ledger-frankfurt-2"]
    assert api.looks.count("commerce-frankfurt-2") == 1, "the other database's silence is not its own"
    api.silent = ""
    role.ask(cluster)
    looks = len(api.looks)
    api.silent = "commerce"
    clock.sleep(10)
    role.ask(cluster)
    assert len(api.looks) == looks
    clock.sleep(10.01)
    with pytest.raises(NoAnswerError):
        role.ask(cluster)


def test_a_container_that_started_anew_is_asked_anew() -> None:
    api, role = InstancesApi(), node_role()
    cluster = cast("Cluster", api)
    role.ask(cluster)
    api.container, api.files = "second", "in production"
    with pytest.raises(ShopSphereError, match="is no standby"):
        role.ask(cluster)


def test_another_leader_ends_a_proof_though_the_look_fails_later() -> None:
    api, role = InstancesApi(), node_role(ManualClock())
    cluster = cast("Cluster", api)
    role.ask(cluster)
    api.leader, api.silent = 3, "ledger"
    with pytest.raises(NoAnswerError):
        role.ask(cluster)
    api.leader, api.silent, api.files = 1, "", "in production"
    with pytest.raises(ShopSphereError, match="is no standby"):
        role.ask(cluster)


@pytest.mark.requirement("a pod that was deleted by force while its kubelet was away does not go on as a second writer")
def test_a_server_whose_pod_the_api_has_forgotten() -> None:
    cluster = cast("Cluster", InstancesApi())
    known, gone = {"ledger-frankfurt-2", "another database"}, "a pod of before"
    assert node_role(SYSTEM_CLOCK, known, known).ask(cluster) is Role.PRIMARY
    assert node_role(SYSTEM_CLOCK, {gone, *known}, known).ask(cluster) is Role.PRIMARY, "it has ended meanwhile"
    with pytest.raises(NoAnswerError, match="on frankfurt-2 in pods that the API has forgotten: a pod of before"):
        node_role(SYSTEM_CLOCK, {gone, *known}, {gone, *known}).ask(cluster)


@pytest.mark.requirement("an old primary on a node shuts it at once; a silent API does so after 10 s")
def test_what_is_known_of_an_old_primary_is_no_silence(world: World) -> None:
    assert world.second.fence.is_open
    world.refusal = NoAnswerError("the API is silent")
    world.second.turn()
    assert world.second.fence.is_open
    world.refusal = OldPrimaryError("ledger-frankfurt-2 is no standby")
    world.second.turn()
    assert not world.second.fence.is_open
    world.refusal = None
    world.second.turn()
    assert world.second.fence.is_open
