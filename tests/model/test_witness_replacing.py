"""When a voter must not be replaced, as members and figures of voters say."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import httpx
import pytest
from manual_clock import ManualClock

from shopsphere.witness.replacing import ReplacementError, VoterReplacement
from shopsphere.witness.store import Store

SEATS = {"newyork": 1, "ashburn": 2, "singapore": 3}
pytestmark = pytest.mark.requirement("a voter that is lost for good is replaced, and nobody notices")


def peer(seat: str) -> str:
    return f"https://10.96.0.{SEATS[seat]}:2380"


class FakeMembers(httpx.BaseTransport):
    """Three voters; who is up hears each other one that is up.

    Attributes:
        members: by seat.
        down: seats whose voters do not answer.
        busy: how often seats still do not say that they are well.
        figures: status and text that a seat gives instead of its figures.
        problem: what a change is answered with; empty where it is made.
        done: changes that were made.
        told: lines for the operator.
    """

    def __init__(self) -> None:
        self.members: dict[str, dict[str, Any]] = {
            seat: {"ID": str(number), "name": seat, "peerURLs": [peer(seat)]} for seat, number in SEATS.items()
        }
        self.down: set[str] = set()
        self.busy: dict[str, int] = {}
        self.figures: dict[str, tuple[int, str]] = {}
        self.problem, self.done, self.told = "", list[str](), list[str]()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        seat = next(each for each, number in SEATS.items() if request.url.host == f"10.96.0.{number}")
        if seat in self.down:
            raise httpx.ConnectError("refused", request=request)
        path = request.url.path
        if path == "/health" and self.busy.get(seat):
            self.busy[seat] -= 1
            return httpx.Response(503, json={"health": "false", "reason": "RAFT NO LEADER"})
        if path == "/health":
            return httpx.Response(200, json={"health": "true"})
        if path == "/metrics":
            status, text = self.figures.get(seat, (200, self.told_by(seat)))
            return httpx.Response(status, text=text)
        if path.endswith("/list"):
            return httpx.Response(200, json={"members": list(self.members.values())})
        if self.problem:
            return httpx.Response(400, json={"code": 9, "message": self.problem})
        body = json.loads(request.content)
        self.done.append(path.rpartition("/")[2])
        if "ID" in body:
            self.members = {key: each for key, each in self.members.items() if each["ID"] != body["ID"]}
        return httpx.Response(200, json={})

    def told_by(self, seat: str) -> str:
        own = SEATS[seat]
        others = [(each, number) for each, number in SEATS.items() if each != seat]
        return f'etcd_network_known_peers{{Local="{own}",Remote="{own}"}} 1\n' + "".join(
            f'etcd_network_active_peers{{Local="{own}",Remote="{number}"}} {int(each not in self.down)}\n'
            for each, number in others
        )

    def replace(self, seat: str, *, again: bool = False) -> bool:
        others = {each: peer(each) for each in SEATS if each != seat}
        urls = [f"https://10.96.0.{number}:2379" for number in SEATS.values()]
        with closing(Store(urls, transport=self)) as store:
            replacement = VoterReplacement(store, "rdc-a", seat, peer(seat), others, self.told.append, ManualClock())
            return replacement.go_on(again=again)


@pytest.fixture
def voters() -> FakeMembers:
    found = FakeMembers()
    found.down = {"singapore"}
    return found


def test_a_lost_one_is_replaced(voters: FakeMembers) -> None:
    assert not voters.replace("singapore")
    assert voters.done == ["remove", "add"]


@pytest.mark.parametrize(("times", "is_part"), [(0, True), (2, True), (3, False)])
def test_one_that_is_busy_for_a_moment_is_not_lost(voters: FakeMembers, times: int, is_part: bool) -> None:
    voters.down, voters.busy = set(), {"newyork": times}
    if is_part:
        assert voters.replace("newyork")
        assert voters.told == ["newyork: takes part, nothing is to be replaced"]
    else:
        with pytest.raises(ReplacementError, match="has a line to it"):
            voters.replace("newyork")
    assert voters.done == []


def test_another_replacement_was_begun(voters: FakeMembers) -> None:
    del voters.members["singapore"]
    with pytest.raises(ReplacementError, match="`shopsphere witness replace rdc-a --voter singapore` first") as refused:
        voters.replace("newyork")
    assert "etcdctl" not in str(refused.value)
    assert voters.done == []


def test_a_member_that_is_none_of_the_seats(voters: FakeMembers) -> None:
    voters.members["stranger"] = {"ID": "9", "name": "stranger", "peerURLs": ["https://10.96.0.9:2380"]}
    with pytest.raises(ReplacementError, match="etcdctl member remove"):
        voters.replace("singapore")


@pytest.mark.parametrize("page", [(404, "404 page not found"), (404, None), (200, "<html>"), (200, "")])
def test_figures_that_are_not_known(voters: FakeMembers, page: tuple[int, str | None]) -> None:
    status, text = page
    voters.figures["ashburn"] = (status, voters.told_by("ashburn") if text is None else text)
    with pytest.raises(ReplacementError, match="every other voter to be well"):
        voters.replace("singapore")
    assert voters.done == []


def test_a_voter_that_answers_itself_is_not_lost(voters: FakeMembers) -> None:
    voters.down = set()
    cut = voters.told_by("singapore").replace('Remote="1"} 1', 'Remote="1"} 0')
    voters.figures = {"ashburn": (404, ""), "singapore": (200, cut)}
    with pytest.raises(ReplacementError, match="or is it"):
        voters.replace("newyork")


def test_again_while_the_learner_is_alive(voters: FakeMembers) -> None:
    voters.members["singapore"]["isLearner"] = True
    voters.down = set()
    with pytest.raises(ReplacementError, match="without --again"):
        voters.replace("singapore", again=True)
    assert voters.done == []
    voters.down = {"singapore"}
    assert not voters.replace("singapore", again=True)
    assert voters.done == ["remove", "add"]


@pytest.mark.parametrize("problem", ["etcdserver: member not found", "etcdserver: Peer URLs already exists"])
def test_two_operators_at_once(voters: FakeMembers, problem: str) -> None:
    voters.problem = problem
    with pytest.raises(ReplacementError, match=r"changed meanwhile[\s\S]*call the same command again"):
        voters.replace("singapore")
