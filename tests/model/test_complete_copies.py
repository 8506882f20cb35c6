"""Whether an instance beside the ledger's may lead in its place: never one that lacks what was acknowledged."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbooks.agent.copies import (
    LEFT_AFTER,
    SURE_AFTER,
    CopiesSeen,
    CopyKeeper,
    Step,
    next_step,
    read_copies,
    waited_for,
)
from runbooks.agent.ledger import SiteLedger, read_ledger
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import ConflictError

FIRST, SECOND, THIRD, PEER = "ledger-frankfurt-1", "ledger-frankfurt-2", "ledger-frankfurt-3", "ledger-dublin"
BOTH = f'FIRST 2 ("{PEER}","{SECOND}")'
COPIES = "shopsphere.io/complete-copies"
ONE = frozenset({SECOND})


def seen(**values: Any) -> CopiesSeen:
    """One instance beside, waited for, complete and allowed to lead, but for these values."""
    usual: dict[str, Any] = {
        "wanted": 1, "names": ONE, "told": 1, "waited": ONE, "streaming": ONE, "confirming": ONE, "complete": ONE,
    }  # fmt: skip
    return CopiesSeen(**{**usual, **values})


def step(copies: CopiesSeen, *, away: float = 0.0, has_all: bool = False, goal: int | None = 0) -> Step:
    return next_step(copies, away=away, has_all=has_all, goal=goal)


@pytest.mark.parametrize(
    ("setting", "names"),
    [
        ("", set()),
        (f'FIRST 1 ("{PEER}")', {PEER}),
        (BOTH, {PEER, SECOND}),
        (f'FIRST 1 ("{PEER}","{SECOND}")', set()),  # one of the two is enough
        (f'ANY 2 ("{PEER}","{SECOND}")', set()),  # nobody writes that here
        (f'FIRST 2 ("{PEER}")', {PEER}),  # PostgreSQL waits for a second one for ever
    ],
)
def test_whom_postgresql_waits_for(setting: str, names: set[str]) -> None:
    assert waited_for(setting) == names


@pytest.mark.requirement("an instance is let lead inside a site only if it has every acknowledged payment")
@pytest.mark.parametrize(
    ("copies", "more", "wanted"),
    [
        (seen(), {}, Step.NOTHING),
        (seen(complete=frozenset()), {}, Step.NOTHING),
        (seen(complete=frozenset()), {"has_all": True}, Step.ALLOW),
        (seen(streaming=frozenset()), {"away": LEFT_AFTER - 0.1}, Step.NOTHING),
        (seen(streaming=frozenset()), {"away": LEFT_AFTER}, Step.LEAVE),
        (seen(streaming=frozenset(), settled=False), {"away": LEFT_AFTER}, Step.NOTHING),  # it is about to lead
        (seen(names=frozenset({THIRD}), waited=frozenset({THIRD})), {}, Step.REVOKE),  # in place of the second one
        (seen(told=0, waited=frozenset()), {}, Step.REVOKE),  # somebody told the ledger not to wait
        (seen(told=0, waited=frozenset(), complete=frozenset()), {}, Step.WAIT),
        (seen(told=0, waited=frozenset(), complete=frozenset(), replayed=9), {"goal": 10}, Step.NOTHING),
        (seen(told=0, waited=frozenset(), complete=frozenset()), {"goal": None}, Step.NOTHING),
        (seen(told=0, complete=frozenset()), {}, Step.NOTHING),  # an earlier change has not arrived
        (seen(told=0, waited=frozenset(), complete=frozenset(), streaming=frozenset()), {}, Step.NOTHING),
        (seen(wanted=2), {}, Step.LEAVE),  # one more instance is declared: all of them are waited for, or nobody
        (CopiesSeen(), {"away": LEFT_AFTER}, Step.NOTHING),  # a site of one node
    ],
)
def test_the_next_step(copies: CopiesSeen, more: dict[str, Any], wanted: Step) -> None:
    assert step(copies, **more) is wanted


class Site:
    """Ledger, PostgreSQL and the site's API as one machine; takes a merge patch as the API does."""

    def __init__(self) -> None:
        self.now, self.version, self.slow = 0.0, 1, False
        self.streams, self.peer_streams = True, True
        self.written, self.at_second = 10, 0
        self.setting, self.acknowledged = f'FIRST 1 ("{PEER}")', 10
        self.names = [FIRST, SECOND]
        self.spec: Document = {"instances": 2, "postgresql": {"synchronous": {
            "method": "first", "number": 1, "maxStandbyNamesFromCluster": 0, "standbyNamesPre": [PEER]}}}  # fmt: skip
        self.annotations: dict[str, str] = {}
        self.under_way: list[tuple[Document, str]] = []
        self.context = "frankfurt"

    def monotonic(self) -> float:
        return self.now

    def document(self) -> Document:
        return {
            "metadata": {"resourceVersion": str(self.version), "annotations": dict(self.annotations)},
            "spec": self.spec,
            "status": {"currentPrimary": FIRST, "targetPrimary": FIRST, "instanceNames": self.names},
        }

    def answer(self) -> Document:
        waited = waited_for(self.setting)
        followers = [
            {"name": name, "state": "streaming" if streams else "catchup", "replayed": replayed,
             "sync": "sync" if streams and name in waited else "async"}
            for name, streams, replayed in (
                (PEER, self.peer_streams, self.written), (SECOND, self.streams, self.at_second)
            )
        ]  # fmt: skip
        return {"written": self.written, "waits_for": self.setting, "followers": followers}

    def patch(self, _path: str, changes: Document, *, version: str = "") -> Document:
        if self.slow:
            self.under_way.append((changes, version))
            raise ConflictError("no answer in time, but it is under way")
        return self._patched(changes, version)

    def _patched(self, changes: Document, version: str) -> Document:
        assert version, "what is told has to be told of the document that was looked at"
        if version != str(self.version):
            raise ConflictError("another one was faster")
        self.version += 1
        for key, value in changes.get("metadata", {}).get("annotations", {}).items():
            self.annotations.pop(key, None)
            self.annotations |= {} if value is None else {key: value}
        if "spec" in changes:
            self.spec = {**self.spec, "postgresql": changes["spec"]["postgresql"]}
        return self.document()

    def arrive(self) -> None:
        if self.under_way:
            with suppress(ConflictError):
                self._patched(*self.under_way.pop(0))

    def load(self) -> None:
        told = self.spec["postgresql"]["synchronous"] or {}
        names = [*told.get("standbyNamesPre", ()), *[SECOND][: told.get("maxStandbyNamesFromCluster", 0)]]
        listed = ",".join(f'"{each}"' for each in names)
        self.setting = f"FIRST {told['number']} ({listed})" if names else ""

    def write(self) -> None:
        """A payment: written at once, acknowledged when whoever is waited for has it."""
        self.written += 1
        if self.streams:
            self.at_second = self.written
        waited = waited_for(self.setting)
        if (PEER not in waited or self.peer_streams) and (SECOND not in waited or self.streams):
            self.acknowledged = self.written

    @property
    def second_may_lead(self) -> bool:
        """What admission says of a promotion."""
        return SECOND in self.annotations.get(COPIES, "").split(",")


