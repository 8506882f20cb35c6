"""Nothing of a planted customer is outside its jurisdiction; and when it is, in twelve ways, each is found."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab_access import At, Lab, Sql

from lab.cluster.addons import kubectl
from lab.edge.components import lab_settings
from lab.paths import witness_keys_folder
from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity
from shopsphere.clients.powerdns import RRset, connect_to
from shopsphere.estate.paths import records_directory, state_directory
from shopsphere.estate.stack import Environment
from shopsphere.estate.witness_seats import client_url
from shopsphere.foundation.files import write_whole
from shopsphere.residency.tokens import Planting, recall
from shopsphere.topology import Topology
from shopsphere.witness.identity import Identity
from shopsphere.witness.store import Store
from shopsphere.witness.users import ROOT

pytestmark = [
    pytest.mark.full,
    pytest.mark.requirement("on the running lab there is no leak; of twelve planted leaks, twelve are found"),
]

PROVE_SECONDS = 2400
WITNESS_KEY = b"/shopsphere-residency/planted-leak"
LINK = """
import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(sys.argv[1].encode(), ("10.99.0.21", 9))
"""


def prove(lab: Lab) -> dict[str, Any]:
    done = lab("residency", "prove", "--json", check=False, seconds=PROVE_SECONDS)
    assert done.code in {0, 4, 7}, done.stderr
    evidence: dict[str, Any] = json.loads(done.stdout)["evidence"]
    assert done.code == {"clean": 0, "not proven": 4, "leak": 7}[evidence["verdict"]]
    return evidence


def leaks(evidence: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (place["at"], place["place"], leak["token"], leak["form"])
        for place in evidence["places"]
        for leak in place["leaks"]
    ]


@pytest.fixture(scope="module")
def planted(lab: Lab) -> Planting:
    """Customers of this module alone: what earlier runs have left in logs does not count."""
    lab("residency", "plant", seconds=300)
    return recall(records_directory(Environment.LAB).parent / "residency/tokens.json")


def running(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    """Leave out the sites of regions that this lab does not run."""
    return [each for each in evidence["places"] if not any("is off" in problem for problem in each["problems"])]


def test_before_anything_leaks_all_is_clean(lab: Lab, planted: Planting) -> None:
    evidence = prove(lab)
    assert leaks(evidence) == []
    assert {(each["at"], each["place"]): each["problems"] for each in running(evidence) if each["problems"]} == {}
    assert all(each["control"] > 0 for each in running(evidence))
    kinds = {each["kind"] for each in running(evidence)}
    assert kinds == {"links", "database", "objects", "etcd", "files", "log", "DNS", "cache"}
    assert evidence["orders"] > 0
    assert not any(token.value in json.dumps(evidence) for token in planted.tokens)


@contextmanager
def file_at(at: At, host: str, path: str, octets: bytes) -> Iterator[None]:
    """Let a host have a file for a while."""
    encoded = base64.b32encode(octets).decode()  # no form that is looked for
    at(host, "sh", "-c", f"mkdir -p {Path(path).parent} && echo {encoded} | base32 -d > {path}")
    try:
        yield
    finally:
        at(host, "rm", "-f", path)


@contextmanager
def undone(do: Callable[[], object], undo: Callable[[], object]) -> Iterator[None]:
    do()
    try:
        yield
    finally:
        undo()


@contextmanager
def on_the_link(at: At, word: str) -> Iterator[None]:
    """Let Frankfurt send a word to Ashburn, again and again."""
    over = threading.Event()

    def send() -> None:
        while not over.wait(2):
            at("frankfurt", "python3", "-c", LINK, word, check=False)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join(60)


@pytest.mark.long
def test_twelve_leaks_of_different_kinds_are_found(
    lab: Lab, at: At, sql: Sql, planted: Planting, topology: Topology
) -> None:
    eu = {each.name: each.value for each in planted.of("eu")}
    us = {each.name: each.value for each in planted.of("us")}
    settings = lab_settings()
    url = f"https://{settings.authorities['ns1']}:{settings.dns_api_port}"
    (authority,) = connect_to([("ns1", url)], EdgeIdentity(settings.edge_keys, DEPLOYER))
    zone, name = f"{topology.domain}.", f"residency-probe.{topology.domain}."
    record = RRset(name, "TXT", 5, (f'"{eu["eu/street"].encode().hex()}"',))
    keys = Identity(witness_keys_folder("rdc-a"), ROOT)
    witness = Store([client_url(topology.pair("rdc-a"), "ashburn", topology)], keys, seconds=5)
    quoted = "".join(f"={byte:02X}" for byte in us["us/name"].encode())
    key = {"key": base64.b64encode(WITNESS_KEY).decode()}
    md5 = hashlib.md5(eu["eu/email"].encode(), usedforsecurity=False).hexdigest()
    escaped = "".join(f"%{byte:02X}" for byte in eu["eu/city"].encode())
    records = records_directory(Environment.LAB) / "residency-probe.jsonl"
    state = state_directory("us") / "residency-probe.json"
    config, secret = ("configmap", "residency-probe"), ("secret", "generic", "residency-probe")
    system = ("-n", "kube-system")
    cached = f"https://{topology.static_host}/static/{us['us/street']}.css"

    expected = {
        ("ashburn", "database commerce", "eu/name", "UTF-8"),
        ("chicago", "database ledger", "eu/email", "MD5, hexadecimal"),
        ("ashburn", "objects of the cluster", "eu/city", "percent-encoded, every letter"),
        ("chicago", "keys of the cluster's etcd", "eu/words", "UTF-8"),
        ("ashburn", "files of var-log", "eu/street", "UTF-8"),
        ("dublin", "files of volumes", "us/city", "UTF-16 little-endian"),
        ("edge", "zones of ns1", "eu/street", "hexadecimal"),
        ("edge", "memory of the CDN's cache", "us/street", "UTF-8"),
        ("ashburn", "keys of the witness of rdc-a", "us/name", "quoted-printable"),
        ("operator", "records of runs and the audit chain", "us/email", "SHA-256, hexadecimal"),
        ("operator", "Pulumi state of us", "eu/order", "raw identifier"),
        ("ashburn", "links to other jurisdictions", "us/words", "UTF-8"),
    }
    with ExitStack() as leaking:
        planting = [
            undone(
                lambda: sql("ashburn", "commerce", f"create table residency_probe as select '{eu['eu/name']}' as name"),
                lambda: sql("ashburn", "commerce", "drop table residency_probe"),
            ),
            undone(
                lambda: sql("ashburn", "ledger", f"comment on schema ledger is '{md5}'"),
                lambda: sql("ashburn", "ledger", "comment on schema ledger is null"),
            ),
            undone(
                lambda: kubectl("ashburn", "create", *config, *system, f"--from-literal=note={escaped}"),
                lambda: kubectl("ashburn", "delete", "configmap", "residency-probe", *system),
            ),
            undone(
                lambda: kubectl("chicago", "create", *secret, *system, f"--from-literal=note={eu['eu/words']}"),
                lambda: kubectl("chicago", "delete", "secret", "residency-probe", *system),
            ),
            file_at(at, "ashburn", "/var/log/residency-probe.1.gz", gzip.compress(eu["eu/street"].encode())),
            file_at(at, "dublin", "/srv/volumes/residency-probe/export.csv", us["us/city"].encode("utf-16-le")),
            undone(lambda: authority.replace(zone, [record]), lambda: authority.remove(zone, name, "TXT")),
            undone(
                lambda: at("client-us", "curl", "-s", "-o", "/dev/null", "-m", "10", cached, check=False), lambda: 0
            ),
            undone(
                lambda: witness.call("/v3/kv/put", {**key, "value": base64.b64encode(quoted.encode()).decode()}),
                lambda: witness.call("/v3/kv/deleterange", key),
            ),
            undone(
                lambda: write_whole(records, hashlib.sha256(us["us/email"].encode()).hexdigest()),
                records.unlink,
            ),
            undone(
                lambda: state.write_bytes(bytes.fromhex(eu["eu/order"].replace("-", ""))),
                state.unlink,
            ),
            on_the_link(at, us["us/words"]),
        ]
        assert len(planting) == len(expected) == 12
        for each in planting:
            leaking.enter_context(each)
        evidence = prove(lab)
    witness.close()
    found = set(leaks(evidence))
    assert expected - found == set()
    # What is written at one place shows in files, logs, replicas and other voters too; what was not written, nowhere.
    assert {token for *_, token, _ in found} == {token for *_, token, _ in expected}
