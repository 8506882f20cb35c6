"""What a further node finds out about its own instances: from the site's API, and from the kernel without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import pytest
from instance_files import instance_files
from manual_clock import ManualClock

from runbooks.agent.own_servers import Server
from runbooks.agent.place import Found, NodePlace
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError

OURS = ("commerce-frankfurt-2", "ledger-frankfurt-2")
FOLLOWS = Server(follows=True)
WELL = Found(heard=True)


class InstancesApi:
    """The API of a site with two instances of each database, on two nodes."""

    context = "frankfurt"

    def __init__(self) -> None:
        self.leaders, self.targets = {"commerce": 1, "ledger": 1}, dict[str, int]()
        self.files, self.running, self.looks = "in archive recovery", True, list[str]()
        self.server, self.container, self.silent, self.gone = True, "first", "", ""
        self.instances, self.names, self.hidden = 2, list[str](), list[str]()  # the last: pods that no list has
        self.is_away = ""  # a database of which the API says nothing; "all" for a silent API

    def _answer(self, name: str) -> None:
        if self.is_away == "all" or (self.is_away and name.startswith(self.is_away)):
            raise NoAnswerError(f"no answer about {name}")

    def get(self, path: str) -> dict[str, Any]:
        name = path.rpartition("/")[2]
        self._answer(name)
        kind = name.partition("-")[0]
        if kind == self.gone:
            raise NotFoundError(f"404 {name}")
        leader = self.leaders[kind]
        return {
            "metadata": {"name": name, "namespace": f"data-{kind}", "uid": name},
            "spec": {"replica": {"self": name, "primary": name}, "instances": self.instances},
            "status": {
                "instanceNames": self.names or [f"{name}-1", f"{name}-2"],
                "currentPrimary": f"{name}-{leader}" if leader else "",
                "targetPrimary": f"{name}-{self.targets.get(kind, leader)}" if leader else "",
            },
        }

    def items_of_known_kind(self, path: str, **query: str) -> list[dict[str, Any]]:
        if "fieldSelector" in query:
            self._answer("the node's pods")
            assert (path, query) == ("/api/v1/pods", {"fieldSelector": "spec.nodeName=frankfurt-2"})
            return [{"metadata": {"uid": each}} for each in ("another database", *OURS)]
        name = query["labelSelector"].partition(",")[0].partition("=")[2]
        self._answer(name)
        state: dict[str, Any] = {"running" if self.running else "waiting": {}}
        states = [{"name": "postgres", "state": state, "containerID": f"containerd://{self.container}"}]
        return [
            {
                "metadata": {"name": f"{name}-{number}", "uid": f"{name}-{number}", "namespace": path.split("/")[4]},
                "spec": {"nodeName": node},
                "status": {"containerStatuses": states, "podIP": f"10.244.{number}.7"},
            }
            for number, node in ((1, "frankfurt"), (2, "frankfurt-2"))
            if f"{name}-{number}" not in self.hidden
        ]

    def execute(self, namespace: str, pod: str, *_command: object, **_bounds: object) -> str:
        assert namespace == f"data-{pod.partition('-')[0]}"
        self.looks.append(pod)
        if self.silent and pod.startswith(self.silent):
            raise NoAnswerError(f"{pod} does not answer")
        return instance_files(self.files, server=self.server)


class Node:
    """The place of `frankfurt-2`, and what its kernel shows."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.api, self.servers, self.later = InstancesApi(), dict.fromkeys(OURS, Server()), list[str]()
        self.place = NodePlace("frankfurt", "frankfurt-2", lambda: cast("Cluster", self.api), clock, self._listed)

    def _listed(self) -> Mapping[str, Server]:
        now = dict(self.servers)
        for each in self.later:
            self.servers.pop(each, None)
        return now

    def look(self) -> Found:
        """What is said of the instances; the rest has tests of its own."""
        return replace(self.place.look(), silent=False, follows=False, elsewhere=frozenset())


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.mark.requirement("a node is shut while an old primary runs there, though another instance leads by now")
def test_an_old_primary_on_a_node(node: Node) -> None:
    api = node.api
    assert node.look() == WELL
    assert sorted(api.looks) == [*OURS], "of this node, not of the other"
    api.files = "in production"
    assert node.look() == WELL, "proven once, for as long as the same instance leads"
    api.leaders = {"commerce": 2, "ledger": 2}
    assert node.look() == WELL, "it leads itself"
    api.leaders = {"commerce": 1, "ledger": 2}
    fresh = Node()
    fresh.api = api
    assert fresh.look() == Found(heard=True, old_primary="commerce-frankfurt-2 on frankfurt-2 is no standby, though "
                                 "commerce-frankfurt-1 leads")  # fmt: skip
    api.running, fresh.servers = False, {}
    assert fresh.look() == WELL, "what does not run takes no writes, and asks before it starts"


