"""Another instance of a site leads at once where the node of the old one is shut, and never where it may be open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast

import pytest
from small_etcd import Line
from test_node_leases import NODE_KEY, URLS, Host, World

from runbooks.agent.first_node import FirstAgent
from runbooks.agent.in_site import LET_IN_AFTER, LOOKS_EVERY, LOOKS_SOON, UNCHANGED_SECONDS, InSiteMoves, lease_path
from runbooks.agent.node import PART_OF_SITE_SECONDS
from runbooks.agent.state import Knowledge
from runbooks.permit import Permit
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterUnreachableError, ConflictError, NotFoundError
from shopsphere.clients.postgres import cluster_path
from shopsphere.estate.databases import DATABASES, LEDGER
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.witness import Phase
from shopsphere.witness.seen import BARRED
from shopsphere.witness.sites import SiteWitness

OLD, NEW = "ledger-frankfurt-2", "ledger-frankfurt-1"
LEASE = lease_path(LEDGER, "frankfurt")
NODES = {OLD: "frankfurt-2", NEW: "frankfurt"}


class Api:
    """The site's API: clusters, their leases, and pods."""

    def __init__(self) -> None:
        self.target, self.leader, self.holder, self.version = OLD, OLD, OLD, 7
        self.pods, self.broken = dict(NODES), False
        self.commerce, self._holds = "commerce-frankfurt-1", True
        self.missing: set[str] = set()
        self.before_patch: Callable[[], object] = lambda: None

    @property
    def commerce_holder(self) -> str:
        return self.commerce if self._holds else ""

    @commerce_holder.setter
    def commerce_holder(self, holder: str) -> None:
        self._holds = bool(holder)

    def get(self, path: str) -> dict[str, Any]:
        if path in self.missing:
            raise NotFoundError(f"{path} is not there")
        if path == LEASE:
            return {"metadata": {"resourceVersion": str(self.version)}, "spec": {"holderIdentity": self.holder}}
        if path == cluster_path(LEDGER.namespace.name, LEDGER.cluster("frankfurt")):
            return {"status": {"targetPrimary": self.target, "currentPrimary": self.leader}}
        if path == lease_path(DATABASES[0], "frankfurt"):
            return {"metadata": {"resourceVersion": "1"}, "spec": {"holderIdentity": self.commerce_holder}}
        if self.broken:
            raise ClusterUnreachableError("commerce says nothing")
        return {"status": {"targetPrimary": "commerce-frankfurt-1", "currentPrimary": self.commerce}}

    def items_of_known_kind(self, path: str, fieldSelector: str) -> list[dict[str, Any]]:  # noqa: N803 Kubernetes' name
        assert path in {f"/api/v1/namespaces/{each.namespace.name}/pods" for each in DATABASES}
        pod = fieldSelector.removeprefix("metadata.name=")
        return [{"spec": {"nodeName": self.pods[pod]}}] if pod in self.pods else []

    def patch(self, path: str, changes: dict[str, Any], *, version: str) -> None:
        self.before_patch()
        if path == lease_path(DATABASES[0], "frankfurt"):
            self.commerce_holder = changes["spec"]["holderIdentity"]
            return
        assert path == LEASE
        if version != str(self.version):
            raise ConflictError("the lease was renewed")
        self.holder, self.version = changes["spec"]["holderIdentity"], self.version + 1


class Site:
    def __init__(self) -> None:
        self.world, self.api, self.told = World(), Api(), [""]
        self.line = Line(self.world.etcd)
        witness = SiteWitness("rdc-a", URLS, site="frankfurt", transport=self.line.transport)
        api = cast("Cluster", self.api)
        self.moves = InSiteMoves("frankfurt", lambda: api, witness, self.told.append, self.world.clock)
        first = partial(FirstAgent, in_site=self.moves, servers=dict)
        self.world.first = Host(self.world, "frankfurt", first=first)  # as after a restart of the agent
        for _ in range(2):
            self.pass_second(second=True)

    def lose_node(self) -> None:
        """Let the node's lease end, as after a loss of power; the operator chooses another instance."""
        for _ in range(11):
            self.pass_second()
        assert not self.has_key
        self.api.target = NEW

    def pass_second(self, *, second: bool = False) -> None:
        self.world.clock.sleep(1)
        self.world.first.turn()
        if second:
            self.world.second.turn()

    def look(self) -> None:
        self.agent.let_others_lead()

    def looks(self, seconds: float = UNCHANGED_SECONDS, *, second: bool = False) -> None:
        """Look each second, as long as it takes to know that a lease is not renewed."""
        self.look()
        for _ in range(int(seconds)):
            self.pass_second(second=second)
            self.look()

    def lead(self, pod: str = NEW) -> None:
        self.api.leader = self.api.holder = pod

    @property
    def agent(self) -> FirstAgent:
        assert isinstance(self.world.first.agent, FirstAgent)
        return self.world.first.agent

    @property
    def has_key(self) -> bool:
        return NODE_KEY in set(self.world.etcd.keys())

    def give_back(self) -> None:
        """Let the site give its lease back, as a runbook has it do."""
        self.world.announce(Phase.FENCING)
        self.world.first.turn()

    def value(self) -> str:
        return self.world.etcd.entries[NODE_KEY.encode()][0].decode()


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.mark.requirement("the loss of the node with the primary waits for no lease of an instance that cannot write")
def test_the_lease_of_an_instance_on_a_lost_node_is_ended(site: Site) -> None:
    site.lose_node()
    site.look()
    assert (site.api.holder, site.value()) == (OLD, BARRED), "it may be renewed yet"
    site.looks()
    assert site.api.holder == ""


