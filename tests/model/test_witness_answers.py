"""Answers of the witness that nobody can read: not known, and neither a fault of the program nor a lost witness."""

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from runbooks.watch import Watcher
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import passes
from shopsphere.witness import PairRecord, Witness, WitnessUnreachableError
from shopsphere.witness.gateway import UnreadableWitnessError
from shopsphere.witness.order import VoterOrder
from shopsphere.witness.seen import Seen

pytestmark = pytest.mark.requirement(
    "an unreadable record is not known: no traceback, no end of a watcher, no lost witness"
)
RECORD = PairRecord.first("rdc-a", "frankfurt", actor="test").model_dump(mode="json")
KEY = "/shopsphere/rdc-a/record"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def holding(value: str) -> dict[str, Any]:
    kept = [{"key": encoded(KEY), "value": value, "mod_revision": "7"}]
    return {"header": {"revision": "9"}, "succeeded": True, "responses": [{"response_range": {"kvs": kept}}]}


def witness_of(answer: Callable[[], Any]) -> Witness:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=answer()))
    return Witness("rdc-a", ["http://10.0.0.1:2480"], transport=transport)


def test_what_we_write_is_read() -> None:
    seen = witness_of(lambda: holding(encoded(json.dumps(RECORD)))).see()
    assert (seen.record, seen.revision) == (PairRecord.model_validate(RECORD), 7)


@pytest.mark.parametrize(
    "value",
    [
        encoded(json.dumps({**RECORD, "epoch": 2**62})),
        encoded(json.dumps({**RECORD, "epoch": 2**80})),
        encoded(json.dumps({**RECORD, "epoch": "7"})),
        encoded(json.dumps({**RECORD, "phase": "resting"})),
        encoded(json.dumps({**RECORD, "sync": "mostly"})),
        encoded(json.dumps({**RECORD, "active": "f" * 129})),
        encoded(json.dumps({**RECORD, "added_in_2027": "x" * 20_000})),
        encoded(json.dumps({**RECORD, "epoch": 0})),
        encoded("{"),
        base64.b64encode(b"\xff").decode(),
        "not base64!",
    ],
    ids=[
        "epoch beyond all",
        "epoch beyond 64 bits",
        "epoch as text",
        "phase of a newer version",
        "sync of a newer version",
        "no site has such a name",
        "a flood of unknown fields",
        "epoch 0",
        "half a document",
        "no text",
        "not base64",
    ],
)
def test_a_record_that_cannot_be_read(value: str) -> None:
    witness = witness_of(lambda: holding(value))
    with pytest.raises(UnreadableWitnessError, match="cannot be read") as raised:
        witness.see()
    assert not isinstance(raised.value, WitnessUnreachableError), "break-glass would take it for a lost witness"
    lines: list[str] = []
    watcher = Watcher(witness, None, lines.append, lambda: passes("all answer"), lines.append)
    assert watcher.look() is None
    assert "unknown: " in lines[0]


@pytest.mark.parametrize("answer", [{}, {"header": {}}, {"header": {"revision": "x"}}, {"header": 1, "responses": 2}])
def test_an_answer_that_is_none_of_a_witness(answer: dict[str, Any]) -> None:
    with pytest.raises(UnreadableWitnessError):
        witness_of(lambda: answer).see()


@pytest.mark.parametrize("answer", [[], "a captive portal", 7])
def test_a_stranger_at_the_port(answer: Any) -> None:
    witness = witness_of(lambda: answer)
    with pytest.raises(ShopSphereError, match="no voter's answer"):
        witness.see()
    assert [voter.problem for voter in witness.each_voter()] == ["no voter's answer"]


@pytest.mark.requirement("looking for the fastest voter ends, whatever happens to who looks")
def test_a_race_in_which_everybody_stumbles_ends() -> None:
    order = VoterOrder(["http://10.0.0.1:2480", "http://10.0.0.2:2480"])

    def stumble(_url: str) -> bool:
        raise KeyError("token")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)
        order.race(stumble)
    assert order.in_order() == ["http://10.0.0.1:2480", "http://10.0.0.2:2480"]


@pytest.mark.requirement("what a witness says and nobody can read is no answer")
@pytest.mark.parametrize("said", ["x", None, {}, [], True, 1e999, "4.5"])
def test_how_long_a_lease_lasts_cannot_be_read(said: Any) -> None:
    held = Seen(None, 1, "frankfurt", lease=7)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=json.dumps({"TTL": said})))
    witness = Witness("rdc-a", ["http://10.0.0.1:2480"], transport=transport)
    with pytest.raises(UnreadableWitnessError):
        witness.seconds_left(held)


@pytest.mark.parametrize(("answer", "left"), [({"TTL": "9"}, 9), ({"TTL": "-1"}, -1), ({}, 0)])
def test_how_long_a_lease_lasts(answer: dict[str, Any], left: int) -> None:
    assert witness_of(lambda: answer).seconds_left(Seen(None, 1, "frankfurt", lease=7)) == left


def test_a_holder_without_a_lease_is_nothing_that_ends() -> None:
    with pytest.raises(UnreadableWitnessError, match="belongs to no lease"):
        witness_of(dict).seconds_left(Seen(None, 1, "frankfurt"))
    assert witness_of(dict).seconds_left(Seen(None, 1, "")) == 0