@pytest.mark.requirement("what the kernel shows to run is judged, also where the API calls it ended")
def test_a_server_of_a_container_that_the_api_calls_ended(node: Node) -> None:
    node.api.running, node.api.files = False, "in production"
    assert "is no standby" in node.look().old_primary


@pytest.mark.requirement("a node that lost power gets its copy of the new leader over the network")
def test_an_instance_that_is_being_made_a_standby_does_not_shut_its_node(node: Node) -> None:
    node.api.files, node.api.server = "shut down", False
    assert node.look() == WELL
    node.api.files, node.api.server = "in production", True
    assert node.look().old_primary, "what had no server was no proof"


def test_a_proof_ends_with_the_reign_that_it_was_of(node: Node) -> None:
    node.look()
    for leader in (2, 1):
        node.api.leaders = dict.fromkeys(node.api.leaders, leader)
        found = node.look()
        node.api.files = "in production"
    assert found.old_primary


@pytest.mark.requirement("a busy machine does not shut a healthy node: an answer that is missing ends no proof")
def test_a_proof_outlives_a_silence_of_ten_seconds() -> None:
    clock = ManualClock()
    node = Node(clock)
    api = node.api
    api.silent = "ledger"
    for _ in range(2):
        assert node.look() == Found(heard=True, unknown="ledger-frankfurt-2 does not answer")
    assert api.looks.count("commerce-frankfurt-2") == 1, "the other database's silence is not its own"
    api.silent = ""
    node.look()
    looks = len(api.looks)
    api.silent = "commerce"
    clock.sleep(10)
    assert node.look() == WELL
    assert len(api.looks) == looks
    clock.sleep(10.01)
    assert node.look().unknown == "commerce-frankfurt-2 does not answer"


def test_a_container_that_started_anew_is_asked_anew(node: Node) -> None:
    node.look()
    node.api.container, node.api.files = "second", "in production"
    assert node.look().old_primary


def test_another_leader_ends_a_proof_though_the_look_fails_later() -> None:
    node = Node(ManualClock())
    node.look()
    node.api.leaders, node.api.silent = {"commerce": 3, "ledger": 3}, "ledger"
    assert node.look().unknown
    node.api.leaders, node.api.silent, node.api.files = {"commerce": 1, "ledger": 1}, "", "in production"
    assert node.look().old_primary


@pytest.mark.requirement("a pod that was deleted by force while its kubelet was away does not go on as a second writer")
def test_a_server_whose_pod_the_api_has_forgotten(node: Node) -> None:
    node.servers |= {"another database": Server()}
    assert node.look() == WELL
    node.servers |= {"a pod of before": Server()}
    node.later = ["a pod of before"]
    assert node.look() == WELL, "it has ended meanwhile"
    node.servers |= {"a pod of before": Server()}
    node.later = []
    why = "PostgreSQL runs on frankfurt-2 in pods that the API has forgotten: a pod of before"
    assert node.look() == Found(heard=True, old_primary=why)


@pytest.mark.requirement("one database's trouble does not shut the other one's leader")
@pytest.mark.parametrize(
    ("silent", "is_away", "gone", "heard"),
    [("commerce", "", "", True), ("", "commerce", "", False), ("", "", "commerce", True)],
)
def test_the_other_database_in_trouble(node: Node, silent: str, is_away: str, gone: str, heard: bool) -> None:
    node.api.leaders = {"commerce": 1, "ledger": 2}
    if gone:
        node.api.hidden = ["commerce-frankfurt-1", "commerce-frankfurt-2"]
    if is_away:
        node.look()  # kernel and API agree
    node.api.silent, node.api.is_away, node.api.gone = silent, is_away, gone
    assert node.look().unknown, "nobody knows of commerce whether it writes here"
    node.servers["commerce-frankfurt-2"] = FOLLOWS
    assert node.look() == Found(heard=heard), "it follows: it takes no writes, whoever does not answer"
    del node.servers["commerce-frankfurt-2"]
    if not silent:
        assert node.look() == Found(heard=heard), "it does not run"


