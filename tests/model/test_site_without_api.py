"""A site that follows, of which only the API server is lost: what runs there goes on, and what does not follow ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from glass_world import Fence
from manual_clock import ManualClock
from small_etcd import Line, SmallEtcd
from test_node_leases import NoLedger, Permits
from test_node_place import FOLLOWS, InstancesApi

from runbooks.agent.agent import Agent
from runbooks.agent.config import AgentConfig
from runbooks.agent.databases import Role
from runbooks.agent.first_node import FirstAgent
from runbooks.agent.node import NOTICED_SECONDS, PART_OF_SITE_SECONDS, NodeAgent
from runbooks.agent.own_servers import Server
from runbooks.agent.place import NodePlace
from runbooks.agent.synchrony import Ledger
from shopsphere.clients.cluster import Cluster
from shopsphere.estate.databases import REPLICATION_PORTS
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.witness import Witness
from shopsphere.witness.nodes import NodeWitness

URLS = ("http://10.0.0.1:1",)
FOLLOWED = Server(follows=True, followers=frozenset({"10.244.1.7"}))
LEDGER, COMMERCE = "ledger-dublin-2", "commerce-dublin-2"


@dataclass
class Dublin:
    """The site that follows: agents of both nodes, whose ledger leads on the second one."""

    further: bool = True
    clock: ManualClock = field(default_factory=lambda: ManualClock(100.0))

    def __post_init__(self) -> None:
        etcd, self.api, self.asked = SmallEtcd(self.clock), DublinApi(), list[float]()
        self.api.leaders = {"commerce": 1, "ledger": 2}
        self.servers = {COMMERCE: FOLLOWS, LEDGER: FOLLOWED}
        self.at_first = {"commerce-dublin-1": FOLLOWED, "ledger-dublin-1": FOLLOWS}
        self.role, self.told = Role.REPLICA, [""]
        self.fence, self.first_fence, self.peers = Fence(self.clock), Fence(self.clock), Fence(self.clock)
        place = NodePlace("dublin", "dublin-2", lambda: cast("Cluster", self.api), self.clock, lambda: self.servers)
        kind: Any = partial(NodeAgent, place=place, peers=self.peers)
        transport = Line(etcd).transport
        node = NodeWitness("rdc-a", URLS, node="dublin-2", boot="1", transport=transport)
        self.second = self._agent(kind, node, self.fence, "dublin-2")
        kind = partial(FirstAgent, servers=lambda: self.at_first)
        self.first = self._agent(kind, Witness("rdc-a", URLS, transport=transport), self.first_fence, "")
        if self.further:
            etcd.entries[b"/shopsphere/rdc-a/nodes/dublin/dublin-2"] = b"dublin", 1, 0
        for agent in (self.first, self.second):
            agent.start_closed()
        self.turn()

    def _agent(self, kind: Any, witness: Witness, fence: Fence, node: str) -> Agent:
        config = AgentConfig(
            pair="rdc-a", site="dublin", node=node, peer="frankfurt", first_active="frankfurt", witness=URLS,
            witness_keys=Path("/none"), kubeconfig=Path("/none"), context="dublin", permit=Path("/none"),
            listen="10.0.0.2",
        )  # fmt: skip
        agent: Agent = kind(
            config, witness, fence, self.ask_role, lambda: True, cast("Ledger", NoLedger()), Permits(),
            self.told.append, self.clock,
        )  # fmt: skip
        return agent

    def ask_role(self) -> Role:
        self.asked.append(self.clock.now)
        if self.api.is_away:
            raise NoAnswerError("no answer about the role")
        return self.role

    def turn(self) -> None:
        for agent in (self.first, self.second):
            agent.prove_fence()
            agent.follow_record()
            agent.look_at_databases()
            agent.move_doors()

    def lives_on(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.sleep(1)
            self.turn()


class DublinApi(InstancesApi):
    """As the other site's, of nodes named for this one."""

    def items_of_known_kind(self, path: str, **query: str) -> list[dict[str, Any]]:
        pods = super().items_of_known_kind(path, **query)
        for pod in pods:
            pod["spec"] = {"nodeName": pod["spec"]["nodeName"].replace("frankfurt", "dublin")}
        return pods


@pytest.fixture
def dublin() -> Dublin:
    return Dublin()


@pytest.mark.requirement("losing only the API server of the site that follows stops no payment")
def test_all_stays_open_while_all_follow(dublin: Dublin) -> None:
    assert (dublin.second.doors().databases, dublin.first.doors().databases) == (True, True)
    dublin.api.is_away = "all"
    asked = len(dublin.asked)
    for _ in range(120):
        dublin.lives_on(1)
        for agent, fence in ((dublin.second, dublin.fence), (dublin.first, dublin.first_fence)):
            assert (agent.doors().databases, agent.doors().writes, fence.is_open) == (True, False, True)
        assert dublin.peers.is_open
        assert dublin.peers.but == {30032}, "commerce does not lead here"
    assert len(dublin.asked) == asked + 120, "by the first node's agent alone: the other one knows that the API is away"


