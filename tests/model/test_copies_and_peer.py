"""The ledger waits for the other site and for the instances beside it: both looked after at once, in whatever order."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_complete_copies import BOTH, FIRST, PEER, SECOND, Site

from runbooks.agent.copies import Step
from runbooks.agent.ledger import SiteLedger, read_ledger
from runbooks.agent.synchrony import LedgerSeen, SynchronyKeeper
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import ConflictError
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError
from shopsphere.witness import PairRecord, Sync
from shopsphere.witness.seen import Seen

NODES = {FIRST: "frankfurt-2", SECOND: "frankfurt-3"}


class Pair(Site):
    """A site with an instance beside the leading one, the other site, and the witness."""

    def __init__(self) -> None:
        super().__init__()
        self.at_peer, self.revision, self.reloads = self.written, 1, 0
        self.refuses_pods, self.shut = False, set[str]()
        self.leader, self.silent = FIRST, False
        self.record = PairRecord.first("rdc-a", "frankfurt", actor="test").changed(
            actor="test", reason="test", sync=Sync.ON
        )

    def see(self) -> Seen:
        return Seen(self.record, self.revision, "frankfurt")

    def change(self, _seen: Seen, changed: PairRecord) -> None:
        self.record, self.revision = changed, self.revision + 1

    def document(self) -> Document:
        found = super().document()
        found["status"] |= {"currentPrimary": self.leader, "targetPrimary": self.leader}
        return found

    def answer(self) -> Document:
        if self.silent:
            raise NoAnswerError("the instance that leads does not answer")
        said = super().answer()
        said["followers"][0]["replayed"] = self.at_peer
        return said

    def items_of_known_kind(self, path: str, fieldSelector: str) -> list[Document]:  # noqa: N803 as the API has it
        """Answer as far as the agent's rights go (ADR 50): pods are listed, and none has a path of its own."""
        assert path == "/api/v1/namespaces/data-ledger/pods"
        if self.refuses_pods:
            raise ShopSphereError("pods is forbidden")
        pod = fieldSelector.removeprefix("metadata.name=")
        return [{"metadata": {"name": pod}, "spec": {"nodeName": NODES[pod]}}]

    def write(self) -> None:
        super().write()
        if self.peer_streams:
            self.at_peer = self.written

    def happens(self, name: str) -> None:
        """Something that is not the agent's doing."""
        match name:
            case "write":
                self.write()
            case "leave":
                self.streams = False
            case "return":
                self.streams, self.at_second = True, self.written
            case "part":
                self.peer_streams = False
            case "meet":
                self.peer_streams, self.at_peer = True, self.written
            case "shut" | "open":
                self.shut = {NODES[SECOND]} if name == "shut" else set()
            case "slow" | "fast":
                self.slow = name == "slow"
            case "load":
                self.load()
            case "arrive":
                self.arrive()


class Ledger(SiteLedger):
    """Looks as the agent does, without a pod."""

    def __init__(self, pair: Pair) -> None:
        super().__init__(lambda: cast("Cluster", pair), "frankfurt", "dublin")
        self._pair = pair

    def reload(self) -> None:
        self._pair.reloads += 1

    def look(self) -> LedgerSeen:
        self._seen = read_ledger(self._pair.document(), self._pair.answer(), PEER)
        return self._seen


def keeper_of(pair: Pair) -> SynchronyKeeper:
    machine: Any = pair
    return SynchronyKeeper("agent", machine, Ledger(pair), machine, lambda node: node in pair.shut)


STEPS = st.sampled_from([*["keep"] * 6, *["write"] * 3, "leave", "return", "part", "meet", "load", "slow", "fast",
                         "arrive", "shut", "open"])  # fmt: skip
ROUND = [("keep", 2.0), ("write", 0.5), ("load", 0.5)]


@pytest.mark.requirement("an instance is let lead inside a site only if it has every acknowledged payment")
@pytest.mark.requirement("the ledger never runs ahead of the other site while the witness says sync on")
@settings(max_examples=600)
@example([*ROUND * 8, ("leave", 0.5), ("part", 0.5), *ROUND * 8, ("meet", 0.5), *ROUND * 8, ("return", 0.5),
          *ROUND * 8, ("slow", 0.5), ("leave", 0.5), *ROUND * 4, ("arrive", 0.5)])  # fmt: skip
@given(st.lists(st.tuples(STEPS, st.sampled_from([0.5, 2.0, 5.0])), max_size=80))
def test_neither_copy_is_taken_for_complete_when_it_is_not(steps: list[tuple[str, float]]) -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    for name, seconds in steps:
        pair.now += seconds
        if name == "keep":
            with suppress(ConflictError):
                keeper.keep(pair.record)
        pair.happens(name)
        assert not pair.second_may_lead or pair.at_second >= pair.acknowledged
        assert pair.record.sync is Sync.OFF or pair.at_peer >= pair.acknowledged