@pytest.mark.requirement("only a server that is seen to follow is taken for harmless while the API is silent")
@pytest.mark.parametrize(
    ("servers", "harmless"),
    [
        ((FOLLOWS, FOLLOWS), True),
        ((), True),  # nothing runs, and nothing starts without the API
        ((Server(), FOLLOWS), False),
        ((Server(followers=frozenset({"10.244.1.7"})), FOLLOWS), False),  # it leads, and others may lead by now
    ],
)
def test_a_silent_api(node: Node, servers: tuple[Server, ...], harmless: bool) -> None:
    node.api.is_away = "all"
    node.servers = dict(zip(OURS, servers, strict=False))
    for look in (node.place.look, node.place.glance):
        found = look()
        assert (found.unknown == "", found.old_primary, found.heard) == (False, "", False), "never seen to agree"
        assert not found.follows
    node.api.is_away, node.servers = "", dict.fromkeys(OURS, Server())
    node.look()
    node.api.is_away = "all"
    node.servers = dict(zip(OURS, servers, strict=False))
    for look in (node.place.look, node.place.glance):
        found = look()
        assert (found.unknown == "", found.old_primary, found.heard) == (harmless, "", False)
        assert (found.silent, found.follows) == (True, servers == (FOLLOWS, FOLLOWS))


@pytest.mark.requirement("a kernel that hides servers is no witness that none runs")
def test_a_blind_kernel() -> None:
    """Under hidepid, in another namespace of processes, or where control groups do not name pods."""
    node = Node()
    node.api.leaders, seen = {"commerce": 2, "ledger": 2}, node.servers
    node.servers = {}
    for _ in range(3):
        assert node.look() == WELL, "the API says who leads"
        assert node.place.glance().unknown
    node.api.is_away = "all"
    assert node.look().unknown
    node.api.is_away, node.servers = "", seen
    node.look()
    node.api.is_away, node.servers = "all", {}
    assert node.look() == Found(heard=False), "both have ended since"
    node.api.is_away = ""
    node.look()  # missing once: it may just start
    assert node.place.glance().unknown, "not while one is missing"
    node.servers = seen
    node.look()
    node.servers = {}
    assert node.place.glance().unknown == ""
    node.look()
    node.look()
    node.api.running = False
    node.look()
    node.api.is_away = "all"
    assert node.look().unknown, "missing twice: only seeing all of them ends that"
    node.api.is_away, node.api.running, node.servers = "", True, seen
    node.look()
    node.api.is_away, node.servers = "all", {}
    assert node.look() == Found(heard=False)


def test_a_server_of_one_database_says_nothing_of_the_other(node: Node) -> None:
    node.api.leaders = {"commerce": 2, "ledger": 2}
    del node.servers["commerce-frankfurt-2"]
    node.look()
    node.api.is_away, node.servers = "all", {"ledger-frankfurt-2": FOLLOWS}
    assert node.look().unknown


def test_a_server_that_the_api_places_elsewhere_is_not_harmless(node: Node) -> None:
    node.look()
    node.servers["ledger-frankfurt-1"] = Server()
    assert "ledger-frankfurt-1" in node.look().unknown
    node.later = ["ledger-frankfurt-1"]
    assert node.look() == WELL, "it has ended meanwhile"


@pytest.mark.requirement("a proof lasts ten seconds after a server was seen to follow, however often the API answers")
def test_a_proof_of_files_is_made_again() -> None:
    clock = ManualClock()
    node = Node(clock)
    node.servers = dict.fromkeys(OURS, FOLLOWS)
    assert node.look() == WELL
    assert node.api.looks == []
    node.servers, node.api.files = dict.fromkeys(OURS, Server()), "in production"
    clock.sleep(10)
    assert node.look() == WELL
    clock.sleep(0.01)
    assert node.look().old_primary
    node.api.files = "in archive recovery"
    assert node.look() == WELL
    looks = len(node.api.looks)
    for _ in range(10):
        clock.sleep(1)
        assert node.look() == WELL
    assert len(node.api.looks) == looks
    clock.sleep(1)
    node.look()
    assert len(node.api.looks) == looks + 2, "looks that used it made it no younger"


