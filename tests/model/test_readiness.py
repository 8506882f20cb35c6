"""Readiness of a whole pair made of plain documents: each defect is noticed by the check that is there for it."""

import base64
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Never

import pytest
from ready_pair import AWAY, HOME, PAIR, TOPOLOGY, Authority, ReadyPair, drill, record, secret

from runbooks.audit_trail import place_of
from runbooks.engine import Journal, RunFacts, audit
from runbooks.readiness import render
from runbooks.readiness.drill_record import Result, save
from runbooks.readiness.pair_view import PairView
from runbooks.readiness.score import CHECKS, LAST_DRILL, score
from shopsphere.clients.dns import NameServerError
from shopsphere.clients.edge_errors import ServiceError
from shopsphere.estate.pair_secrets import generate_pair_secrets
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, Verdict, passes
from shopsphere.names.pair_state import PairState
from shopsphere.witness import Phase, Sync, Voter, WitnessUnreachableError
from shopsphere.witness.heads import AuditHead, Heads
from shopsphere.witness.own_keys import OwnKeys
from shopsphere.witness.seen import Seen
from shopsphere.witness.store import Entry


def records() -> Path:
    return records_directory(Environment.LAB)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ReadyPair:
    made = ReadyPair(monkeypatch, tmp_path)
    save(records(), drill())
    return made


def verdicts(pair: ReadyPair) -> dict[int, Verdict]:
    return {int(each.check[1:]): each.verdict for each in score(pair.view()).findings if not each.passed}


def found(pair: ReadyPair, number: int) -> Finding:
    return score(pair.view()).findings[number - 1]


@pytest.mark.requirement("readiness: only a pair on which every check passes is ready")
def test_a_pair_that_is_ready(pair: ReadyPair) -> None:
    readiness = score(pair.view())
    assert readiness.is_ready, render.as_text(readiness)
    assert [each.check for each in readiness.findings] == [f"P{number}" for number in range(1, 14)]
    assert readiness.active == HOME
    assert "shop/shop 1 instead of 2" in readiness.findings[4].found


def test_the_same_pair_after_it_moved(pair: ReadyPair) -> None:
    pair.seen = replace(pair.seen, record=record(active=AWAY, epoch=2), lease_holder=AWAY)
    assert set(verdicts(pair)) == {1, 2, 6, 9, 10}


def change(mapping: dict[str, Any], **values: str | int | bool | datetime | None) -> None:
    mapping.update(values)


def logged(pair: ReadyPair, count: int, *, left: int | None = None, told: bool = True) -> None:
    """Write a log and tell both agents and the witness of it; `left`: records that are not cut off afterwards."""
    log = records() / "audit.jsonl"
    for _ in range(count):
        mark = audit.append(log, {"event": "test"})
    head = AuditHead(log=mark.log, count=count, head=mark.head, place=place_of(log), at=datetime.now(UTC))
    if told:
        pair.heads = Heads((head,))
        for state in pair.agents.values():
            state["audit"] = {"heads": [head.model_dump(mode="json")], "problem": ""}
    if left is not None:
        log.write_text("".join(log.read_text().splitlines(keepends=True)[:left]))
    if not left and left is not None:
        log.unlink()


def begun_anew(pair: ReadyPair) -> None:
    logged(pair, 3, left=0)
    logged(pair, 3, told=False)