@pytest.mark.requirement("what does not follow any more is shut within ten seconds while the API is silent")
@pytest.mark.parametrize("change", [Server(), None])
def test_a_server_that_follows_no_more(dublin: Dublin, change: Server | None) -> None:
    dublin.api.is_away = "all"
    dublin.lives_on(60)
    for servers, name in ((dublin.servers, COMMERCE), (dublin.at_first, "ledger-dublin-1")):
        servers.pop(name) if change is None else servers.update({name: change})
    dublin.lives_on(int(PART_OF_SITE_SECONDS) + 1)
    assert not dublin.first_fence.is_open
    assert dublin.fence.is_open is (change is None), "nothing starts without the API: what is left follows"


@pytest.mark.requirement("a follower that is gone is not taken for one longer than a node may be cut off")
def test_the_way_to_the_other_site_ends_with_its_followers(dublin: Dublin) -> None:
    dublin.api.is_away = "all"
    dublin.lives_on(60)
    dublin.servers[LEDGER] = FOLLOWS  # the kernel shows it 5 s after the last word of the follower
    dublin.lives_on(int(PART_OF_SITE_SECONDS - NOTICED_SECONDS) - 1)
    assert dublin.peers.is_open
    dublin.lives_on(1)
    assert not dublin.peers.is_open


@pytest.mark.requirement("what is not known never opens")
def test_a_role_that_was_not_heard_is_not_learned_from_the_kernel(dublin: Dublin) -> None:
    dublin.role = Role.PRIMARY
    dublin.lives_on(1)
    dublin.api.is_away = "all"
    dublin.lives_on(1)
    assert dublin.second.doors().databases is dublin.first.doors().databases is False


def test_what_the_kernel_did_not_show_while_the_api_was_heard_counts_for_nothing(dublin: Dublin) -> None:
    gone = dublin.at_first.pop("commerce-dublin-1"), dublin.servers.pop(COMMERCE)
    dublin.lives_on(30)
    dublin.api.is_away = "all"
    dublin.lives_on(31)
    assert not dublin.first_fence.is_open
    assert not dublin.fence.is_open
    dublin.at_first["commerce-dublin-1"], dublin.servers[COMMERCE] = gone
    dublin.lives_on(1)
    assert not dublin.first_fence.is_open


@pytest.mark.requirement("losing only the API server of the site that follows stops no payment")
@pytest.mark.parametrize("follows", [True, False])
def test_a_site_whose_further_nodes_never_had_a_lease(*, follows: bool) -> None:
    """A site of one node, or one that has not been active since its agent started."""
    dublin = Dublin(further=False)
    assert dublin.first_fence.is_open
    dublin.api.is_away = "all"
    if not follows:
        dublin.at_first["ledger-dublin-1"] = Server()
    dublin.lives_on(31)
    assert dublin.first_fence.is_open is follows


@pytest.mark.requirement("only what leads at its site receives from the other one")
def test_the_way_to_the_other_site_is_that_of_the_leaders(dublin: Dublin) -> None:
    assert (dublin.peers.is_open, dublin.peers.but) == (True, {30032})
    dublin.api.leaders = {"commerce": 1, "ledger": 1}
    dublin.lives_on(1)
    assert not dublin.peers.is_open, "at once, though the API answers"
    assert "no database leads on this node" in dublin.told[-1]
    assert dublin.second.describe()["reaches_peer"] is False
    dublin.api.leaders = {"commerce": 2, "ledger": 1}
    dublin.lives_on(1)
    assert (dublin.peers.is_open, dublin.peers.but) == (True, {30033})
    assert dublin.second.describe()["reaches_peer"] is True
    dublin.api.leaders = {"commerce": 0, "ledger": 0}
    dublin.lives_on(1)
    assert (dublin.peers.is_open, dublin.peers.but) == (True, frozenset()), "the first copy is taken from there"
    assert len(REPLICATION_PORTS) == 2


@pytest.mark.requirement("a host's writers are shut off first")
def test_the_order_of_a_start(dublin: Dublin, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(dublin.fence, "close", lambda: order.append("databases"))
    monkeypatch.setattr(dublin.peers, "close", lambda: order.append("to the other site"))
    monkeypatch.setattr(dublin.second, "prove_fence", lambda: order.append("proof"))
    dublin.second.start_closed()
    assert order == ["databases", "to the other site", "databases", "proof"]