class Agent:
    """The part of the site's agent that keeps copies."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.keeper = CopyKeeper(cast("Any", site))
        self.ledger = SiteLedger(lambda: cast("Cluster", site), "frankfurt", "dublin")
        self.goal: int | None = None

    def keep(self) -> Step:
        looked = read_ledger(self.site.document(), self.site.answer(), PEER)
        self.ledger._seen = looked  # noqa: SLF001 as its own look does, which needs a pod
        taken = self.keeper.look(looked.copies, written=looked.written, goal=self.goal)
        self.goal = looked.written
        self.ledger.change_copies(taken)
        return taken


STEPS = st.sampled_from([*["keep"] * 6, *["write"] * 3, "leave", "return", "load", "slow", "fast", "arrive"])


@pytest.mark.requirement("an instance is let lead inside a site only if it has every acknowledged payment")
@settings(max_examples=600)
@example([("write", 0.5), *[("keep", 2.0), ("load", 0.5)] * 6, ("leave", 0.5), *[("keep", 2.0)] * 4, ("load", 0.5),
          ("write", 0.5), ("return", 0.5), ("keep", 2.0)])  # fmt: skip
@given(st.lists(st.tuples(STEPS, st.sampled_from([0.5, 2.0, 5.0])), max_size=60))
def test_who_may_lead_has_what_was_acknowledged(steps: list[tuple[str, float]]) -> None:
    site = Site()
    agent = Agent(site)
    for name, seconds in steps:
        site.now += seconds
        match name:
            case "keep":
                with suppress(ConflictError):
                    agent.keep()
            case "write":
                site.write()
            case "leave":
                site.streams = False
            case "return":
                site.streams, site.at_second = True, site.written
            case "slow" | "fast":
                site.slow = name == "slow"
            case "load":
                site.load()
            case "arrive":
                site.arrive()
        assert not site.second_may_lead or site.at_second >= site.acknowledged


def keep(agent: Agent, times: int) -> list[Step]:
    steps = []
    for _ in range(times):
        agent.site.now += 2
        agent.site.write()
        steps.append(agent.keep())
        agent.site.load()
    return [each for each in steps if each is not Step.NOTHING]


@pytest.mark.requirement(
    "payments go on within 15 s without an instance beside, and it may lead again after it is back"
)
def test_lost_and_back() -> None:
    site = Site()
    agent = Agent(site)
    assert keep(agent, 8) == [Step.WAIT, Step.ALLOW]
    assert site.setting == BOTH
    assert site.spec["postgresql"]["synchronous"] == {
        "method": "first", "number": 2, "maxStandbyNamesFromCluster": 1, "standbyNamesPre": [PEER],
        "dataDurability": "required", "failoverQuorum": True,
    }  # fmt: skip
    site.streams = False
    lost, acknowledged = site.now, site.acknowledged
    while site.setting == BOTH:
        assert site.acknowledged == acknowledged
        assert keep(agent, 1) in ([], [Step.LEAVE])
    assert site.now - lost < 15 - 5, "5 s are for noticing a cut line"
    assert not site.second_may_lead
    assert site.setting == f'FIRST 1 ("{PEER}")'
    assert site.spec["postgresql"]["synchronous"]["failoverQuorum"] is None, "CloudNativePG refuses it with number 1"
    site.streams = True
    assert keep(agent, 8) == [Step.WAIT, Step.ALLOW]
    assert site.second_may_lead


@pytest.mark.requirement("payments go on when both copies are lost, and no instance that lacks any may lead")
def test_the_other_site_is_let_go_and_the_instance_beside_is_kept() -> None:
    site = Site()
    agent = Agent(site)
    keep(agent, 8)
    agent.ledger._seen = read_ledger(site.document(), site.answer(), PEER)  # noqa: SLF001
    agent.ledger.release(str(site.version))
    site.load()
    assert site.setting == f'FIRST 1 ("{SECOND}")'
    assert site.second_may_lead
    site.streams = False
    assert keep(agent, 4) == [Step.LEAVE]
    assert (site.setting, site.second_may_lead) == ("", False)
    assert site.spec["postgresql"]["synchronous"] is None
    agent.ledger._seen = read_ledger(site.document(), site.answer(), PEER)  # noqa: SLF001
    agent.ledger.require("abc")
    site.load()
    assert (site.setting, site.annotations) == (f'FIRST 1 ("{PEER}")', {"shopsphere.io/synchrony": "abc"})


@pytest.mark.requirement("an instance is let lead inside a site only if it has every acknowledged payment")
def test_it_has_all_when_it_has_what_was_written_after_each_process_knew_of_it() -> None:
    site = Site()
    keeper = CopyKeeper(cast("Any", site))

    def look(written: int, replayed: int) -> Step:
        site.now += SURE_AFTER / 2
        return keeper.look(seen(complete=frozenset(), replayed=replayed), written=written, goal=None)

    assert [look(10, 10), look(20, 20)] == [Step.NOTHING] * 2, "not yet for 4 s"
    assert [look(30, 29), look(40, 29)] == [Step.NOTHING] * 2, "what was written in these 4 s may be acknowledged"
    assert look(50, 30) is Step.ALLOW


def test_what_is_read() -> None:
    site = Site()
    site.annotations = {COPIES: f"{SECOND},{THIRD}"}
    found = read_copies(site.document(), site.answer())
    assert found == CopiesSeen(
        wanted=1, names=ONE, streaming=ONE, complete=frozenset({SECOND, THIRD}), told=0, waited=frozenset(),
    )  # fmt: skip
    alone = {"metadata": {}, "spec": {"instances": 1}, "status": {"currentPrimary": FIRST, "instanceNames": [FIRST]}}
    assert read_copies(alone, {"waits_for": "", "followers": []}) == CopiesSeen()
    site.spec["postgresql"]["synchronous"] |= {"maxStandbyNamesFromCluster": 1}
    assert read_copies(site.document(), site.answer()).told == 0, "FIRST 1 of two names waits for one of them"