def keep(keeper: SynchronyKeeper, pair: Pair, times: int) -> list[str]:
    done: list[str] = []
    for _ in range(times):
        pair.now += 2
        pair.write()
        keeper.keep(pair.record)
        done += keeper.done
        pair.load()
    return done


@pytest.mark.requirement("payments go on when both copies are lost, and no instance that lacks any may lead")
def test_both_are_lost_and_come_back() -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    told = ["the ledger is to wait for the instances beside it", "an instance beside the ledger's may lead"]
    assert keep(keeper, pair, 8) == told, "for the agent's log"
    assert (pair.setting, pair.second_may_lead, pair.record.sync) == (BOTH, True, Sync.ON)
    pair.streams = pair.peer_streams = False
    lost, acknowledged = pair.now, pair.acknowledged
    while pair.setting:
        assert pair.acknowledged == acknowledged
        keep(keeper, pair, 1)
    assert pair.now - lost < 15 - 5, "5 s are for noticing a cut line"
    assert (pair.second_may_lead, pair.record.sync) == (False, Sync.OFF)
    pair.streams, pair.at_second = True, pair.written
    keep(keeper, pair, 8)
    assert (pair.setting, pair.second_may_lead, pair.record.sync) == (f'FIRST 1 ("{SECOND}")', True, Sync.OFF)
    pair.peer_streams, pair.at_peer = True, pair.written
    keep(keeper, pair, 8)
    assert (pair.setting, pair.second_may_lead, pair.record.sync) == (BOTH, True, Sync.ON)
    assert pair.spec["postgresql"]["synchronous"]["failoverQuorum"] is True


@pytest.mark.requirement("payments do not wait for an instance whose node is known to be lost")
def test_an_instance_on_a_lost_node_is_not_waited_for() -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    keep(keeper, pair, 8)
    pair.streams = False
    assert keep(keeper, pair, 1) == [], "it may be back at once"
    pair.shut = {NODES[SECOND]}
    assert keep(keeper, pair, 1) == [Step.LEAVE.value]
    assert (pair.setting, pair.second_may_lead, pair.record.sync) == (f'FIRST 1 ("{PEER}")', False, Sync.ON)


def moved_inside(pair: Pair, keeper: SynchronyKeeper) -> None:
    """Lose the leading instance; another one leads 14 s later, which nobody follows yet."""
    keep(keeper, pair, 8)
    pair.silent, pair.streams, pair.peer_streams = True, False, False
    for _ in range(7):
        pair.now += 2
        with pytest.raises(NoAnswerError):
            keeper.keep(pair.record)
    pair.silent, pair.leader = False, SECOND


@pytest.mark.requirement("payments do not wait for the other site to find the leader that follows a lost one")
def test_after_a_lost_leader_nobody_is_waited_for_who_was_not_there_since() -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    moved_inside(pair, keeper)
    pair.shut = {NODES[FIRST]}
    assert keep(keeper, pair, 1) == [Step.LEAVE.value], "the other site is given a moment to find it"
    assert pair.record.sync is Sync.ON
    assert keep(keeper, pair, 1) == ["the witness is to say that the ledger may be ahead"]
    assert (pair.setting, pair.second_may_lead, pair.record.sync) == ("", False, Sync.OFF)
    pair.peer_streams, pair.at_peer = True, pair.written
    keep(keeper, pair, 8)
    assert pair.record.sync is Sync.ON


@pytest.mark.requirement("the loss of a node costs no synchrony where the other site follows within seconds")
def test_after_a_lost_leader_the_other_site_confirms_alone_when_it_has_found_the_next_one() -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    moved_inside(pair, keeper)
    pair.shut = {NODES[FIRST]}
    keep(keeper, pair, 1)
    pair.peer_streams, pair.at_peer = True, pair.written
    keep(keeper, pair, 8)
    assert (pair.setting, pair.second_may_lead) == (f'FIRST 1 ("{PEER}")', False)
    assert pair.revision == 1, "the witness was told nothing: it said all the time that both sites confirm"


@pytest.mark.requirement("a switch inside a site costs no synchrony where the other site follows within seconds")
def test_after_a_switch_the_other_site_is_waited_for() -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    moved_inside(pair, keeper)
    assert "the witness is to say that the ledger may be ahead" not in keep(keeper, pair, 1)
    assert pair.record.sync is Sync.ON
    pair.peer_streams, pair.at_peer = True, pair.written
    keep(keeper, pair, 3)
    assert pair.record.sync is Sync.ON


@pytest.mark.requirement("payments do not wait for an instance whose node is known to be lost")
@pytest.mark.parametrize("why", ["streams", "another node", "not told"])
def test_an_instance_that_is_not_lost_is_let_go_as_before(why: str) -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    keep(keeper, pair, 8)
    pair.shut = {NODES[SECOND]} if why != "another node" else {"frankfurt-4"}
    pair.streams, pair.refuses_pods = why == "streams", why == "not told"
    assert Step.LEAVE.value not in keep(keeper, pair, 1)
    assert pair.second_may_lead


