"""The lab's hosts: what stands in hosts.yaml, and what follows from the topology."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.hosts import WORKSTATION, HostAddressError, HostKind, Near, load_hosts
from lab.network import control
from lab.plan import give_to_databases, wanted_hosts
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import Topology, load_topology, parse_topology

TOPOLOGY = load_topology()
CLIENTS = {
    "client-eu": ("10.99.64.10", "frankfurt"),
    "client-us": ("10.99.80.10", "ashburn"),
    "client-apac": ("10.99.96.10", "singapore"),
}


def changed(*path: str, value: object) -> Topology:
    document: dict[str, Any] = yaml.safe_load(TOPOLOGY_FILE.read_text())
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return parse_topology(yaml.safe_dump(document, sort_keys=False))


@pytest.mark.requirement("customers in every jurisdiction look at the shop from outside")
def test_each_jurisdiction_has_its_customers() -> None:
    hosts = load_hosts(TOPOLOGY)
    found = {name: host for name, host in hosts.hosts.items() if name.startswith("client-")}
    assert {name: (str(host.address), host.near) for name, host in found.items()} == {
        name: (address, Near(site=site, rtt_ms=12)) for name, (address, site) in CLIENTS.items()
    }
    assert {host.kind for host in found.values()} == {HostKind.OBSERVER}
    assert hosts.rtt_ms("client-eu", "frankfurt", TOPOLOGY) == 12
    assert hosts.rtt_ms("client-eu", "dublin", TOPOLOGY) == 37


@pytest.mark.requirement("backups are outside both sites and inside the jurisdiction")
def test_each_jurisdiction_has_its_archive() -> None:
    hosts = load_hosts(TOPOLOGY)
    found = {name: host for name, host in hosts.hosts.items() if host.kind is HostKind.ARCHIVE}
    assert {name: (str(host.address), host.near) for name, host in found.items()} == {
        "archive-eu": ("10.99.0.61", Near(site="frankfurt", rtt_ms=2)),
        "archive-us": ("10.99.0.62", Near(site="ashburn", rtt_ms=2)),
        "archive-apac": ("10.99.0.63", Near(site="singapore", rtt_ms=2)),
    }
    assert hosts.rtt_ms("archive-eu", "dublin", TOPOLOGY) == 27


@pytest.mark.parametrize(
    ("regions", "archives"),
    [(["rdc-a"], {"archive-eu"}), (["rdc-b", "hq"], {"archive-us"}), (["hq"], set())],
)
def test_a_region_brings_its_archive_along(regions: list[str], archives: set[str]) -> None:
    started = wanted_hosts(regions, TOPOLOGY, load_hosts(TOPOLOGY))
    assert {host.name for host in started if host.kind is HostKind.ARCHIVE} == archives


def test_a_jurisdiction_without_an_archive_has_no_such_host() -> None:
    topology = changed("jurisdictions", "us", "archive", value=None)
    hosts = load_hosts(topology)
    assert "archive-us" not in hosts.hosts
    assert "archive-us" not in [host.name for host in wanted_hosts(["rdc-b"], topology, hosts)]


def test_all_hosts_are_there() -> None:
    archives = {"archive-eu", "archive-us", "archive-apac"}
    assert set(load_hosts(TOPOLOGY).hosts) == {"edge", "ops", "psp", *CLIENTS, *archives, *TOPOLOGY.sites}


def test_a_small_client_network_has_its_last_address() -> None:
    topology = changed("jurisdictions", "us", "client_networks", value=["10.99.80.8/30"])
    assert load_hosts(topology).host("client-us").address == IPv4Address("10.99.80.11")
    assert IPv4Address("10.99.80.11") in IPv4Network("10.99.80.8/30")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("sites", "dublin", "address"), "10.99.0.53", "10.99.0.53, which edge has too"),
        (("sites", "dublin", "address"), "192.0.2.1", "an address in 10.99.0.0/16"),
    ],
)
def test_addresses_that_do_not_fit_are_refused(path: tuple[str, ...], value: str, said: str) -> None:
    with pytest.raises(HostAddressError, match=said):
        load_hosts(changed(*path, value=value))


@pytest.mark.requirement("no other user of the machine can put data in place of a database's")
def test_a_volume_belongs_to_postgresql_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[Path, int, int]] = []
    monkeypatch.setattr("lab.plan.os.chown", lambda *words: given.append(words))
    tmp_path.chmod(0o777)
    for _ in range(2):
        give_to_databases(tmp_path)
        assert tmp_path.stat().st_mode & 0o777 == 0o770
    assert given == [(tmp_path, 26, 26)]


def test_the_line_of_the_workstation_is_cut_as_any_other() -> None:
    """Benches cut the operators off: their line was refused once, since it is no host's."""
    hosts = load_hosts(load_topology(environment="lab"))
    assert control.ways_between(hosts, WORKSTATION, "archive-eu") == [
        [WORKSTATION, "archive-eu"],
        ["archive-eu", WORKSTATION],
    ]
