"""The door in front of the edge's APIs: who gets in, what each user may ask for, and how much anybody may take."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from edge_dig import ask
from edge_host import LOOPBACK, EdgeHost
from present import present

from components.edge.global_dns import GlobalDnsModel
from shopsphere.clients import powerdns
from shopsphere.clients.cdn_agent import CACHE
from shopsphere.clients.edge_ends import ends_shown
from shopsphere.clients.edge_errors import ServiceError
from shopsphere.clients.edge_identity import DEPLOYER, RUNBOOKS, USERS, WATCHER, EdgeIdentity
from shopsphere.clients.powerdns import RRset
from shopsphere.edge_door.keys import DOOR, make_edge_keys
from shopsphere.edge_door.plan import LARGEST_BODY
from shopsphere.edge_door.refused import REFUSED_FILE, refuse
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.trust import mutual_trust
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.state_record import write_record

ZONES = "/api/v1/servers/localhost/zones"
ZONE = "shopsphere.test."
DUBLIN = "10.99.0.12"
Request = Callable[..., httpx.Response]


@pytest.fixture
def request_of(edge: EdgeHost, zone: GlobalDnsModel) -> Request:
    """Send a request to the API of ns1, or to another, as a user."""

    def send(user: str, method: str, path: str, document: Any = None, *, url: str = "", **more: Any) -> httpx.Response:
        trust = edge.identity(user).context()
        place = (url or edge.dns_api("ns1")) + path
        return httpx.request(method, place, json=document, verify=trust, trust_env=False, timeout=20, **more)

    return send


@pytest.fixture
def unchanged(edge: EdgeHost, zone: GlobalDnsModel) -> Iterator[None]:
    """Nothing that is served differs afterwards, asked without the door."""
    before = _served(edge)
    yield
    assert _served(edge) == before


def _served(edge: EdgeHost) -> Any:
    key = str(edge.settings.dns_api_key_file)
    server = powerdns.connect_inside("ns1", f"http://{LOOPBACK}:{edge.settings.inner_port('ns1')}", key)
    return server.serials(), server.rrsets(ZONE)


def _said(edge: EdgeHost, name: str) -> str:
    return (edge.log / f"{name}.log").read_text()


def _replaced(record: RRset) -> dict[str, Any]:
    contents = [{"content": each, "disabled": False} for each in record.records]
    change = {"name": record.name, "type": record.type, "ttl": record.ttl, "changetype": "REPLACE", "records": contents}
    return {"rrsets": [change]}


def _raw(edge: EdgeHost, trust: ssl.SSLContext) -> ssl.SSLSocket:
    address = edge.settings.authorities["ns1"]
    line = socket.create_connection((address, edge.settings.dns_api_port), timeout=20)
    return trust.wrap_socket(line, server_hostname=address)


@pytest.mark.requirement("who shows no certificate of the edge's authority is told nothing, and is logged")
@pytest.mark.usefixtures("unchanged")
def test_without_a_certificate(edge: EdgeHost, tmp_path: Path) -> None:
    own = edge.identity(DEPLOYER)
    make_edge_keys(tmp_path, ["10.99.0.53"])
    foreign = EdgeIdentity(tmp_path, DEPLOYER)
    contexts = [
        ssl.create_default_context(cafile=own.files[0]),
        mutual_trust(own.files[0], *foreign.files[1:]),
    ]
    for url in (edge.dns_api("ns1"), edge.dns_api("ns2"), edge.cdn_api):
        for trust in contexts:
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{url}{ZONES}", verify=trust, trust_env=False, timeout=10)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{url.replace('https', 'http')}{ZONES}", trust_env=False, timeout=10)
    wait_until(lambda: _said(edge, "edge-door").count("refused from=") >= 6, what="six refusals in the log", seconds=60)


@pytest.mark.requirement("a client believes only the edge's own authority")
def test_another_server_is_not_believed(edge: EdgeHost, zone: GlobalDnsModel, tmp_path: Path) -> None:
    make_edge_keys(tmp_path, ["10.99.0.53"])
    with pytest.raises(ServiceError, match="CERTIFICATE_VERIFY_FAILED"):
        powerdns.connect_to([("ns1", edge.dns_api("ns1"))], EdgeIdentity(tmp_path, WATCHER))[0].serials()


@pytest.mark.requirement(
    "pages, statistics, configuration and private keys are reached by no user from outside, metadata changed by none"
)
@pytest.mark.usefixtures("unchanged")
def test_the_rest_of_the_api_is_closed(edge: EdgeHost, request_of: Request) -> None:
    paths = ("/", "/metrics", "/api", "/api/docs", "/api/v1/servers", "/api/v1/servers/localhost/statistics",
             "/api/v1/servers/localhost/config", "/api/v1/servers/localhost/tsigkeys", f"{ZONES}/{ZONE}/cryptokeys/1",
             f"{ZONES}/{ZONE}/metadata/SOA-EDIT", f"{ZONES}/{ZONE}/export", f"{ZONES}/%2e%2e/config",
             f"{ZONES}/../config", f"{ZONES}?dnssec=true")  # fmt: skip
    for user in USERS:
        found = {path: request_of(user, "GET", path).status_code for path in paths}
        assert set(found.values()) <= {400, 403}, found
        metadata = {"kind": "ALLOW-AXFR-FROM", "metadata": ["0.0.0.0/0"]}
        assert request_of(user, "POST", f"{ZONES}/{ZONE}/metadata", metadata).status_code == 403
        known = request_of(user, "GET", f"{ZONES}/{ZONE}/metadata").json()
        assert {each["kind"]: each["metadata"] for each in known} == {"SOA-EDIT-API": ["INCREASE"]}, "it is only read"
        assert request_of(user, "PUT", f"{ZONES}/{ZONE}", {"kind": "Slave", "masters": ["10.0.0.1"]}).status_code == 403
        held = request_of(user, "GET", f"{ZONES}/{ZONE}/cryptokeys")
        assert held.status_code == 200
        assert [set(each) & {"privatekey", "content"} for each in held.json()] == [set()], "one key, its public half"
    for user in (RUNBOOKS, WATCHER):
        key = {"keytype": "csk", "active": True, "published": True, "content": "Private-key-format: v1.2"}
        assert request_of(user, "POST", f"{ZONES}/{ZONE}/cryptokeys", key).status_code == 403
        assert request_of(user, "DELETE", f"{ZONES}/{ZONE}/cryptokeys/1").status_code == 403
        assert request_of(user, "PUT", f"{ZONES}/{ZONE}/rectify").status_code == 403
    for address in (*edge.settings.authorities.values(), edge.settings.cdn):
        for port in (*map(edge.settings.inner_port, edge.settings.authorities), edge.settings.cdn_inner_port):
            with socket.socket() as probe:
                assert probe.connect_ex((address, port)) != 0, f"{address}:{port} is to be on loopback alone"


@pytest.mark.requirement("runbooks turn a pair's state record, which turns its names")
def test_runbooks_write_states(
    edge: EdgeHost, authorities: list[powerdns.DnsAuthority], declaration: Callable[[str], PairDeclaration]
) -> None:
    servers = [(name, edge.dns_api(name)) for name in edge.settings.authorities]
    theirs, pair = powerdns.connect_to(servers, edge.identity(RUNBOOKS)), declaration("rdc-a")
    before = present(pair.valid(authorities[0].rrset(ZONE, pair.name, "LUA")))
    for state in (PairState(before.epoch, before.active, leaving=True), PairState(before.epoch + 1, "dublin")):
        write_record(theirs, pair, state)
    assert ask("rdc-a.shopsphere.test", at="10.99.0.54").addresses == [DUBLIN]
    write_record(theirs, pair, before)
    assert f"user='{RUNBOOKS}' from=" in _said(edge, "edge-rights")
    assert "api=ns2 changed PATCH" in _said(edge, "edge-rights")


@pytest.mark.requirement("runbooks change nothing but states of pairs as they are declared; who tries is logged")
@pytest.mark.usefixtures("unchanged")
def test_runbooks_write_nothing_else(
    edge: EdgeHost, request_of: Request, declaration: Callable[[str], PairDeclaration]
) -> None:
    pair = declaration("rdc-a")
    good = pair.rrset(PairState(7, "dublin"))
    elsewhere = good.records[0].replace("10.99.0.12", "10.66.0.66")
    runs_code = good.records[0][:-1] + ' os.execute(1)"'
    refused = {
        "www": _replaced(RRset("www.shopsphere.test.", "LUA", 5, ('A "return \'10.66.0.66\'"',))),
        "www as A": _replaced(RRset("www.shopsphere.test.", "A", 5, ("10.66.0.66",))),
        "caa": _replaced(RRset(ZONE, "CAA", 5, ('0 issue "mallory.example"',))),
        "other address": _replaced(RRset(good.name, "LUA", good.ttl, (elsewhere,))),
        "code": _replaced(RRset(good.name, "LUA", good.ttl, (runs_code,))),
        "second record": _replaced(RRset(good.name, "LUA", good.ttl, (*good.records, 'A "return {}"'))),
        "text": _replaced(RRset(good.name, "TXT", good.ttl, ('"x"',))),
        "long life": _replaced(RRset(good.name, "LUA", 86400, good.records)),
        "new state": _replaced(RRset("state.rdc-x.shopsphere.test.", "LUA", good.ttl, good.records)),
        "two at once": {"rrsets": [*_replaced(good)["rrsets"], *_replaced(RRset(ZONE, "TXT", 5, ('"x"',)))["rrsets"]]},
        "removal": {"rrsets": [{"name": good.name, "type": "LUA", "changetype": "DELETE"}]},
        "epoch of long ago": _replaced(RRset(good.name, "LUA", good.ttl, (good.records[0].replace("=7", "=0"),))),
        "beside it": {**_replaced(good), "kind": "Slave"},
    }  # fmt: skip
    found = {name: request_of(RUNBOOKS, "PATCH", f"{ZONES}/{ZONE}", each).status_code for name, each in refused.items()}
    assert found == dict.fromkeys(refused, 403)
    assert request_of(RUNBOOKS, "PATCH", f"{ZONES}/other.test.", _replaced(good)).status_code == 403
    assert request_of(RUNBOOKS, "DELETE", f"{ZONES}/{ZONE}").status_code == 403
    new = {"name": "pay.shopsphere.test.", "kind": "Native", "rrsets": []}
    assert request_of(RUNBOOKS, "POST", ZONES, new).status_code == 403
    twice = '{"rrsets": [], "rrsets": ' + json.dumps(refused["www"]["rrsets"]) + "}"
    headers = {"Content-Type": "application/json"}
    answer = request_of(RUNBOOKS, "PATCH", f"{ZONES}/{ZONE}", content=twice, headers=headers)
    assert (answer.status_code, "twice" in answer.text) == (400, True)
    said = _said(edge, "edge-rights")
    assert re.search(rf"user='{RUNBOOKS}' from=10\.99\.\S+ api=ns1 refused with 403", said)
    assert "states of pairs alone, not 'www.shopsphere.test.'" in said


@pytest.mark.requirement("a watcher reads, and changes nothing; the door's own certificate is no user's")
@pytest.mark.usefixtures("unchanged")
def test_watchers_only_read(edge: EdgeHost, request_of: Request, declaration: Callable[[str], PairDeclaration]) -> None:
    state = _replaced(declaration("rdc-a").rrset(PairState(7, "dublin")))
    assert request_of(WATCHER, "GET", f"{ZONES}/{ZONE}").status_code == 200
    assert request_of(WATCHER, "PATCH", f"{ZONES}/{ZONE}", state).status_code == 403
    assert request_of(WATCHER, "DELETE", f"{ZONES}/{ZONE}").status_code == 403
    assert request_of(DOOR, "GET", f"{ZONES}/{ZONE}").status_code == 403
    names = {"X-Edge-User": DEPLOYER, "X-Edge-Secret": "x" * 43, "X-API-Key": "x"}
    assert request_of(WATCHER, "PATCH", f"{ZONES}/{ZONE}", state, headers=names).status_code == 403


@pytest.mark.requirement("the CDN's API is a deployer's, who is known by a certificate; a watcher reads it")
def test_users_of_the_cdn(edge: EdgeHost, request_of: Request) -> None:
    def status(user: str, method: str, path: str, document: Any = None) -> int:
        return request_of(user, method, path, document, url=edge.cdn_api).status_code

    assert {user: status(user, "GET", CACHE) for user in USERS} == {DEPLOYER: 200, RUNBOOKS: 403, WATCHER: 200}
    for user in (RUNBOOKS, WATCHER):
        assert status(user, "POST", CACHE) == 403
        assert status(user, "PUT", "/v1/distributions/static", {"name": "static"}) == 403
        assert status(user, "DELETE", "/v1/distributions/static") == 403
    assert status(DEPLOYER, "PUT", "/v1/distributions/static", {"name": "static"}) == 422, "the CDN's own judgement"
    assert status(DEPLOYER, "DELETE", "/v1/distributions/none") == 404


@pytest.mark.requirement("a body that is too large, or of a size that nobody knows, is not read")
@pytest.mark.usefixtures("unchanged")
def test_a_large_body(edge: EdgeHost, request_of: Request) -> None:
    body = json.dumps(_replaced(RRset(ZONE, "TXT", 5, ('"' + "x" * LARGEST_BODY + '"',))))
    assert request_of(DEPLOYER, "PATCH", f"{ZONES}/{ZONE}", content=body).status_code == 413
    parts = iter([b'{"rrsets": ', b"[]}"])
    assert request_of(DEPLOYER, "PATCH", f"{ZONES}/{ZONE}", content=parts).status_code == 400


@pytest.mark.requirement("who sends slowly, or nothing, is cut off, and nobody waits for it")
def test_slow_connections(edge: EdgeHost, request_of: Request) -> None:
    trust = edge.identity(WATCHER).context()
    address = (edge.settings.authorities["ns1"], edge.settings.dns_api_port)
    head = f"PATCH {ZONES}/{ZONE} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
    with ExitStack() as stack:
        mute = [stack.enter_context(socket.create_connection(address, timeout=20)) for _ in range(8)]
        slow = [stack.enter_context(_raw(edge, trust)) for _ in range(8)]
        bodies = [stack.enter_context(_raw(edge, trust)) for _ in range(8)]
        for each in bodies:
            _send(each, f"{head}\r\n{{".encode())

        def all_are_over() -> bool:
            for each in slow:  # a byte each second, as somebody does who wants to keep a place for ever
                _send(each, b"G")
            assert request_of(WATCHER, "GET", f"{ZONES}/{ZONE}").status_code == 200
            return all(_is_over(each) for each in (*mute, *slow, *bodies))

        wait_until(all_are_over, what="the end of all of them", seconds=90, interval=1)


def _send(line: ssl.SSLSocket, octets: bytes) -> None:
    with suppress(OSError):  # cut off already
        line.sendall(octets)


def _is_over(line: socket.socket) -> bool:
    line.settimeout(0.05)
    try:
        while line.recv(4096):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


@pytest.mark.requirement("one address takes some of the places, not all")
def test_many_connections(edge: EdgeHost, request_of: Request) -> None:
    address = (edge.settings.authorities["ns1"], edge.settings.dns_api_port)
    with ExitStack() as stack:
        lines = []
        for _ in range(60):
            with suppress(ConnectionError):  # refused before we know that it is open
                lines.append(stack.enter_context(socket.create_connection(address, timeout=5)))
        wait_until(
            lambda: sum(not _is_refused(each) for each in lines) <= 32, what="the others to be refused", seconds=60
        )
        url = edge.dns_api("ns2")
        assert request_of(WATCHER, "GET", f"{ZONES}/{ZONE}", url=url).status_code == 200, "the other API is as free"

    def is_free() -> bool:
        with suppress(httpx.TransportError):
            return request_of(WATCHER, "GET", f"{ZONES}/{ZONE}").status_code == 200
        return False

    wait_until(is_free, what="the places to be free again", seconds=60, interval=0.1)


def _is_refused(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.requirement("an authority that is away behind its door is said at once, and not asked again and again")
def test_an_authority_is_away(edge: EdgeHost, zone: GlobalDnsModel) -> None:
    (server,) = powerdns.connect_to([("ns2", edge.dns_api("ns2"))], edge.identity(RUNBOOKS))
    said, words = len(_said(edge, "edge-rights")), "ns2 does not answer behind its door"
    edge.kill("dns-ns2")
    try:
        with pytest.raises(ServiceError, match=words):
            server.serials()
        assert _said(edge, "edge-rights")[said:].count(words) == 1, "it was asked once"
    finally:
        edge.restart_authority("ns2")


@pytest.mark.requirement("a certificate in the door's list opens nothing from that moment on, though it has not ended")
@pytest.mark.usefixtures("unchanged")
def test_a_refused_certificate(edge: EdgeHost, request_of: Request) -> None:
    stolen = x509.load_pem_x509_certificate(edge.identity(WATCHER).files[1].read_bytes())
    refused = edge.settings.disk / "door" / REFUSED_FILE
    assert request_of(WATCHER, "GET", ZONES).status_code == 200
    before = refused.read_text()
    try:
        refuse(refused, f"{stolen.serial_number:x}", "stolen")
        for url in (edge.dns_api("ns1"), edge.dns_api("ns2"), edge.cdn_api):
            assert request_of(WATCHER, "GET", ZONES, url=url).status_code == 403
        assert request_of(RUNBOOKS, "GET", ZONES).status_code == 200
        # As numbers: the log has whole bytes, so one in sixteen has a zero in front.
        said = re.findall(r"certificate=([0-9a-fA-F]+)", _said(edge, "edge-rights"))
        assert stolen.serial_number in {int(each, 16) for each in said}
    finally:
        refused.write_text(before)


@pytest.mark.requirement("whether a failover may write its records is asked of the door, which writes nothing")
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("user", [RUNBOOKS, WATCHER])
def test_a_question_about_a_write(edge: EdgeHost, declaration: Callable[[str], PairDeclaration], user: str) -> None:
    (server,) = powerdns.connect_to([("ns1", edge.dns_api("ns1"))], edge.identity(user))
    pair = declaration("rdc-a")
    good = pair.rrset(PairState(7, "dublin"))
    server.require_writable(ZONE, good)
    moved_away = replace(pair, addresses={**pair.addresses, "dublin": "10.99.0.99"})  # the door's plan is of before
    with pytest.raises(ServiceError, match="expected a state of pair rdc-a as it is declared"):
        server.require_writable(ZONE, moved_away.rrset(PairState(7, "dublin")))
    inside = powerdns.connect_inside(
        "ns1", f"http://{LOOPBACK}:{edge.settings.inner_port('ns1')}", str(edge.settings.dns_api_key_file)
    )
    with pytest.raises(ServiceError, match="does not say whether"):
        inside.require_writable(ZONE, good)


@pytest.mark.requirement("no other user of the host reaches the program that knows rights")
def test_another_user_of_the_host(edge: EdgeHost) -> None:
    ask = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    place = str(edge.settings.rights_socket)
    for user, may in (("nobody", False), ("haproxy", True)):
        done = subprocess.run(
            ["/usr/bin/python3", "-c", ask, place], user=user, group=user if may else "nogroup", extra_groups=[],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        assert (done.returncode == 0) is may, done.stderr


@pytest.mark.requirement("when the certificates of the edge end is seen at its doors")
def test_ends_that_doors_show(edge: EdgeHost) -> None:
    urls = {"ns1": edge.dns_api("ns1"), "the CDN": edge.cdn_api, "away": "https://10.99.0.53:1"}
    shown = ends_shown(urls, edge.identity(WATCHER), 30)
    end = x509.load_pem_x509_certificate((edge.settings.edge_keys / "door.crt").read_bytes()).not_valid_after_utc
    assert shown == {"door of ns1": end, "door of the CDN": end}


@pytest.mark.requirement("the key of an authority is on its own host alone")
def test_the_key_stays_inside(edge: EdgeHost) -> None:
    key = edge.settings.dns_api_key_file
    assert key.stat().st_mode & 0o077 == 0
    assert key.read_text().strip() not in "".join(
        each.read_text() for each in edge.settings.edge_keys.rglob("*") if each.is_file()
    )
    for name in ("edge-door", "edge-rights"):
        assert key.read_text().strip() not in _said(edge, name)