@pytest.mark.requirement("at a site of one node nothing waits for an instance beside, and nothing is written about it")
def test_a_site_of_one_node() -> None:
    pair = Pair()
    pair.names, pair.spec["instances"] = pair.names[:1], 1
    keeper = keeper_of(pair)
    keep(keeper, pair, 8)
    assert (pair.setting, pair.annotations, pair.version) == (f'FIRST 1 ("{PEER}")', {}, 1)
    pair.peer_streams = False
    keep(keeper, pair, 6)
    assert (pair.setting, pair.spec["postgresql"]["synchronous"], pair.annotations) == ("", None, {})
    pair.peer_streams, pair.at_peer = True, pair.written
    keep(keeper, pair, 8)
    assert (pair.setting, set(pair.annotations)) == (f'FIRST 1 ("{PEER}")', {"shopsphere.io/synchrony"})
    assert pair.record.sync is Sync.ON


@pytest.mark.requirement("payments go on within a bound when the instance that leads has missed what it was told")
def test_a_ledger_that_goes_on_waiting_for_a_lost_instance_is_asked_to_read_its_settings_again() -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    keep(keeper, pair, 8)
    pair.streams = False
    while pair.spec["postgresql"]["synchronous"]["number"] == 2:
        pair.now += 2
        keeper.keep(pair.record)
    for _ in range(3):
        pair.now += 2
        keeper.keep(pair.record)
    assert (pair.setting, pair.reloads) == (BOTH, 0), "it may still be on its way"
    pair.now += 2
    keeper.keep(pair.record)
    assert pair.reloads == 1
    pair.load()
    keep(keeper, pair, 8)
    assert (pair.setting, pair.reloads) == (f'FIRST 1 ("{PEER}")', 1)


@pytest.mark.requirement("payments go on without a lost instance though the witness does not answer")
def test_the_witness_is_away_while_an_instance_beside_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    keep(keeper, pair, 8)
    pair.record = pair.record.changed(actor="test", reason="test", sync=Sync.OFF)

    def away() -> Seen:
        raise NoAnswerError("no quorum")

    monkeypatch.setattr(pair, "see", away)
    said: list[str] = []

    def look() -> bool:
        """Whether it was to sign what it cannot."""
        pair.now += 2
        try:
            keeper.keep(pair.record)
        except NoAnswerError:
            return True
        finally:
            said.extend(keeper.done)
            pair.load()
        return False

    assert [look() for _ in range(5)][-1], "from now on at each look"
    pair.streams = False
    assert all(look() for _ in range(6))
    assert pair.setting == f'FIRST 1 ("{PEER}")'
    assert Step.LEAVE.value in said, "for the agent's log"


@pytest.mark.requirement("a node without a lease of its own takes no copy's completeness with it")
def test_what_leads_on_a_node_that_is_shut_lets_nobody_go() -> None:
    """The further node has lost the witness: nobody reaches its databases, its copies do not either."""
    pair, shut = Pair(), set[str]()
    machine: Any = pair
    keeper = SynchronyKeeper("agent", machine, Ledger(pair), machine, lambda node: node in shut)
    keep(keeper, pair, 8)
    pair.streams = pair.peer_streams = False
    shut.add("frankfurt-2")
    before = pair.acknowledged
    assert keep(keeper, pair, 30) == []
    assert (pair.setting, pair.second_may_lead, pair.record.sync) == (BOTH, True, Sync.ON)
    assert pair.acknowledged == before, "nothing was acknowledged that they lack"
    shut.clear()
    assert keep(keeper, pair, 1) == [], "the seconds of before do not count"
    keep(keeper, pair, 6)
    assert (pair.setting, pair.second_may_lead, pair.record.sync) == ("", False, Sync.OFF)


@pytest.mark.requirement("payments do not stand still because the API does not say where the ledger is led")
def test_an_api_that_does_not_say_the_node_is_said_and_stops_nothing() -> None:
    pair = Pair()
    machine: Any = pair
    keeper = SynchronyKeeper("agent", machine, Ledger(pair), machine, lambda _node: True)
    keep(keeper, pair, 8)
    pair.streams = pair.peer_streams = False
    pair.refuses_pods = True
    said = keep(keeper, pair, 6)
    assert "on which node the ledger is led cannot be told: pods is forbidden" in said
    assert (pair.setting, pair.record.sync) == ("", Sync.OFF)


@pytest.mark.requirement("a ledger that somebody told not to wait is reported at once")
def test_a_node_that_is_shut_hides_no_order_not_to_wait() -> None:
    pair = Pair()
    machine: Any = pair
    keeper = SynchronyKeeper("agent", machine, Ledger(pair), machine, lambda _node: True)
    keep(keeper, pair, 8)
    pair.streams = pair.peer_streams = False
    pair.setting = ""
    keep(keeper, pair, 1)
    assert pair.record.sync is Sync.OFF
