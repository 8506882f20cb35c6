"""What each user may ask the edge's APIs for; tests/edge asks the real door."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from edge_declaration import RDC_A, STATE, ZONE

from shopsphere.clients.edge_identity import DEPLOYER, RUNBOOKS, WATCHER
from shopsphere.edge_door.asked import Asked, UnreadableError
from shopsphere.edge_door.cdn_rights import cdn_problem
from shopsphere.edge_door.dns_rights import ZONES, dns_problem
from shopsphere.edge_door.haproxy import haproxy_configuration
from shopsphere.edge_door.plan import DoorError, DoorPlan, Service, declared_states
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.topology import load_topology

STATES = {RDC_A.name: RDC_A}
THE_ZONE = f"{ZONES}/{ZONE}"
GOOD = RDC_A.rrset(PairState(7, "dublin"))


def asked(user: str, method: str, target: str, document: Any = None) -> Asked:
    return Asked.of(user, method, target, b"" if document is None else json.dumps(document).encode())


NEW_KEY = {"keytype": "csk", "active": True, "published": True, "content": "Private-key-format: v1.2"}


def state(**other: Any) -> dict[str, Any]:
    """Return the change that writes a state of rdc-a, with other values in it."""
    records = [{"content": GOOD.records[0], "disabled": False}]
    change = {"name": GOOD.name, "type": "LUA", "ttl": 5, "changetype": "REPLACE", "records": records}
    return {"rrsets": [{**change, **other}]}


def test_runbooks_write_the_state_that_is_declared_and_no_other() -> None:
    def problem(document: Any, zone: str = THE_ZONE) -> str:
        return dns_problem(asked(RUNBOOKS, "PATCH", zone, document), STATES)

    assert problem(state()) == ""
    (record,) = state()["rrsets"][0]["records"]
    others: tuple[dict[str, Any], ...] = (
        {"name": "www.shopsphere.test."},
        {"name": "STATE.rdc-a.shopsphere.test."},
        {"name": RDC_A.name.removesuffix(".")},
        {"type": "TXT"},
        {"ttl": 6},
        {"ttl": True},
        {"ttl": "5"},
        {"changetype": "DELETE"},
        {"records": []},
        {"records": [record, record]},
        {"records": [{**record, "disabled": True}]},
        {"records": [{**record, "set-ptr": True}]},
        {"records": [{**record, "content": record["content"].replace("10.99.0.12", "10.99.0.21")}]},
        {"records": [{**record, "content": record["content"] + " "}]},
        {"comments": []},
    )
    for other in others:
        assert problem(state(**other)) != "", other
    assert problem(state(), f"{ZONES}/other.test.") != ""
    assert problem({**state(), "kind": "Slave"}) != ""
    assert problem({"rrsets": [*state()["rrsets"], *state()["rrsets"]]}) != ""
    assert problem([state()]) != ""


@pytest.mark.parametrize(
    ("method", "target", "document", "allowed"),
    [
        ("GET", ZONES, None, {DEPLOYER, RUNBOOKS, WATCHER}),
        ("GET", f"{THE_ZONE}?rrset_name=a.&rrset_type=LUA", None, {DEPLOYER, RUNBOOKS, WATCHER}),
        ("GET", f"{THE_ZONE}?dnssec=true", None, set()),
        ("GET", THE_ZONE, {"a": 1}, set()),
        ("GET", f"{THE_ZONE}/cryptokeys", None, {DEPLOYER, RUNBOOKS, WATCHER}),
        ("GET", f"{THE_ZONE}/cryptokeys?x=1", None, set()),
        ("GET", f"{THE_ZONE}/cryptokeys/1", None, set()),
        ("POST", f"{THE_ZONE}/cryptokeys", NEW_KEY, {DEPLOYER}),
        ("POST", f"{THE_ZONE}/cryptokeys", {**NEW_KEY, "active": False}, set()),
        ("POST", f"{THE_ZONE}/cryptokeys", {**NEW_KEY, "bits": 256}, set()),
        ("POST", f"{THE_ZONE}/cryptokeys/1", NEW_KEY, set()),
        ("PUT", f"{THE_ZONE}/cryptokeys/1", {"active": False}, set()),
        ("DELETE", f"{THE_ZONE}/cryptokeys/12", None, {DEPLOYER}),
        ("DELETE", f"{THE_ZONE}/cryptokeys", None, set()),
        ("GET", f"{THE_ZONE}/metadata", None, {DEPLOYER, RUNBOOKS, WATCHER}),
        ("GET", f"{THE_ZONE}/metadata?x=1", None, set()),
        ("GET", f"{THE_ZONE}/metadata/SOA-EDIT", None, set()),
        ("POST", f"{THE_ZONE}/metadata", {"kind": "PRESIGNED", "metadata": ["1"]}, set()),
        ("PUT", f"{THE_ZONE}/metadata/NSEC3PARAM", {"metadata": ["1 1 500 ab"]}, set()),
        ("DELETE", f"{THE_ZONE}/metadata/SOA-EDIT-API", None, set()),
        ("GET", f"{ZONES}/shopsphere.test", None, set()),
        ("GET", "/metrics", None, set()),
        ("GET", "/", None, set()),
        ("POST", ZONES, {"name": ZONE, "kind": "Native", "nameservers": [], "rrsets": []}, {DEPLOYER}),
        ("POST", ZONES, {"name": ZONE, "kind": "Slave", "masters": ["10.0.0.1"], "rrsets": []}, set()),
        ("POST", ZONES, {"name": ZONE, "kind": "Native", "masters": ["10.0.0.1"], "rrsets": []}, set()),
        ("PATCH", THE_ZONE, {"rrsets": [{"name": ZONE, "type": "CAA", "changetype": "DELETE"}]}, {DEPLOYER}),
        ("PATCH", THE_ZONE, {"rrsets": [{"name": ZONE, "comments": []}]}, set()),
        ("PATCH", THE_ZONE, {"rrsets": [{"name": ZONE, "records": [{"content": "a", "set-ptr": True}]}]}, set()),
        ("PATCH", THE_ZONE, {"rrsets": ["x"]}, set()),
        ("PATCH", THE_ZONE, {"rrsets": {}}, set()),
        ("PATCH", f"{THE_ZONE}?x=1", {"rrsets": []}, set()),
        ("PATCH", ZONES, {"rrsets": []}, set()),
        ("DELETE", THE_ZONE, None, {DEPLOYER}),
        ("DELETE", ZONES, None, set()),
        ("PUT", f"{THE_ZONE}/rectify", None, {DEPLOYER}),
        ("PUT", f"{THE_ZONE}/rectify", {"a": 1}, set()),
        ("GET", f"{THE_ZONE}/rectify", None, set()),
        ("PUT", THE_ZONE, {"kind": "Slave"}, set()),
    ],
)
def test_who_may_ask_an_authority(method: str, target: str, document: Any, allowed: set[str]) -> None:
    users = (DEPLOYER, RUNBOOKS, WATCHER, "", "door", "Deployer")
    found = {user for user in users if not dns_problem(asked(user, method, target, document), STATES)}
    assert found == allowed


@pytest.mark.parametrize(
    ("method", "target", "document", "allowed"),
    [
        ("GET", "/v1/distributions", None, {DEPLOYER, WATCHER}),
        ("GET", "/v1/distributions/static", None, {DEPLOYER, WATCHER}),
        ("GET", "/v1/cache", None, {DEPLOYER, WATCHER}),
        ("GET", "/v1/cache", {"a": 1}, set()),
        ("GET", "/", None, set()),
        ("GET", "/v1/cache?x=1", None, set()),
        ("PUT", "/v1/distributions/static", {"name": "static"}, {DEPLOYER}),
        ("PUT", "/v1/distributions/static", None, set()),
        ("PUT", "/v1/distributions", {"name": "static"}, set()),
        ("PUT", "/v1/cache", {"name": "static"}, set()),
        ("DELETE", "/v1/distributions/static", None, {DEPLOYER}),
        ("DELETE", "/v1/cache", None, set()),
        ("POST", "/v1/cache", None, {DEPLOYER}),
        ("POST", "/v1/distributions/static", None, set()),
        ("PATCH", "/v1/distributions/static", {"name": "static"}, set()),
    ],
)
def test_who_may_ask_the_cdn(method: str, target: str, document: Any, allowed: set[str]) -> None:
    users = (DEPLOYER, RUNBOOKS, WATCHER, "", "door")
    assert {user for user in users if not cdn_problem(asked(user, method, target, document))} == allowed


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("//evil/api", b""),
        ("api", b""),
        ("/api/%2e", b""),
        ("/api/zones/a.#/cryptokeys", b""),
        ("/api?a=1&a=2", b""),
        ("/api", b"{"),
        ("/api", b'{"a": 1, "a": 2}'),
        ("/api", b'{"a": {"b": 1, "b": 2}}'),
        ("/api", b"[" * 40_000),
        ("/api", b"\xff\xfe\x00"),
    ],
)
def test_what_has_no_one_meaning_is_not_read(target: str, body: bytes) -> None:
    with pytest.raises(UnreadableError):
        Asked.of(DEPLOYER, "PATCH", target, body)


def plan_in(folder: Path, secret: str = "x" * 32) -> DoorPlan:
    for name in ("secret", "key"):
        (folder / name).write_text(secret)
    service = Service.model_validate(
        {"kind": "dns", "address": "10.0.0.1", "port": 8081, "innerPort": 8091, "keyFile": str(folder / "key")}
    )
    return DoorPlan(
        rights_socket=folder / "door" / "rights.sock",
        front_user=pwd.getpwuid(os.getuid()).pw_name,
        secret_file=folder / "secret",
        refused_file=folder / "refused.txt",
        services={"ns1": service},
        states=(STATE,),
    )


def test_a_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    (tmp_path / "plan.json").write_text(plan.model_dump_json(by_alias=True))
    assert DoorPlan.read(tmp_path / "plan.json") == plan
    assert plan.declarations() == STATES
    with pytest.raises(DoorError):
        DoorPlan.read(tmp_path / "none.json")


def test_states_are_those_that_the_edge_declares() -> None:
    states = declared_states(load_topology())
    assert [each["pair"] for each in states] == ["rdc-a", "rdc-b", "rdc-c"]
    found = {each.name: each for each in map(PairDeclaration.of, states)}
    assert found[RDC_A.name] == RDC_A


@pytest.mark.requirement("an empty or short key opens nothing")
@pytest.mark.parametrize("secret", ["", "x" * 31])
def test_a_door_without_a_secret_does_not_start(tmp_path: Path, secret: str) -> None:
    plan = plan_in(tmp_path, secret)
    with pytest.raises(DoorError, match="at least 32"):
        haproxy_configuration(plan, tmp_path)
    with pytest.raises(DoorError, match="at least 32"):
        plan.services["ns1"].header()


def test_each_api_demands_a_certificate(tmp_path: Path) -> None:
    lines = [each.split() for each in haproxy_configuration(plan_in(tmp_path), tmp_path).splitlines() if "bind" in each]
    (bind,) = [each for each in lines if each[0] == "bind"]
    assert bind[1] == "10.0.0.1:8081"
    assert bind[2:] == ["ssl", "crt", f"{tmp_path}/door.crt", "ca-file", f"{tmp_path}/ca.crt", "verify", "required",
                        "alpn", "http/1.1"]  # fmt: skip
