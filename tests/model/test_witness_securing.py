"""Setting users and rights of a witness: in an order that shuts nobody out, also while a voter goes away."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from shopsphere.topology import load_topology
from shopsphere.witness.gateway import WitnessRefusedError
from shopsphere.witness.identity import Identity
from shopsphere.witness.keys import make_keys
from shopsphere.witness.securing import Administrator
from shopsphere.witness.store import Store, encoded
from shopsphere.witness.users import ROOT, WATCHER, users_of

URLS = [f"https://10.97.0.{number}:2379" for number in (1, 2, 3)]
USERS = {WATCHER: users_of(load_topology().pair("rdc-a"))[WATCHER]}
START, END = encoded("/shopsphere/rdc-a/"), encoded("/shopsphere/rdc-a0")


class FakeEtcd(httpx.BaseTransport):
    """Three voters with one list of users and rights, as far as securing a witness asks for them.

    Attributes:
        passwords: of each user.
        rights: kind by key and end of its range, of each role.
        enabled: whether nobody gets in without a user.
        away: voters, each with the path at which it goes away.
        done: paths of changes, in order.
    """

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.rights: dict[str, dict[tuple[str, str], str]] = {}
        self.roles: dict[str, list[str]] = {}
        self.enabled = False
        self.away: dict[str, str] = {}
        self.done: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content or b"{}")
        if self.away.get(request.url.host) == path:
            raise httpx.ConnectError("refused")
        if path in {"/health", "/metrics"}:
            return httpx.Response(200, json={"health": "true"})
        answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "/v3/auth/user/list": lambda _: {"users": list(self.passwords)},
            "/v3/auth/role/list": lambda _: {"roles": list(self.rights)},
            "/v3/auth/user/get": lambda asked: {"roles": self.roles.get(asked["name"], [])},
            "/v3/auth/role/get": lambda asked: {"perm": self.permissions(asked["role"])},
            "/v3/auth/status": lambda _: {"enabled": self.enabled},
            "/v3/auth/authenticate": self.authenticated,
            "/v3/kv/range": lambda _: {"header": {"revision": "9"}},
            "/v3/maintenance/alarm": lambda _: {},
        }
        if path in answers:
            answer = answers[path](body)
            return httpx.Response(400 if "code" in answer else 200, json=answer)
        self.done.append(path.removeprefix("/v3/auth/"))
        self.change(path, body)
        return httpx.Response(200, json={})

    def permissions(self, role: str) -> list[dict[str, str]]:
        found = self.rights.get(role, {}).items()
        return [{"permType": kind, "key": key, "range_end": end} for (key, end), kind in found]

    def authenticated(self, asked: dict[str, Any]) -> dict[str, Any]:
        if not self.enabled:
            return {"code": 9, "message": "etcdserver: authentication is not enabled"}
        if self.passwords.get(asked["name"]) == asked["password"]:
            return {"token": "token"}
        return {"code": 3, "message": "etcdserver: authentication failed, invalid user ID or password"}

    def change(self, path: str, body: dict[str, Any]) -> None:
        if path in {"/v3/auth/user/add", "/v3/auth/user/changepw"}:
            self.passwords[body["name"]] = body["password"]
        elif path == "/v3/auth/role/grant":
            permission = body["perm"]
            key = (permission["key"], permission.get("range_end", ""))
            self.rights.setdefault(body["name"], {})[key] = permission["permType"]
        elif path == "/v3/auth/role/revoke":
            del self.rights[body["role"]][body["key"], body.get("range_end", "")]
        elif path == "/v3/auth/enable":
            self.enabled = True


@pytest.fixture
def etcd() -> FakeEtcd:
    return FakeEtcd()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_keys(tmp_path, "rdc-a", {}, (ROOT, WATCHER))
    return tmp_path


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def administrator(etcd: FakeEtcd, keys: Path, told: list[str]) -> Administrator:
    return Administrator(Store(URLS, Identity(keys, ROOT), transport=etcd), told.append)


def secure(administrator: Administrator, keys: Path) -> None:
    administrator.secure(USERS, lambda user: Identity(keys, user))


@pytest.mark.requirement("a witness is not shut before the password of root is the one that is kept")
def test_the_password_of_root_comes_first(etcd: FakeEtcd, administrator: Administrator, keys: Path) -> None:
    etcd.passwords[ROOT] = "of somebody who began before"
    secure(administrator, keys)
    assert etcd.passwords[ROOT] == Identity(keys, ROOT).password()
    assert etcd.done.index("user/changepw") < etcd.done.index("enable")
    assert etcd.enabled


@pytest.mark.requirement("a password that is missing is found before anything is changed")
def test_a_missing_password(etcd: FakeEtcd, administrator: Administrator, keys: Path) -> None:
    (keys / "watcher.password").write_text("\n")
    with pytest.raises(Exception, match=r"the keys of watcher .* cannot be used"):
        secure(administrator, keys)
    assert etcd.done == []


@pytest.mark.requirement("whoever has a right keeps it while rights are set anew")
def test_rights_are_given_before_others_are_taken(
    etcd: FakeEtcd, administrator: Administrator, keys: Path, told: list[str]
) -> None:
    etcd.rights[WATCHER] = {(encoded("/shopsphere/rdc-a/record"), ""): "READ"}
    secure(administrator, keys)
    assert etcd.rights[WATCHER] == {(START, END): "READ"}
    assert etcd.done.index("role/grant") < etcd.done.index("role/revoke")
    assert "role watcher: a right to READ taken away" in told


@pytest.mark.requirement("a right that is another one now is not taken away whole")
def test_a_right_is_made_smaller(etcd: FakeEtcd, administrator: Administrator, keys: Path, told: list[str]) -> None:
    etcd.rights[WATCHER] = {(START, END): "READWRITE"}
    secure(administrator, keys)
    assert etcd.rights[WATCHER] == {(START, END): "READ"}
    assert "role watcher: a right to READWRITE taken away" in told


@pytest.mark.requirement("one voter that goes away does not end the setting of users")
def test_a_voter_goes_away_while_passwords_are_tried(
    etcd: FakeEtcd, administrator: Administrator, keys: Path, told: list[str]
) -> None:
    secure(administrator, keys)
    etcd.passwords[WATCHER] = "old"
    etcd.away["10.97.0.1"] = "/v3/auth/authenticate"
    told.clear()
    secure(administrator, keys)
    assert told == ["user watcher: password changed"]
    assert etcd.passwords[WATCHER] == Identity(keys, WATCHER).password()


@pytest.mark.requirement("one voter that goes away does not keep the others from being cleaned up, and is told")
def test_a_voter_goes_away_while_it_is_cleaned_up(
    etcd: FakeEtcd, administrator: Administrator, keys: Path, told: list[str]
) -> None:
    secure(administrator, keys)
    etcd.away["10.97.0.1"] = "/v3/maintenance/defragment"
    told.clear()
    with pytest.raises(WitnessRefusedError, match=r"10\.97\.0\.1:2379: ConnectError"):
        administrator.tend()
    assert told == [f"{url}: cleaned up" for url in URLS[1:]]