@pytest.mark.requirement("the loss of the node with the primary waits for no lease of an instance that cannot write")
def test_a_lease_that_was_seen_not_to_be_renewed_is_ended_at_once(site: Site) -> None:
    site.looks(3, second=True)
    site.lose_node()
    site.look()
    assert (site.api.holder, site.value()) == ("", BARRED)
    assert "frankfurt-2 is shut" in site.told[-1]


@pytest.mark.requirement("nobody leads beside an instance whose node may be open")
def test_a_node_with_its_lease_is_left_alone(site: Site) -> None:
    for _ in range(30):
        site.pass_second(second=True)
        site.api.target = NEW
        site.look()
    assert (site.api.holder, site.value()) == (OLD, "first start")


@pytest.mark.requirement("nobody leads beside an instance whose node may be open")
def test_a_node_that_took_its_lease_meanwhile_is_left_alone(site: Site) -> None:
    site.lose_node()
    site.world.second.turn()  # what the site's agent knows is from before
    site.world.second.turn()
    assert site.world.second.fence.is_open
    site.look()
    assert (site.api.holder, site.value()) == (OLD, "first start")


@pytest.mark.requirement("nobody leads beside an instance whose node may be open")
def test_a_node_that_comes_back_stays_shut_until_another_one_has_led(site: Site) -> None:
    def come_back() -> None:
        for _ in range(3):
            site.world.second.turn()

    site.lose_node()
    site.api.before_patch = come_back
    site.looks()
    assert site.api.holder == "", "nothing was renewed"
    site.looks(20, second=True)
    assert not site.world.second.fence.is_open
    site.lead()
    site.looks(LET_IN_AFTER - 1, second=True)
    assert not site.world.second.fence.is_open, "a look of before may count there for 10 s"
    site.looks(3, second=True)
    assert "may have a lease again" in site.told[-1]
    site.looks(2, second=True)
    assert site.world.second.fence.is_open


@pytest.mark.requirement("nobody leads beside an instance whose node may be open")
@pytest.mark.parametrize("holder", ["", NEW])
def test_a_bar_that_ended_is_set_again_while_another_one_is_to_lead(site: Site, holder: str) -> None:
    site.lose_node()
    site.looks()
    site.api.holder = holder
    site.world.etcd.entries.pop(NODE_KEY.encode())  # as with a lease of the site that ended
    site.looks(1)
    assert (site.value(), site.api.holder) == (BARRED, holder)


@pytest.mark.requirement("nobody leads beside an instance whose node may be open")
@pytest.mark.parametrize("holder", ["", NEW])
def test_a_choice_that_is_taken_back_lets_nobody_in(site: Site, holder: str) -> None:
    site.lose_node()
    site.looks()
    site.api.target, site.api.holder = OLD, holder
    site.looks(LET_IN_AFTER + 5, second=True)
    assert (site.value(), site.world.second.fence.is_open) == (BARRED, False)
    site.api.holder = OLD
    site.looks(LET_IN_AFTER + 3, second=True)
    assert site.world.second.fence.is_open, "it leads again, and has the lease"


@pytest.mark.requirement("nobody leads beside an instance whose node may be open")
def test_an_instance_that_renews_keeps_its_lease(site: Site) -> None:
    site.lose_node()
    for _ in range(10):
        site.looks(1)
        site.api.version += 1
    assert site.api.holder == OLD

    def renew() -> None:
        site.api.version += 1

    site.api.before_patch = renew
    with pytest.raises(ConflictError):
        site.looks()
    assert site.api.holder == OLD
    site.api.before_patch = lambda: None
    site.looks()
    assert site.api.holder == "", "it has stopped"


@pytest.mark.requirement("one database keeps no other one waiting")
@pytest.mark.parametrize("broken", [True, False])
def test_each_database_is_looked_at_by_itself(site: Site, *, broken: bool) -> None:
    site.lose_node()
    if broken:
        site.api.broken = True
        for _ in range(4):
            with pytest.raises(ClusterUnreachableError):
                site.look()
            site.pass_second()
    else:
        site.api.missing = {cluster_path("data-commerce", "commerce-frankfurt")}
        site.looks()
    assert site.api.holder == ""


@pytest.mark.requirement("the ledger does not wait until the same node has been barred once more")
def test_a_node_with_both_primaries_is_barred_once(site: Site) -> None:
    site.lose_node()
    site.look()
    with_one = asked_in_a_look(site)
    site.api.commerce = "commerce-frankfurt-2"
    site.api.pods["commerce-frankfurt-2"] = "frankfurt-2"
    assert asked_in_a_look(site) == with_one > 0
    site.looks()
    assert (site.api.holder, site.api.commerce_holder) == ("", "")


