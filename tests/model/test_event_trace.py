"""`shopsphere trace-event`: each hop with its moment, what did not come, and a pair that has no event log."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from app.clicks.senders import Sender, sender_of
from runbooks import event_trace
from runbooks.event_trace import NoEventLogError, trace_event
from runbooks.pair_access import PairAccess
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("the way of one click can be shown")

LATER_MS = 2_000
RECORD = {"topic": "clicks", "partition": 3, "offset": 41, "bytes": 120, "batches": 2}
ROW = {"at": 1, "product": 7, "visitors_in_three_hours": 5}


class Door:
    """A shop that takes clicks, or does not."""

    name = "shop.example"

    def __init__(self, status: int = 204) -> None:
        self.address = "192.0.2.1"
        self.status = status
        self.sent: list[dict[str, Any]] = []

    def ask(self, method: str, path: str, *, json: str = "", agent: str = "") -> httpx.Response:
        if method == "GET":
            return httpx.Response(200, text='<a href="/about">x</a> <a href="/products/blue-lamp">y</a>')
        assert (path, sender_of(agent.encode())) == ("/b", Sender.PERSON)
        self.sent.append(_document(json))
        return httpx.Response(self.status, headers={"X-Served-By": "frankfurt"}, text="kafka")


def _document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


class Site:
    """A site's API whose worker finds what a test says."""

    def __init__(self, name: str, *, follows: bool, comes: bool = True) -> None:
        self.context, self._follows, self._comes = name, follows, comes

    def items(self, path: str, **_: str) -> list[dict[str, Any]]:
        assert path == "/api/v1/namespaces/insight/pods"
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        return [{"metadata": {"name": "insight-1"}, "status": ready}]

    def execute(self, namespace: str, _pod: str, _container: str, command: list[str], **_: float) -> str:
        assert (namespace, command[:2], command[3]) == ("insight", ["shop", "trace-click"], "blue-lamp")
        now = time.time() * 1000 + LATER_MS
        counts = self._comes and not self._follows
        return json.dumps(
            {
                "site": self.context,
                "follows": self._follows,
                "record": {**RECORD, "written_ms": now} if not self._follows else None,
                "counted": {"seen_ms": now, "next": 42} if counts else None,
                "row": {**ROW, "seen_ms": now} if self._comes else None,
            }
        )


def access(door: Door, *sites: Site) -> PairAccess:
    topology = load_topology()
    by_name = {each.context: each for each in sites}
    return cast(
        PairAccess,
        SimpleNamespace(
            topology=topology,
            pair=topology.pair("rdc-a"),
            environment="lab",
            name_servers=lambda: ["dead", "ns1"],
            addresses_at=_addresses,
            door=lambda _address, seconds: door,  # noqa: ARG005 called by name
            cluster=by_name.__getitem__,
        ),
    )


def _addresses(server: str) -> tuple[str, ...]:
    if server == "dead":
        raise ShopSphereError("no answer")
    return ("192.0.2.1",)


@pytest.fixture
def with_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_trace, "wanted_configuration", lambda _stack: {"shopsphere:kafka": {"size": "2Gi"}})


@pytest.mark.usefixtures("with_log")
def test_each_hop_has_its_moment() -> None:
    door = Door()
    found = trace_event(access(door, Site("frankfurt", follows=False), Site("dublin", follows=True)))
    assert found.is_whole
    assert (found.product, door.sent[0]["tab"], door.sent[0]["c"]) == ("blue-lamp", found.tab, 1)
    assert [(each.place, each.site) for each in found.hops] == [
        ("name server", "public"),
        ("gateway and collector", "frankfurt"),
        ("topic clicks", "frankfurt"),
        ("worker", "frankfurt"),
        ("commerce, insight.session_look", "frankfurt"),
        ("commerce, by replication", "dublin"),
    ]
    assert all(LATER_MS <= (each.milliseconds or 0) < 10 * LATER_MS for each in found.hops[2:])
    assert {each.data_class for each in found.hops[1:]} == {"personal"}
    assert found.hops[2].says == "partition 3, offset 41, one of 2 batches"


@pytest.mark.usefixtures("with_log")
def test_what_did_not_come_is_said() -> None:
    found = trace_event(access(Door(), Site("frankfurt", follows=False, comes=False), Site("dublin", follows=True)))
    assert not found.is_whole
    assert [each.place for each in found.hops if each.milliseconds is None] == [
        "worker", "commerce, insight.session_look",
    ]  # fmt: skip


@pytest.mark.usefixtures("with_log")
def test_a_click_that_is_refused_is_an_error() -> None:
    with pytest.raises(ShopSphereError, match="status 503: kafka"):
        trace_event(access(Door(503), Site("frankfurt", follows=False), Site("dublin", follows=True)))


@pytest.mark.usefixtures("with_log")
def test_a_pair_whose_workers_only_follow_is_an_error() -> None:
    with pytest.raises(ShopSphereError, match="no site's worker counts"):
        trace_event(access(Door(), Site("frankfurt", follows=True), Site("dublin", follows=True)))


def test_a_pair_without_an_event_log_says_so() -> None:
    with pytest.raises(NoEventLogError, match="shopsphere:kafka"):
        trace_event(access(Door()))
