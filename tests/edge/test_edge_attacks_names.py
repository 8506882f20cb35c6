"""Attempts of bench/attacks at real name servers and at the door of the edge's APIs: refused, and written down."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from edge_host import EdgeHost

from components.edge.global_dns import GlobalDnsModel
from shopsphere.clients import powerdns
from shopsphere.foundation.certificates import KeyPair, issue, new_authority
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import Topology

sys.path.append(str(REPOSITORY / "bench" / "attacks"))
import door_edge_apis
import door_names
import knocking
from attacked import Scene
from attempt import CLIENT, DESK, Attempt
from refusing import Verdict, judge

pytestmark = pytest.mark.usefixtures("zone")


@pytest.fixture
def attempts(edge: EdgeHost, topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Attempt]:
    """Those at DNS that a customer makes, and those at the door that operators' addresses may make."""
    other = KeyPair(tmp_path / "operator.crt", tmp_path / "operator.key")
    issue(new_authority(tmp_path / "other", "witness of rdc-b"), other, common_name="operator")
    for module in (door_edge_apis, door_names):
        monkeypatch.setattr(module, "lab_settings", lambda: edge.settings)
    monkeypatch.setattr(door_edge_apis, "certificate_elsewhere", lambda *_: [str(other.certificate), str(other.key)])
    scene = Scene(topology.pair("rdc-a"), topology.pair("rdc-b"), topology, "abc")
    made = [each for each in door_names.attempts(scene) if each.place == CLIENT]
    made += [each for each in door_edge_apis.attempts(scene) if each.place == DESK]
    return {each.what: each for each in made}


def verdict(tried: Attempt) -> tuple[Verdict, str]:
    control = tried.control
    answers = [knocking.answer(each) for each in tried.questions]
    controls = [knocking.answer(each) for each in control.questions] if control else None
    found = judge(tried, answers, controls, ["a log"])
    return found.verdict, found.why


@pytest.mark.requirement("attempts at DNS and at the edge's APIs are refused, and nothing is changed")
def test_each_is_refused_and_the_zone_stays(
    attempts: dict[str, Attempt], authorities: list[powerdns.DnsAuthority], zone: GlobalDnsModel, edge: EdgeHost
) -> None:
    before = [(each.serials(), each.rrsets("shopsphere.test.")) for each in authorities]
    found = {what: verdict(each) for what, each in attempts.items()}
    assert {what: each for what, each in found.items() if each[0] is not Verdict.REFUSED} == {}
    assert [(each.serials(), each.rrsets("shopsphere.test.")) for each in authorities] == before
    assert len(found) > 20


@pytest.mark.requirement("a refused attempt is seen in a log")
@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("transfer the zone by AXFR", "AXFR"),
        ("transfer the zone by IXFR", "IXFR"),
        ("add an address to www by a dynamic update over TCP", "UPDATE"),
        ("add an address to www by a dynamic update over UDP", "UPDATE"),
    ],
)
def test_a_name_server_says_who_tried(attempts: dict[str, Attempt], edge: EdgeHost, what: str, line: str) -> None:
    log = edge.log / "dns-ns1.log"
    size = log.stat().st_size
    asked = attempts[what].questions[0]
    assert knocking.answer(asked)["kind"] in {"dns", "closed"}
    added = log.read_text()[size:]
    assert any(line in each and ("REFUSED" in each or "denied" in each) for each in added.splitlines()), added


def test_who_may_write_is_let_in(attempts: dict[str, Attempt], edge: EdgeHost) -> None:
    """A judge that finds everything refused says nothing: the deployer's own record is taken."""
    written = attempts["rewrite www as watcher"]
    shown = door_edge_apis.certificate("deployer")
    first = {**written.questions[0], "certificate": shown}
    body = door_edge_apis.change("attack.shopsphere.test.", "10.99.0.11", "A")
    answers = [knocking.answer({**first, "body": json.dumps(body)})]
    found = judge(Attempt("X", "x", DESK, (first,), written.by, alone="a test"), answers, None, [])
    assert found.verdict is Verdict.LET_IN
    gone = {"rrsets": [{"name": "attack.shopsphere.test.", "type": "A", "changetype": "DELETE"}]}
    assert knocking.answer({**first, "body": json.dumps(gone)})["status"] == 204
