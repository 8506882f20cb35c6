"""A site that answers and says that it may write is not left unplanned, whatever the voters of the witness say."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbooks import source_look
from runbooks.change import PLANNED, UNPLANNED, RoleChange
from runbooks.engine import Step
from runbooks.operate import FAILOVER, Request, steps_of
from runbooks.pair_access import PairAccess
from runbooks.source_look import SourceLook
from shopsphere.clients.site_agent import SiteAgentError
from shopsphere.estate.stack import Environment
from shopsphere.foundation.clock import Clock
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Phase, Sync
from shopsphere.witness.seen import Seen

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")
pytestmark = pytest.mark.requirement("no second site takes writes, whoever rules the voters")


class Access:
    """The ways to a pair: a witness that says that nobody has a lease, and agents that say what a test wants.

    Attributes:
        says: what the agent of Frankfurt answers; None while it is lost.
        nodes: the same of further nodes.
        waits: whatever happens before it answers.
        asked: how often it was.
    """

    def __init__(self) -> None:
        self.pair, self.witness = PAIR, self
        self.nodes: dict[str, dict[str, Any] | None] = {}
        self.says: dict[str, Any] | None = {"lease_seconds_left": 6.2}
        self.waits: Callable[[], object] = lambda: None
        self.record = PairRecord.first("rdc-a", "frankfurt", actor="test").changed(
            actor="test", reason="test", phase=Phase.FENCING, sync=Sync.ON
        )
        self.asked = 0

    @property
    def topology(self) -> Any:
        further = [SimpleNamespace(name=name) for name in self.nodes]
        return SimpleNamespace(site=lambda _name: SimpleNamespace(further_nodes=further))

    def agent_state(self, site: str) -> dict[str, Any]:
        assert site == "frankfurt"
        self.asked += 1
        self.waits()
        return self.answer(self.says)

    def node_state(self, _site: str, node: Any) -> dict[str, Any]:
        return self.answer(self.nodes[node.name])

    @staticmethod
    def answer(said: dict[str, Any] | None) -> dict[str, Any]:
        if said is None:
            raise SiteAgentError("lost")
        return said

    def glance(self) -> Seen:
        return self.see()

    def see(self) -> Seen:
        return Seen(self.record, 1, "")

    def attempt(self, _seen: Seen, record: PairRecord, **_conditions: object) -> tuple[bool, Seen]:
        self.record = record
        return True, self.see()


def advance(access: Access, variant: str, *, looks: int = 3) -> str:
    """Run the step that begins the next epoch; returns what it waits for in the end."""
    asked = Request(FAILOVER, "rdc-a", Environment.LAB, variant, "", "test", accept_data_loss=False)
    found: Step = next(each for each in steps_of(asked).steps if each.number == 5)
    explained = [""]

    def wait_until(begin: Callable[[], bool], *, explain: Callable[[], str], **_words: object) -> None:
        if not any(begin() for _ in range(looks)):
            explained[0] = explain()

    act: Any = found.act
    act.__globals__["wait_until"] = wait_until
    memory = SimpleNamespace(recall=lambda _key: None, remember=lambda *_: None)
    facts: dict[str, Any] = {"access": access, "journal": memory}
    change = RoleChange(source="frankfurt", target="dublin", epoch=1, variant=variant, actor="a", reason="r", **facts)
    act(change)
    return explained[0]


def test_a_site_that_goes_on_is_not_left() -> None:
    access = Access()
    assert advance(access, UNPLANNED) == (
        "nobody has the lease by the witness, and by their agents' own words: frankfurt for 6.2 s"
    )
    assert access.record.epoch == 1
    access.says = {"lease_seconds_left": 0.0}
    assert advance(access, UNPLANNED) == ""
    assert (access.record.epoch, access.record.active) == (2, "dublin")


def test_one_that_comes_to_its_end_meanwhile_is() -> None:
    access = Access()
    left = iter([6.2, 2.0, 0.1, 0.0])
    access.waits = lambda: setattr(access, "says", {"lease_seconds_left": next(left)})
    assert advance(access, UNPLANNED) == ""
    assert access.record.epoch == 2
    assert access.asked == 4


def test_one_that_is_lost_is_not_asked_again() -> None:
    access = Access()
    access.says = None
    assert advance(access, UNPLANNED) == ""
    assert (access.record.epoch, access.asked) == (2, 1)


def test_one_that_is_lost_meanwhile_is_not_asked_again() -> None:
    access = Access()
    look = SourceLook(cast("PairAccess", access), "frankfurt")
    assert look.who_may_write()
    access.says = None
    assert look.who_may_write() == look.who_may_write() == ""
    assert access.asked == 3


def test_a_node_that_goes_on_is_not_left_either() -> None:
    access = Access()
    access.says = None
    access.nodes = {"frankfurt-2": {"lease_seconds_left": 3.0}, "frankfurt-3": None}
    assert advance(access, UNPLANNED).endswith(": frankfurt-2 for 3.0 s")
    assert access.record.epoch == 1


def test_a_planned_change_asks_nobody() -> None:
    """Its databases were demoted through the site's own API before: customers wait."""
    access = Access()
    assert advance(access, PLANNED) == ""
    assert (access.record.epoch, access.asked) == (2, 0)


def test_one_that_hangs_is_not_waited_for_and_counts_when_it_answers() -> None:
    access, goes_on = Access(), threading.Event()
    access.waits = lambda: goes_on.wait(60)
    clock = SimpleNamespace(monotonic=iter([0.0, 2.0, 2.0, 2.0, 2.0]).__next__)
    look = SourceLook(cast("PairAccess", access), "frankfurt", cast("Clock", clock))
    assert look.who_may_write() == ""
    goes_on.set()
    look._late["frankfurt"].result(60)  # noqa: SLF001 - its thread is over by then
    assert look.who_may_write().endswith("frankfurt for 6.2 s")


def test_all_together_cost_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """A site is lost between the first question and the next one: customers wait for no node after the other."""
    access, goes_on = Access(), threading.Event()
    access.nodes = {f"frankfurt-{number}": {"lease_seconds_left": 3.0} for number in range(2, 6)}
    monkeypatch.setattr(source_look, "ANSWER_SECONDS", 30.0)
    look = SourceLook(cast("PairAccess", access), "frankfurt")
    assert "frankfurt for 6.2 s, frankfurt-2 for 3.0 s" in look.who_may_write()
    monkeypatch.setattr(source_look, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(Access, "answer", lambda *_: goes_on.wait(20))
    begun = time.monotonic()
    assert look.who_may_write() == ""
    assert 0.9 < time.monotonic() - begun < 3.0, "a second for each, or one for all"
    asked, begun = access.asked, time.monotonic()
    assert look.who_may_write() == ""
    assert time.monotonic() - begun < 0.9, "nobody who is silent is waited for again"
    assert access.asked == asked
    goes_on.set()


def test_who_was_lost_at_first_is_not_asked_again_beside_those_who_answer() -> None:
    access = Access()
    access.says = None
    access.nodes = {"frankfurt-2": {"lease_seconds_left": 3.0}}
    look = SourceLook(cast("PairAccess", access), "frankfurt")
    for _ in range(3):
        assert look.who_may_write().endswith(": frankfurt-2 for 3.0 s")
    assert access.asked == 1
