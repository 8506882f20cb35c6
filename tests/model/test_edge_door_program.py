"""The program behind the door's TLS: whom it answers, which certificates it believes, and what it only tells."""

from __future__ import annotations

import json
import os
import pwd
import socket
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from edge_declaration import RDC_A, STATE, ZONE

from shopsphere.clients.edge_identity import DEPLOYER, RUNBOOKS, WATCHER
from shopsphere.clients.powerdns import MAY_WRITE
from shopsphere.edge_door.dns_rights import ZONES
from shopsphere.edge_door.front_socket import bound_socket, is_from, user_id
from shopsphere.edge_door.plan import DoorError, DoorPlan, Service
from shopsphere.edge_door.refused import RefusedListError, ensure_list, refuse, refused_serials
from shopsphere.edge_door.server import RightsServer
from shopsphere.names.pair_state import PairState

SECRET, KEY = "s" * 43, "k" * 43
GOOD = RDC_A.rrset(PairState(7, "dublin"))
CHANGE = {
    "rrsets": [
        {
            "name": GOOD.name,
            "type": "LUA",
            "ttl": GOOD.ttl,
            "changetype": "REPLACE",
            "records": [{"content": GOOD.records[0], "disabled": False}],
        }
    ]
}


class Api(BaseHTTPRequestHandler):
    """In place of an authority's own API; keeps what it was asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self._answer(200, b"[]")

    def do_PATCH(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(204, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(status)
        if body:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: Any) -> None:
        """Say nothing."""


class Line(HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, place: Path) -> None:
        super().__init__("door", timeout=10)
        self._place = str(place)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(self._place)


class Door:
    """A running program, and what the API behind it was asked for."""

    def __init__(self, server: RightsServer, plan: DoorPlan, asked: list[str]) -> None:
        self.server, self.plan, self.asked = server, plan, asked

    def ask(self, user: str, method: str, path: str, document: Any = None, *, serial: str = "1F") -> tuple[int, str]:
        line = Line(self.plan.rights_socket)
        headers = {"X-Edge-Secret": SECRET, "X-Edge-Api": "ns1", "X-Edge-User": user, "X-Edge-Serial": serial}
        try:
            line.request(method, path, None if document is None else json.dumps(document), headers)
            answer = line.getresponse()
            return answer.status, answer.read().decode()
        finally:
            line.close()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    asked: list[str] = []
    api = HTTPServer(("127.0.0.1", 0), type("OwnApi", (Api,), {"asked": asked}))
    for name, text in (("door.secret", SECRET), ("dns.key", KEY)):
        (tmp_path / name).write_text(text)
    service = {"kind": "dns", "address": "10.0.0.1", "port": 8081, "innerPort": api.server_port}
    plan = DoorPlan(
        rights_socket=tmp_path / "door" / "rights.sock",
        front_user=pwd.getpwuid(os.getuid()).pw_name,
        secret_file=tmp_path / "door.secret",
        refused_file=tmp_path / "refused.txt",
        services={"ns1": Service.model_validate({**service, "keyFile": str(tmp_path / "dns.key")})},
        states=(STATE,),
    )
    ensure_list(plan.refused_file)
    server = RightsServer(plan)
    for each in (api, server):
        threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield Door(server, plan, asked)
    for each in (server, api):
        each.shutdown()
        each.server_close()


@pytest.mark.requirement("no other user of the host answers for the program that knows rights, or asks it")
def test_the_socket_is_the_front_program_s_alone(door: Door) -> None:
    place = door.plan.rights_socket
    assert (stat.S_IMODE(place.parent.stat().st_mode), stat.S_IMODE(place.stat().st_mode)) == (0o710, 0o660)
    assert door.ask(WATCHER, "GET", ZONES) == (200, "[]")
    door.server.front = replace(door.server.front, uid=os.getuid() + 1)
    with pytest.raises((OSError, HTTPException)):
        door.ask(WATCHER, "GET", ZONES)
    assert door.asked == [f"GET {ZONES}"]


def test_who_is_at_the_other_end_is_told_by_the_kernel() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert is_from(one, os.getuid())
        assert not is_from(one, os.getuid() + 1)


def test_a_former_socket_is_replaced_and_a_missing_user_is_named(tmp_path: Path) -> None:
    front, place = user_id(pwd.getpwuid(os.getuid()).pw_name), tmp_path / "own" / "rights.sock"
    bound_socket(place, front).close()
    bound_socket(place, front).close()
    with pytest.raises(DoorError, match="frontUser"):
        user_id("nobody-of-this-host")
    (tmp_path / "file").write_text("")
    with pytest.raises(DoorError, match="rightsSocket"):
        bound_socket(tmp_path / "file" / "rights.sock", front)


@pytest.mark.requirement("a certificate that was stolen opens nothing as soon as it is in the list")
def test_a_refused_certificate(door: Door) -> None:
    assert door.ask(DEPLOYER, "GET", ZONES, serial="00AB1F")[0] == 200
    refuse(door.plan.refused_file, "ab:1f", "laptop lost\nin a train")
    status, said = door.ask(DEPLOYER, "GET", ZONES, serial="00AB1F")
    assert (status, json.loads(said)["error"]) == (403, "certificate ab1f is refused")
    assert door.ask(DEPLOYER, "GET", ZONES, serial="AB1E")[0] == 200
    refuse(door.plan.refused_file, "AB1F", "once more")
    assert door.plan.refused_file.read_text().splitlines()[1:] == ["ab1f  # laptop lost in a train"]


@pytest.mark.requirement("a list of refused certificates that cannot be read may have any: none opens anything")
@pytest.mark.parametrize("text", ["ab1f\nthe one of Eve\n", None, "ab\n" * 100_000])
def test_a_list_that_cannot_be_read(door: Door, text: str | None) -> None:
    if text is None:
        door.plan.refused_file.unlink()
    else:
        door.plan.refused_file.write_text(text)
    assert door.ask(RUNBOOKS, "GET", ZONES)[0] == 503
    with pytest.raises(RefusedListError):
        RightsServer(door.plan)
    assert door.asked == []


def test_a_request_without_a_serial_number_is_refused(door: Door) -> None:
    assert door.ask(RUNBOOKS, "GET", ZONES, serial="")[0] == 503
    assert door.asked == []


def test_a_list_is_read_as_people_write_it(tmp_path: Path) -> None:
    file = tmp_path / "list"
    file.write_text("# stolen\n\n00:AB:1F # Eve's\n0\n  c0ffee\t# spaces\n")
    assert refused_serials(file) == {"ab1f", "0", "c0ffee"}


@pytest.mark.requirement("whether runbooks may write a record can be asked, by whoever may read, and changes nothing")
@pytest.mark.parametrize("user", [RUNBOOKS, WATCHER, DEPLOYER])
def test_a_question_about_a_write(door: Door, user: str) -> None:
    place = f"{MAY_WRITE}{ZONES}/{ZONE}"
    assert door.ask(user, "PATCH", place, CHANGE) == (204, "")
    other = json.loads(json.dumps(CHANGE).replace("10.99.0.12", "10.99.0.21"))
    status, said = door.ask(user, "PATCH", place, other)
    assert (status, json.loads(said)["error"]) == (
        403,
        f"{user} expected a state of pair rdc-a as it is declared",
    )
    assert door.ask("door", "PATCH", place, CHANGE)[0] == 403
    for method in ("GET", "DELETE"):
        assert door.ask(user, method, place)[0] == 403
    assert door.asked == [], "nothing of it reaches the API"


def test_what_a_question_would_be_allowed_still_needs_the_right_itself(door: Door) -> None:
    assert door.ask(WATCHER, "PATCH", f"{ZONES}/{ZONE}", CHANGE)[0] == 403
    assert door.asked == []
    assert door.ask(RUNBOOKS, "PATCH", f"{ZONES}/{ZONE}", CHANGE)[0] == 204
    assert door.asked == [f"PATCH {ZONES}/{ZONE}"]
