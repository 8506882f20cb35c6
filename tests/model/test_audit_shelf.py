"""Heads of audit logs at the witness: a count that never goes back, and nothing that is overwritten by mistake."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from shopsphere.witness import Witness, WitnessConflictError
from shopsphere.witness.gateway import UnreadableWitnessError
from shopsphere.witness.heads import AuditHead

pytestmark = pytest.mark.requirement("the audit chain's head is kept where its author cannot change it")
LOG, OTHER = "a" * 32, "b" * 32


def head(count: int, letter: str = "0", log: str = LOG) -> AuditHead:
    return AuditHead(log=log, count=count, head=letter * 64, place="ops-1:/a", at=datetime(2027, 3, 1, tzinfo=UTC))


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class Etcd:
    """One voter's transactions: comparisons of a key's revision, ranges and puts."""

    def __init__(self) -> None:
        self.revision = 1
        self.keys: dict[str, tuple[str, int]] = {}
        self.before_a_put: list[tuple[str, str]] = []

    def put(self, key: str, value: str) -> None:
        self.revision += 1
        self.keys[key] = (value, self.revision)

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        puts = [each["requestPut"] for each in body["success"] if "requestPut" in each]
        if puts and self.before_a_put:
            self.put(*self.before_a_put.pop())
        holds = all(
            self.keys.get(_decoded(each["key"]), ("", 0))[1] == int(each["mod_revision"]) for each in body["compare"]
        )
        responses = []
        for each in body["success"] if holds else body["failure"]:
            if "requestPut" in each:
                self.put(_decoded(each["requestPut"]["key"]), _decoded(each["requestPut"]["value"]))
            else:
                responses.append({"response_range": {"kvs": self._range(each["requestRange"])}})
        header = {"revision": str(self.revision)}
        return httpx.Response(200, json={"header": header, "succeeded": holds, "responses": responses})

    def _range(self, asked: dict[str, Any]) -> list[dict[str, str]]:
        first = _decoded(asked["key"])
        end = _decoded(asked["range_end"]) if "range_end" in asked else first + "\0"
        found = sorted((key, *value) for key, value in self.keys.items() if first <= key < end)
        most = int(asked.get("limit", 0)) or len(found)
        return [
            {"key": _encoded(key), "value": _encoded(value), "mod_revision": str(revision)}
            for key, value, revision in found[:most]
        ]


@pytest.fixture
def etcd() -> Etcd:
    return Etcd()


@pytest.fixture
def witness(etcd: Etcd) -> Witness:
    return Witness("rdc-a", ["http://10.0.0.1:2480"], transport=httpx.MockTransport(etcd.answer))


def test_a_head_is_kept_and_replaced_by_a_newer_one(witness: Witness, etcd: Etcd) -> None:
    for each in (head(1), head(2, "1"), head(2, "1"), head(5, "2"), head(1, "3", OTHER)):
        witness.audit.keep(each)
    assert witness.audit.heads().known == (head(5, "2"), head(1, "3", OTHER))
    assert set(etcd.keys) == {f"/shopsphere/rdc-a/audit/{LOG}", f"/shopsphere/rdc-a/audit/{OTHER}"}
    assert etcd.revision == 5, "a head that is known already is not written again"


@pytest.mark.parametrize("late", [head(4, "1"), head(3, "2"), head(1)])
def test_a_count_never_goes_back_and_a_record_is_never_another_one(witness: Witness, late: AuditHead) -> None:
    witness.audit.keep(head(4))
    with pytest.raises(WitnessConflictError, match="not the one that the witness of rdc-a was told of") as raised:
        witness.audit.keep(late)
    assert "audit verify" in str(raised.value)
    assert witness.audit.heads().known == (head(4),)


def test_of_two_writers_at_once_the_newer_head_stays(witness: Witness, etcd: Etcd) -> None:
    etcd.before_a_put = [(f"/shopsphere/rdc-a/audit/{LOG}", head(7).model_dump_json())]
    with pytest.raises(WitnessConflictError):
        witness.audit.keep(head(6))
    etcd.before_a_put = [(f"/shopsphere/rdc-a/audit/{LOG}", head(8).model_dump_json())]
    witness.audit.keep(head(9))
    assert witness.audit.heads().known == (head(9),)


def test_who_never_stops_writing_is_no_endless_wait(witness: Witness, etcd: Etcd) -> None:
    key = f"/shopsphere/rdc-a/audit/{LOG}"
    etcd.before_a_put = [(key, head(count).model_dump_json()) for count in (5, 4, 3, 2, 1)]
    with pytest.raises(WitnessConflictError, match="others keep writing"):
        witness.audit.keep(head(9))


@pytest.mark.parametrize(
    "value", ["", "{", "[]", '{"log": "x"}', head(1).model_dump_json().replace(":1,", f":{2**62},")]
)
def test_what_cannot_be_read_hides_no_other_and_is_not_overwritten(witness: Witness, etcd: Etcd, value: str) -> None:
    witness.audit.keep(head(1, log=OTHER))
    etcd.put(f"/shopsphere/rdc-a/audit/{LOG}", value)
    found = witness.audit.heads()
    assert found.known == (head(1, log=OTHER),)
    assert found.unreadable[0].startswith(f"/shopsphere/rdc-a/audit/{LOG}: ")
    with pytest.raises(UnreadableWitnessError):
        witness.audit.keep(head(2))
    assert etcd.keys[f"/shopsphere/rdc-a/audit/{LOG}"][0] == value


def test_a_flood_of_logs_is_said(witness: Witness, etcd: Etcd) -> None:
    for number in range(250):
        etcd.put(f"/shopsphere/rdc-a/audit/{number:032x}", head(1, log=f"{number:032x}").model_dump_json())
    found = witness.audit.heads()
    assert (len(found.known), found.unreadable) == (200, ("what is beyond 200 logs",))


def test_what_a_newer_version_wrote_into_a_head_is_read(witness: Witness, etcd: Etcd) -> None:
    more = {**json.loads(head(3).model_dump_json()), "signed_by": "key 7"}
    etcd.put(f"/shopsphere/rdc-a/audit/{LOG}", json.dumps(more))
    assert [each.count for each in witness.audit.heads().known] == [3]
    witness.audit.keep(head(4))
    assert witness.audit.heads().known == (head(4),)