def soon(*, days: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def voter_until(end: datetime) -> Voter:
    return Voter("http://10.99.0.40:2490", "", ends=end)


DEFECTS = [
    (1, "says catchup", lambda pair: change(pair.sites[HOME].instances["commerce"]["followers"][0], state="catchup")),
    (1, "1000 ms behind", lambda pair: change(pair.sites[AWAY].instances["ledger"]["receiver"], lag_ms=1000)),
    (1, "16.8 MB", lambda pair: change(pair.sites[AWAY].instances["ledger"]["receiver"], lag_bytes=16 * 2**20)),
    (1, "it says nothing", lambda pair: change(pair.sites[AWAY].instances["ledger"], receiver=None)),
    (1, "takes writes itself", lambda pair: change(pair.sites[AWAY].instances["ledger"], in_recovery=False)),
    (2, "is async", lambda pair: change(pair.sites[HOME].instances["ledger"]["followers"][0], sync="async")),
    (2, "sync off", lambda pair: set_record(pair, sync=Sync.OFF)),
    (3, "at dublin postgres:1 b", lambda pair: set_image(pair, "sha256:" + "b1" * 32)),
    (3, "PostgreSQL at frankfurt 15.18", lambda pair: change(pair.sites[AWAY].capacity["commerce"], version="15.17")),
    (3, "wal_keep_size at", lambda pair: parameters(pair).pop("wal_keep_size")),
    (4, "data-ledger/ledger-owner differs", lambda pair: set_secret(pair, "ledger-owner", "data-ledger")),
    (4, "shop/shop-settings is not at dublin", lambda pair: pair.sites[AWAY].lists["/api/v1/secrets"].pop(-2)),
    (4, "is no certificate", lambda pair: set_gateway_certificate(pair, "nonsense")),
    (4, "ends", lambda pair: set_gateway_certificate(pair, ending_in(timedelta(days=13)))),
    (5, "gateway/gateway is not at dublin", lambda pair: pair.sites[AWAY].lists["/apis/apps/v1/deployments"].pop()),
    (5, "0 of 1 pods ready", lambda pair: deployment(pair)["status"].clear()),
    (5, "allows 19", lambda pair: change(quota(pair)["hard"], **{"requests.watts": "19"})),
    (5, "0 of 1 nodes", lambda pair: node(pair)["conditions"].clear()),
    (5, "charged 50 W", lambda pair: change(node(pair)["allocatable"], **{"shopsphere.io/watts": "49"})),
    (6, "witness says frankfurt in epoch 1", lambda pair: set_authority(pair, Authority("ns2", PairState(2, AWAY)))),
    (6, "TTL over 10 s", lambda pair: setattr(pair.authorities[0], "ttl", 11)),
    (6, "lacks state.rdc-a", lambda pair: setattr(pair.authorities[1], "state", None)),
    (6, "401", lambda pair: setattr(pair.authorities[1], "rrset", raising(ServiceError("ns2 refused: 401")))),
    (6, "a failover could not write", lambda pair: pair.authorities[1].refuses.add(PairState(2, AWAY))),
    (6, "ns1 refused PATCH", lambda pair: pair.authorities[0].refuses.add(PairState(1, HOME, leaving=True))),
    (6, "answers 10.99.0.12", lambda pair: change(pair.answers, ns1="10.99.0.12")),
    (7, "newyork (no leader)", lambda pair: pair.voters.append(Voter("http://10.99.0.40:2490", "no leader"))),
    (7, "cannot read: no such password", lambda pair: setattr(pair, "keys", OwnKeys(operator="no such password"))),
    (7, "watcher.crt ends", lambda pair: setattr(pair, "keys", OwnKeys({"watcher.crt": soon(days=6)}))),
    (7, "the edge's runbooks.crt ends", lambda pair: change(pair.edge_ends, **{"runbooks.crt": soon(days=6)})),
    (7, "the edge's door of ns1 ends", lambda pair: change(pair.edge_ends, **{"door of ns1": soon(days=6)})),
    (7, "the edge's ca.crt is no", lambda pair: change(pair.edge_ends, **{"ca.crt": None})),
    (7, "the certificate of operate at dublin ends", lambda pair: change(pair.role_ends[AWAY], operate=soon(days=6))),
    (7, "of drift at frankfurt is no certificate", lambda pair: change(pair.role_ends[HOME], drift=None)),
    (7, "the certificate of newyork ends", lambda pair: pair.voters.append(voter_until(soon(days=6)))),
    (
        8,
        "was red: P3",
        lambda _pair: save(records(), drill(result=Result.RED, problems=("P3",))),
    ),
    (8, "has not ended", lambda _pair: save(records(), drill(result=None, ended=None))),
    (
        8,
        "7 days old",
        lambda _pair: save(records(), drill(ended=datetime.now(UTC) - timedelta(days=7))),
    ),
    (
        8,
        "still to come",
        lambda _pair: save(records(), drill(ended=datetime.now(UTC) + timedelta(days=2))),
    ),
    (9, "a promotion token", lambda pair: change(spec(pair)["replica"], promotionToken="e30=")),
    (9, "a fence around *", lambda pair: fence(pair, '["*"]')),
    (9, "a fence around ledger-frankfurt-1", lambda pair: fence(pair, '["ledger-frankfurt-1"]')),
    (9, "draining", lambda pair: set_record(pair, phase=Phase.DRAINING)),
    (9, "held by nobody", lambda pair: setattr(pair, "seen", replace(pair.seen, lease_holder=""))),
    (9, "at work: anna", lambda pair: setattr(pair, "lock", Entry("anna", 1, 1))),
    (9, "is unfinished", lambda _pair: start_run()),
    (9, "takes no writes", lambda pair: change(pair.agents[HOME], writes=False)),
    (9, "no replica", lambda pair: change(pair.agents[AWAY], role=None)),
    (9, "no replica", lambda pair: change(pair.agents[AWAY], databases=False)),
    (10, "80% full", lambda pair: setattr(pair.sites[AWAY], "disk", "Used Avail\n 40 60\n 80 20\n")),
    (10, "no WAL is kept", lambda pair: change(pair.sites[HOME].capacity["commerce"], keep_bytes=0)),
    (11, "the file was replaced", begun_anew),
    (11, "records were cut off: it knows 3", lambda pair: logged(pair, 3, left=2)),
    (11, "it is gone: the agent of dublin knows", lambda pair: logged(pair, 3, left=0)),
]


@pytest.mark.requirement("readiness: each defect is noticed by its check, and by no other")
@pytest.mark.parametrize(("number", "told", "spoil"), DEFECTS, ids=[f"P{n} {told}" for n, told, _ in DEFECTS])
def test_each_defect(pair: ReadyPair, number: int, told: str, spoil: Callable[[ReadyPair], object]) -> None:
    spoil(pair)
    (finding,) = score(pair.view()).wrong
    assert (finding.check, finding.verdict) == (f"P{number}", Verdict.FAILED)
    assert told in finding.found
    assert finding.action


def test_a_follower_that_is_gone_leaves_unknown_how_much_log_it_needs(pair: ReadyPair) -> None:
    pair.sites[HOME].instances["commerce"]["followers"].clear()
    assert verdicts(pair) == {1: Verdict.FAILED, 10: Verdict.UNKNOWN}
    assert "the active site says nobody" in found(pair, 1).found


def test_a_follower_far_behind_fails_both_for_its_lag_and_for_the_log(pair: ReadyPair) -> None:
    pair.sites[HOME].instances["commerce"]["followers"][0]["lag_bytes"] = 128 * 2**20
    assert verdicts(pair) == {1: Verdict.FAILED, 10: Verdict.FAILED}


@pytest.mark.requirement("readiness: a log that others know is no defect, and an agent that keeps none is not known")
def test_the_audit_log(pair: ReadyPair) -> None:
    logged(pair, 3)
    assert verdicts(pair) == {}
    assert "the agent of frankfurt: it agrees up to record 3" in found(pair, 11).found
    del pair.agents[AWAY]["audit"]
    assert verdicts(pair) == {11: Verdict.UNKNOWN}


@pytest.mark.requirement("readiness: backups of both databases at both sites are complete and recent")
@pytest.mark.parametrize(
    ("changed", "said", "verdict"),
    [
        ({"base_at": None}, "no base backup", Verdict.FAILED),
        ({"missing": ("000000010000000000000007",)}, "000000010000000000000007", Verdict.FAILED),
        ({"base_at": timedelta(hours=27)}, "27 h old", Verdict.FAILED),
        ({"covered_at": timedelta(minutes=6)}, "min old", Verdict.FAILED),
        ({"problem": "the archive does not answer"}, "does not answer", Verdict.UNKNOWN),
    ],
)
def test_backups(pair: ReadyPair, changed: dict[str, Any], said: str, verdict: Verdict) -> None:
    assert verdicts(pair) == {}
    now = datetime.now(UTC)  # not when tests are collected: half an hour may be in between
    values: dict[str, Any] = {
        name: now - each if isinstance(each, timedelta) else each for name, each in changed.items()
    }
    pair.backups[3] = replace(pair.backups[3], **values)
    assert verdicts(pair) == {12: verdict}
    assert found(pair, 12).found.startswith("ledger of dublin: ")
    assert said in found(pair, 12).found


@pytest.mark.requirement("readiness: what could not be asked is never a pass")
def test_a_dead_recovery_site_is_unknown_where_it_was_asked(pair: ReadyPair) -> None:
    pair.sites[AWAY].dead = True
    assert verdicts(pair) == dict.fromkeys((1, 3, 4, 5, 9, 10), Verdict.UNKNOWN)
    assert "no answer from https://dublin" in found(pair, 1).found
    assert "the active site's" not in found(pair, 9).found


def test_without_a_quorum_nothing_that_needs_the_role_is_known(pair: ReadyPair) -> None:
    pair.witness.see = raising(
        WitnessUnreachableError.build("no quorum", expected="one", found="silence", action="look at the voters")
    )
    readiness = score(pair.view())
    unknown = [each for each in readiness.findings if each.verdict is Verdict.UNKNOWN]
    assert [each.check for each in unknown] == ["P1", "P2", "P3", "P4", "P5", "P6", "P9", "P10"]
    assert all(each.found.endswith("no quorum (silence)") for each in unknown)
    assert {each.action for each in unknown} == {"look at the voters"}
    assert readiness.active == ""


def test_a_silent_name_server_is_a_failure_of_the_check_that_asks_it(pair: ReadyPair) -> None:
    pair.answers["ns1"] = NameServerError("no answer")
    assert verdicts(pair) == {6: Verdict.FAILED}


def test_a_standby_that_cannot_tell_its_lag_is_unknown(pair: ReadyPair) -> None:
    pair.sites[AWAY].instances["ledger"]["receiver"]["lag_ms"] = None
    assert verdicts(pair) == {1: Verdict.UNKNOWN}


def test_a_document_of_another_shape_is_unknown_and_says_what_was_missed(pair: ReadyPair) -> None:
    del pair.agents[HOME]["writes"]
    assert verdicts(pair) == {9: Verdict.UNKNOWN}
    assert "writes" in found(pair, 9).found


@pytest.mark.requirement("readiness: a bounded time, whatever hangs")
def test_what_hangs_is_unknown_in_time_and_hides_nothing(pair: ReadyPair, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(pair.sites[AWAY], "execute", lambda *_words, **_bounds: ended.wait(60))
    start = time.monotonic()
    readiness = score(pair.view(seconds=3))
    ended.set()
    assert time.monotonic() - start < 40
    assert {each.check: each.verdict for each in readiness.wrong} == dict.fromkeys(("P1", "P3", "P10"), Verdict.UNKNOWN)
    assert "has not returned in time" in readiness.findings[0].found


def test_a_check_that_breaks_is_unknown_and_hides_nothing(pair: ReadyPair) -> None:
    broken = SimpleNamespace(NAME="broken", ask=raising(RuntimeError("a bug")))
    fine = SimpleNamespace(NAME="fine", ask=lambda _view: passes("well"))
    readiness = score(pair.view(), (broken, fine))
    assert [each.verdict for each in readiness.findings] == [Verdict.UNKNOWN, Verdict.PASSED]
    assert "a bug" in readiness.findings[0].found


def test_each_question_is_asked_once(pair: ReadyPair) -> None:
    asked = []
    see = pair.witness.see

    def watched() -> Seen:
        asked.append(1)
        found: Seen = see()
        return found

    pair.witness.see = watched
    assert score(pair.view()).is_ready
    assert len(asked) == 1


@pytest.mark.requirement("readiness: the same for people and for programs")
def test_both_forms(pair: ReadyPair) -> None:
    pair.lock = Entry("anna", 1, 1)
    readiness = score(pair.view())
    document = json.loads(render.as_json(readiness))
    assert document["ready"] is False
    assert document.keys() == {"pair", "ready", "active", "checks", "warnings"}
    assert [list(each) for each in document["checks"]] == [["number", "name", "verdict", "found", "action"]] * 13
    assert [each["number"] for each in document["checks"]] == list(range(1, 14))
    assert [each["verdict"] for each in document["checks"]].count("pass") == 12
    text = render.as_text(readiness)
    assert "P9  FAIL" in text
    assert "do: wait for them" in text
    assert text.endswith("rdc-a: NOT ready (P9); frankfurt is active")


def test_no_secret_is_ever_printed(pair: ReadyPair) -> None:
    value = pair.sites[AWAY].lists["/api/v1/secrets"][-2]["data"]["SHOP_SESSION_SECRET"]
    set_secret(pair, "shop-settings", "shop")
    text = render.as_text(score(pair.view())) + render.as_json(score(pair.view()))
    assert "shop/shop-settings differs" in text
    assert value not in text
    assert base64.b64decode(value).decode() not in text


def test_the_check_that_a_drill_makes_pass_is_the_eighth() -> None:
    assert "drill" in CHECKS[7].NAME
    assert LAST_DRILL == "P8"


def raising(error: Exception) -> Callable[..., Never]:
    def fail(*_words: str | IPv4Address | PairView) -> Never:
        raise error

    return fail


def set_record(pair: ReadyPair, **values: Sync | Phase) -> None:
    pair.seen = replace(pair.seen, record=record(**values))


def set_image(pair: ReadyPair, identity: str) -> None:
    pair.sites[AWAY].lists["/api/v1/pods"][-1]["status"]["containerStatuses"][0]["imageID"] = identity


def parameters(pair: ReadyPair) -> Any:
    return spec(pair)["postgresql"]["parameters"]


def spec(pair: ReadyPair) -> Any:
    return pair.sites[AWAY].clusters["ledger"]["spec"]


def fence(pair: ReadyPair, text: str) -> None:
    pair.sites[HOME].clusters["ledger"]["metadata"]["annotations"] = {"cnpg.io/fencedInstances": text}


def set_secret(pair: ReadyPair, name: str, namespace: str) -> None:
    held = pair.sites[AWAY].lists["/api/v1/secrets"]
    (place,) = [index for index, each in enumerate(held) if each["metadata"]["name"] == name]
    held[place] = secret(namespace, name, password="other")


def set_gateway_certificate(pair: ReadyPair, text: str) -> None:
    pair.sites[AWAY].lists["/api/v1/secrets"][-1] = secret("gateway", "gateway-tls", tls_crt=text)


def ending_in(left: timedelta) -> str:
    lifetime = timedelta(days=730)
    return generate_pair_secrets(TOPOLOGY, PAIR, now=datetime.now(UTC) - lifetime + left)["ledgerServerCertificate"]


def deployment(pair: ReadyPair) -> dict[str, Any]:
    return pair.sites[AWAY].lists["/apis/apps/v1/deployments"][0]


def quota(pair: ReadyPair) -> Any:
    return pair.sites[AWAY].lists["/api/v1/resourcequotas"][0]["status"]


def node(pair: ReadyPair) -> Any:
    return pair.sites[AWAY].lists["/api/v1/nodes"][0]["status"]


def set_authority(pair: ReadyPair, authority: Authority) -> None:
    pair.authorities[1] = authority


def start_run() -> None:
    Journal.start(records(), RunFacts("failover", "planned", PAIR, "anna", "test")).close()


def test_an_error_of_ours_keeps_its_parts() -> None:
    error = ShopSphereError.build("it broke", expected="peace", found="war\n  of words", action="talk")
    from runbooks.readiness.no_answer import from_error  # noqa: PLC0415

    judged = from_error(error, "ns1")
    assert (judged.verdict, judged.found, judged.action) == (Verdict.UNKNOWN, "ns1: it broke (war of words)", "talk")