@pytest.mark.requirement("only what leads at its site receives from the other one")
def test_which_databases_do_not_lead_here(node: Node) -> None:
    api = node.api
    api.leaders = {"commerce": 2, "ledger": 1}
    for is_away in ("", "all"):
        api.is_away = is_away
        assert node.place.look().elsewhere == node.place.glance().elsewhere == {30033}
    api.is_away, api.leaders = "", {"commerce": 1, "ledger": 2}
    assert node.place.look().elsewhere == {30032}
    api.targets = {"ledger": 1}
    assert node.place.look().elsewhere == {30032, 30033}, "another one is about to lead"
    api.leaders = {"commerce": 0, "ledger": 0}
    assert node.place.look().elsewhere == frozenset(), "the first copy is taken from there"
    api.leaders, api.targets, api.gone = {"commerce": 2, "ledger": 2}, {}, "commerce"
    assert node.place.look().elsewhere == {30032}, "what the API does not know has nothing to receive"


@pytest.mark.requirement("who is followed by all others is known only where all others are")
@pytest.mark.parametrize(
    ("instances", "names", "hidden", "heard"),
    [
        (2, [], [], True),
        (3, [], [], False),
        (2, ["ledger-frankfurt-1", "ledger-frankfurt-2", "ledger-frankfurt-3"], [], False),
        (2, [], ["ledger-frankfurt-1"], False),
        (1, ["ledger-frankfurt-2"], ["ledger-frankfurt-1"], True),
    ],
)
def test_others_that_the_api_did_not_list(
    node: Node, instances: int, names: list[str], hidden: list[str], heard: bool
) -> None:
    node.api.leaders = {"commerce": 1, "ledger": 2}
    node.api.instances, node.api.names, node.api.hidden = instances, names, hidden
    followed = Server(follows=True, followers=frozenset({"10.244.1.7"}))
    node.servers = {"commerce-frankfurt-2": FOLLOWS, "ledger-frankfurt-2": followed}
    assert node.look() == WELL
    node.api.is_away = "all"
    assert node.look() == Found(heard=heard)
    assert node.place.glance().heard is heard


@pytest.mark.requirement("the copy that may be promoted is the one that confirms, also while a site's API is away")
def test_who_is_followed_by_all_others_goes_on_confirming_without_the_api(node: Node) -> None:
    """At a site that follows: an instance elsewhere that led would follow the other site instead."""
    node.api.leaders = {"commerce": 1, "ledger": 2}
    followed = Server(follows=True, followers=frozenset({"10.244.1.7", "10.244.2.9"}))
    node.servers = {"commerce-frankfurt-2": FOLLOWS, "ledger-frankfurt-2": followed}
    node.api.is_away = "all"
    assert not node.look().heard, "it never said who leads"
    node.api.is_away = ""
    assert node.look() == WELL
    node.api.is_away = "all"
    assert node.look() == WELL
    node.servers["ledger-frankfurt-2"] = Server(follows=True, followers=frozenset({"10.244.2.9"}))
    assert not node.look().heard, "another instance does not follow"
    del node.servers["ledger-frankfurt-2"]
    assert not node.look().heard
    node.servers["ledger-frankfurt-2"] = followed
    node.api.is_away, node.api.targets = "", {"ledger": 1}
    assert node.look().heard
    node.api.is_away = "all"
    assert node.look() == Found(heard=False), "it was about to lead no more when the API answered last"
    node.api.is_away, node.api.targets, node.api.leaders = "", {}, {"commerce": 2, "ledger": 1}
    node.servers["commerce-frankfurt-2"] = followed
    assert node.look().heard
    node.api.is_away = "all"
    assert node.look() == Found(heard=False), "it does not lead: nothing here has to confirm"


@pytest.mark.requirement("an old primary that has not heard of its end is reached by nobody")
def test_what_leads_here_is_leaving_while_another_one_is_to_lead(node: Node) -> None:
    assert not node.look().leaving
    node.api.targets["ledger"] = 2
    assert not node.look().leaving, "it leads elsewhere, and is to lead here"
    node.api.leaders["ledger"], node.api.targets["ledger"] = 2, 1
    assert node.look().leaving
    node.api.targets.clear()
    assert not node.look().leaving
