"""The attempts of bench/attacks: enough of them, from where they have to be, each with what shows its refusal."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from shopsphere.foundation.paths import LAB_VARIABLE, REPOSITORY
from shopsphere.topology import load_topology

sys.path.append(str(REPOSITORY / "bench" / "attacks"))
import door_hosts
import door_names
import knocking
from all_doors import DOORS, attempts_of
from attacked import HostFacts, Scene, ipv6_addresses, listening_ports, names_of_hosts
from attempt import CLIENT, HOST, OWN_POD, POD, POSTGRES_CLEAR, STRANGERS, Attempt


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A scene whose keys are empty files."""
    monkeypatch.setenv(LAB_VARIABLE, str(tmp_path))
    topology = load_topology(environment="lab")
    files = ["pki/witness/rdc-a/watcher.password", "hosts/ashburn/disk/pki/agent.crt"]
    for each in files:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_text("x")
    hosts = (
        HostFacts("frankfurt", ("10.99.0.11",), (6443, 10250), ("fe80::aff:fe63:b",)),
        HostFacts("newyork", ("10.99.0.40",)),
        HostFacts("edge", ("10.99.0.52", "10.99.0.53", "10.99.0.80")),
        HostFacts("archive-eu", ("10.99.0.61",)),
        HostFacts("psp", ("10.99.0.70",)),
    )
    databases = {"commerce": "10.11.0.5", "ledger": "10.11.0.6"}
    image = "localhost/shopsphere/shop:0.1.0"
    return Scene(topology.pair("rdc-a"), topology.pair("rdc-b"), topology, "abc", databases, "10.11.0.7", image, hosts)


@pytest.fixture
def attempts(scene: Scene) -> list[Attempt]:
    return [each for door in DOORS for each in attempts_of(door, scene)]


def test_strangers_try_more_than_forty_times(attempts: list[Attempt]) -> None:
    tried = Counter(each.place for each in attempts)
    assert tried[CLIENT] >= 40
    assert tried[POD] >= 12
    assert sum(tried[each] for each in STRANGERS) >= 80


@pytest.mark.parametrize("story", ["C1", "H1", "H3", "H10", "M4"])
def test_what_the_issue_names_is_tried_from_a_client_and_from_a_pod(attempts: list[Attempt], story: str) -> None:
    places = {each.place for each in attempts if each.story == story}
    assert places >= {CLIENT, POD, HOST}
    assert places - STRANGERS, "and behind the first line, where the program itself has to refuse"


def test_inner_endpoints_are_tried_from_a_client(attempts: list[Attempt]) -> None:
    assert {each.place for each in attempts if each.story == "M14"} >= {CLIENT, HOST, POD}


def test_each_shows_that_its_door_is_open_to_others(attempts: list[Attempt]) -> None:
    assert [each.what for each in attempts if bool(each.control) == bool(each.alone)] == []


def test_each_says_how_a_refusal_looks(attempts: list[Attempt]) -> None:
    unsaid = [
        each.what for each in attempts if not each.by and not any({"scan", "slow"} & {*q} for q in each.questions)
    ]
    assert unsaid == []


def test_a_pair_that_was_never_started_has_certificates_all_the_same(attempts: list[Attempt]) -> None:
    shown = {file for each in attempts for q in each.questions for file in q.get("certificate") or ()}
    foreign = [file for file in shown if "attacks-keys-" in file]
    assert {Path(each).stem for each in foreign} == {"operator", "root", "peer-elsewhere"}
    assert all(Path(each).exists() for each in foreign)


def test_no_two_are_the_same(attempts: list[Attempt]) -> None:
    seen = Counter((each.story, each.what, each.place) for each in attempts)
    assert [each for each, count in seen.items() if count > 1] == []


def test_each_question_is_one_that_can_be_asked(attempts: list[Attempt]) -> None:
    asked = [q for each in attempts for q in (*each.questions, *(each.control.questions if each.control else ()))]
    assert [each for each in asked if not {*knocking.ASKED} & {*each}] == []


def test_in_a_pod_a_seal_is_made_and_nowhere_else(attempts: list[Attempt]) -> None:
    assert {each.place for each in attempts if any("sealed" in q for q in each.questions)} == {OWN_POD}


@pytest.mark.parametrize(
    ("host", "address", "ports"),
    [
        ("frankfurt", "10.99.0.11", {80, 443, 8443}),
        ("newyork", "10.99.0.40", set()),
        ("edge", "10.99.0.53", {53}),
        ("edge", "10.99.0.80", {80, 443}),
        ("archive-eu", "10.99.0.61", set()),
        ("psp", "10.99.0.70", set()),
    ],
)
def test_customers_reach_what_is_theirs_alone(scene: Scene, host: str, address: str, ports: set[int]) -> None:
    facts = next(each for each in scene.hosts if each.name == host)
    assert door_hosts.declared(scene, facts, address) == ports


def test_ports_of_a_scan_hold_what_listens() -> None:
    tried = door_hosts.ports_of(HostFacts("x", (), (31999,)), every=False)
    assert {31999, 22, 30032, 10255, 2380} <= {*tried}
    assert len(door_hosts.ports_of(HostFacts("x", ()), every=True)) == 65535


def test_hosts_of_a_pair(scene: Scene) -> None:
    names = names_of_hosts(scene.pair, scene.topology)
    assert {*names} == {"frankfurt", "dublin", "newyork", "ashburn", "singapore", "archive-eu", "edge", "psp"}


def test_what_a_host_says_is_read() -> None:
    text = "LISTEN 0 4096 10.99.0.11:6443 0.0.0.0:*\nLISTEN 0 4096 *:10250 *:*\nLISTEN 0 9 [::1]:25 [::]:*\n"
    assert listening_ports(text) == (25, 6443, 10250)
    assert ipv6_addresses("2: eth0    inet6 fe80::aff:fe63:b/64 scope link \\ valid_lft forever") == (
        "fe80::aff:fe63:b",
    )


@pytest.fixture
def messages() -> dict[str, bytes]:
    kinds = {"axfr": door_names.AXFR, "ixfr": door_names.IXFR, "soa": door_names.SOA}
    found = {name: bytes.fromhex(door_names.question("shop.test", kind)) for name, kind in kinds.items()}
    return {**found, "update": bytes.fromhex(door_names.update("shop.test", "www.shop.test", "10.99.80.10"))}


def test_messages_are_those_of_dns(messages: dict[str, bytes]) -> None:
    head = b"\x5c\x5c"
    zone = b"\x04shop\x04test\x00"
    assert messages["axfr"] == head + b"\0\0\0\1\0\0\0\0\0\0" + zone + b"\0\xfc\0\1"
    assert messages["soa"] == head + b"\0\0\0\1\0\0\0\0\0\0" + zone + b"\0\6\0\1"
    assert messages["ixfr"].startswith(head + b"\0\0\0\1\0\0\0\1\0\0" + zone + b"\0\xfb\0\1" + zone + b"\0\6\0\1")
    change = head + b"\x28\0\0\1\0\0\0\1\0\0" + zone + b"\0\6\0\1"
    assert messages["update"] == change + b"\x03www" + zone + b"\0\1\0\1\0\0\0\5\0\4\x0a\x63\x50\x0a"


def test_a_start_of_a_session_in_clear_is_whole() -> None:
    packet = bytes.fromhex(POSTGRES_CLEAR)
    assert int.from_bytes(packet[:4]) == len(packet), "else PostgreSQL refuses the packet and not who comes in clear"
