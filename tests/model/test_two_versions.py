"""What two versions of this repository exchange: an older reader ignores what a newer writer added, and keeps it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbooks.agent.permits import PermitKeeper, Witnessed
from runbooks.permit import Permit
from runbooks.readiness.p09_leftovers import judge_recovery_agent
from runbooks.unwitnessed import known_epoch
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.powerdns import RRset
from shopsphere.clients.site_agent import SiteAgentError, another_is_active, ask_agent
from shopsphere.estate.site_agent import has_lease
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.witness import PairRecord, Sync

pytestmark = pytest.mark.requirement("a pair of agents of two versions works: what is not known is ignored and kept")
NEWER = {"racks": ["a1", "a2"], "quorum_of": {"north": 3}}
RECORD = {
    "pair": "rdc-a", "epoch": 7, "active": "dublin", "phase": "steady", "sync": "on", "actor": "anna at ops-1",
    "reason": "flood", "changed_at": "2027-03-01T04:05:06Z", "change": "c0ffee",
}  # fmt: skip
PERMIT = {
    "pair": "rdc-a", "epoch": 7, "active": "dublin", "session": "5e55", "actor": "anna at ops-1", "reason": "flood",
    "at": "2027-03-01T04:05:06Z",
}  # fmt: skip
STATE = {"databases": True, "writes": False, "because": "reading only", "site": "dublin"}


def test_a_record_of_a_newer_version_is_read_and_changed_without_loss() -> None:
    record = PairRecord.model_validate_json(json.dumps({**RECORD, **NEWER}))
    assert (record.epoch, record.active, record.sync) == (7, "dublin", Sync.ON)
    changed = json.loads(
        record.changed(actor="agent of dublin", reason="nobody follows", sync=Sync.OFF).model_dump_json()
    )
    assert {name: changed[name] for name in NEWER} == NEWER
    assert (changed["sync"], changed["actor"], changed["epoch"]) == ("off", "agent of dublin", 7)


def test_a_permit_begins_an_epoch_without_losing_what_a_newer_version_wrote() -> None:
    permit = Permit.model_validate_json(json.dumps({**PERMIT, "added": 1}))
    begun = permit.begun_after(PairRecord.model_validate({**RECORD, **NEWER, "epoch": 6}))
    assert json.loads(begun.model_dump_json())["racks"] == ["a1", "a2"]
    assert json.loads(permit.model_dump_json())["added"] == 1


def test_our_own_misspelling_is_found() -> None:
    record = PairRecord.model_validate(RECORD)
    with pytest.raises(ValueError, match="PairRecord has no acitve"):
        record.changed(actor="anna", reason="test", acitve="frankfurt")


def test_an_epoch_that_we_write_is_bounded_too() -> None:
    with pytest.raises(ValueError, match="epoch"):
        PairRecord.model_validate(RECORD).changed(actor="anna", reason="test", epoch=1_000_000_001)


def test_words_of_a_person_are_cut_and_never_refused() -> None:
    record = PairRecord.model_validate_json(json.dumps({**RECORD, "reason": "x" * 5000, "actor": "y" * 5000}))
    assert (len(record.reason), record.reason[-2:], len(record.actor)) == (1000, "x…", 1000)
    assert record.changed(actor="anna", reason="z" * 1000).reason == "z" * 1000
    assert Permit.model_validate({**PERMIT, "reason": "x" * 1001}).reason == "x" * 999 + "…"


@pytest.mark.parametrize("epoch", [1, "7", None, 7.5])
def test_a_permit_with_an_epoch_that_is_none(epoch: Any) -> None:
    with pytest.raises(ValueError, match="epoch"):
        Permit.model_validate_json(json.dumps({**PERMIT, "epoch": epoch}))


def _no_cluster() -> Cluster:
    raise AssertionError


def _keeper(file: Path) -> PermitKeeper:
    return PermitKeeper(file, _no_cluster, pair="rdc-a", site="dublin", peer="frankfurt", session="5e55")


def test_an_agent_starts_with_what_a_newer_version_kept(tmp_path: Path) -> None:
    file = tmp_path / "permit.json"
    file.write_text(json.dumps({**PERMIT, **NEWER}))
    file.with_suffix(".witnessed.json").write_text(json.dumps({"epoch": 6, "active": "frankfurt", **NEWER}))
    keeper = _keeper(file)
    assert keeper.kept == Permit.model_validate({**PERMIT, **NEWER})
    assert keeper.witnessed == Witnessed.model_validate({"epoch": 6, "active": "frankfurt", **NEWER})


@pytest.mark.parametrize("text", ["", "{", '{"epoch": 4611686018427387904, "active": "dublin"}', '{"epoch": 3}'])
def test_what_an_agent_kept_and_cannot_read_is_no_reason_to_forget_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "permit.witnessed.json").write_text(text)
    with pytest.raises(ShopSphereError, match=r"permit.witnessed.json cannot be read\n"):
        _keeper(tmp_path / "permit.json")


def _told(state: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(httpx, "get", lambda *_words, **_more: httpx.Response(200, json=state))
    return ask_agent("http://10.99.0.12:8405")


def test_a_state_that_says_more_or_less(monkeypatch: pytest.MonkeyPatch) -> None:
    more = {**STATE, "record": {**RECORD, **NEWER, "phase": "resting"}, "racks": 8, "role": "arbiter"}
    told = _told(more, monkeypatch)
    assert told == more
    assert known_epoch(told) == 7
    assert not another_is_active(told)
    assert not judge_recovery_agent("dublin", told).passed
    less = _told(STATE, monkeypatch)
    assert (known_epoch(less), has_lease(less), another_is_active(less)) == (0, False, False)
    assert not judge_recovery_agent("dublin", less).passed


@pytest.mark.parametrize(
    "state",
    [
        {},
        [],
        {**STATE, "writes": "no"},
        {**STATE, "writes": None},
        {**STATE, "record": "gone"},
        {**STATE, "record": {**RECORD, "epoch": 2**62}},
        {**STATE, "permit": {**PERMIT, "epoch": "seven"}},
        {**STATE, "witness": {"epoch": -1}},
        {**STATE, "lease_seconds_left": "ten"},
    ],
)
def test_a_state_that_cannot_be_read_is_no_answer(state: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SiteAgentError, match="does not answer"):
        _told(state, monkeypatch)


@pytest.mark.parametrize(
    ("words", "stated"),
    [
        ("epoch=3,active='dublin'", PairState(3, "dublin")),
        ("epoch=3,active='dublin',since=1790000000,by='anna'", PairState(3, "dublin")),
        ("epoch=3,active='dublin',leaving=true,since=1790000000", PairState(3, "dublin", leaving=True)),
        ("epoch=100000000000000000,active='dublin'", None),
        ("epoch=3,active='dublin',a={}", None),
    ],
)
def test_a_state_record_in_dns_with_more_in_it(words: str, stated: PairState | None) -> None:
    sites = {"frankfurt": "192.0.2.1", "dublin": "192.0.2.2"}
    declaration = PairDeclaration("shop.test.", "rdc-a", "frankfurt", "dublin", sites, 100, 0, 5)
    found = RRset("x.shop.test.", "LUA", 5, (f"LUA \"state={{pair='rdc-a',{words}}} sites={{}}\"",))
    assert declaration.stated(found) == stated
    assert declaration.valid(found) is None


def test_the_time_of_a_change_is_kept_as_it_was() -> None:
    assert PairRecord.model_validate(RECORD).changed_at == datetime(2027, 3, 1, 4, 5, 6, tzinfo=UTC)