def asked_in_a_look(site: Site) -> int:
    """Return how often the witness was asked in one look."""
    before = site.line.asked
    site.look()
    return site.line.asked - before


@pytest.mark.requirement("a lease inside a site is ended for a lost node alone")
def test_a_node_may_be_open_by_a_permit_for_the_whole_epoch_that_it_began(site: Site) -> None:
    def permit(epoch: int) -> Permit:
        return Permit(
            pair="rdc-a",
            epoch=epoch,
            active="frankfurt",
            session="x",
            actor="anna",
            reason="test",
            at=datetime.now(UTC),
        )

    record = site.world.record().changed(actor="anna", reason="test", epoch=2)
    known = Knowledge(record=record, heard_at=100.0, seen_nodes=frozenset({"frankfurt/frankfurt-2", "dublin/dublin-2"}))
    assert known.shut_nodes("frankfurt", 101.0) == {"frankfurt-2"}
    assert not replace(known, permit=permit(3)).shut_nodes("frankfurt", 101.0)
    assert not replace(known, permit=permit(2)).shut_nodes("frankfurt", 101.0), "it may not have heard the witness yet"
    later = replace(known, permit=permit(2), record=record.changed(actor="anna", reason="test", epoch=3))
    assert later.shut_nodes("frankfurt", 101.0) == {"frankfurt-2"}


def unknown_pod(site: Site) -> None:
    del site.api.pods[OLD]


def chosen_by_nobody(site: Site) -> None:
    site.api.target = "pending"


def same_leader(site: Site) -> None:
    site.api.target = OLD


def on_the_first_node(site: Site) -> None:
    site.api.pods[OLD] = "frankfurt"


def a_switch_away_from_the_first_node(site: Site) -> None:
    site.api.leader, site.api.target, site.api.holder = NEW, OLD, ""


def pair_is_moved(site: Site) -> None:
    site.world.announce(Phase.DRAINING)


def site_without_its_lease(site: Site) -> None:
    site.give_back()


def quorum_silent_for_long(site: Site) -> None:
    site.world.clock.sleep(11)


@pytest.mark.requirement("a lease inside a site is ended for a lost node alone")
@pytest.mark.parametrize(
    "state",
    [
        unknown_pod, chosen_by_nobody, same_leader, on_the_first_node, pair_is_moved, site_without_its_lease,
        quorum_silent_for_long, a_switch_away_from_the_first_node,
    ],
)  # fmt: skip
def test_nothing_is_ended_otherwise(site: Site, state: Callable[[Site], None]) -> None:
    site.lose_node()
    state(site)
    before = site.api.holder, site.world.etcd.keys()
    for _ in range(8):
        site.look()
        site.world.clock.sleep(0.5)
    assert (site.api.holder, site.world.etcd.keys()) == before


def test_a_silent_witness_ends_nothing(site: Site) -> None:
    site.lose_node()
    site.line.cut = True
    for _ in range(3):
        with pytest.raises(ShopSphereError):
            site.look()
        site.world.clock.sleep(1)
    assert site.api.holder == OLD


def test_a_healthy_site_asks_the_witness_nothing(site: Site) -> None:
    site.looks(LET_IN_AFTER + 1, second=True)  # of bars that an earlier process may have left
    site.line.cut = True
    site.looks(5, second=True)
    assert site.moves.pause() == LOOKS_EVERY
    site.api.target = NEW
    site.look()
    assert site.moves.pause() == LOOKS_SOON


@pytest.mark.requirement("a bar of a node keeps nobody from moving the pair")
def test_a_bar_ends_with_the_lease_of_the_site(site: Site) -> None:
    site.lose_node()
    site.looks()
    assert site.value() == BARRED
    assert not site.world.begin(), "the site may write"
    site.give_back()
    assert site.world.begin()


@pytest.mark.requirement("a node that is cut off from its site gives its lease back, and others wait less")
def test_a_node_that_is_cut_off_gives_its_lease_back(site: Site) -> None:
    node = site.world.second
    site.world.refusal = NoAnswerError("the API is silent")
    site.world.found = site.world.seen
    for _ in range(int(PART_OF_SITE_SECONDS) - 1):
        site.pass_second(second=True)
    assert (node.fence.is_open, site.has_key) == (True, True)
    for _ in range(3):
        site.pass_second(second=True)
        assert node.fence.is_open <= (site.has_key), "shut first"
    assert not site.has_key
    site.world.refusal, site.world.found = None, type(site.world).found
    for _ in range(3):
        site.pass_second(second=True)
    assert (node.fence.is_open, site.has_key) == (True, True)


def test_the_leases_are_those_of_cloudnativepg() -> None:
    assert [lease_path(each, "dublin") for each in DATABASES] == [
        "/apis/coordination.k8s.io/v1/namespaces/data-commerce/leases/commerce-dublin",
        "/apis/coordination.k8s.io/v1/namespaces/data-ledger/leases/ledger-dublin",
    ]
