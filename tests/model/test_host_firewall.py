"""Which ports of which host answer whom: the rules per role, and every port that a program of a host listens at."""

from __future__ import annotations

import json
import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest

from cli import main as cli
from lab import first_rules, host_firewall
from lab.host_firewall import FILE, host_text
from lab.hosts import HostKind, load_hosts
from lab.packages import wanted_packages
from lab.paths import disk_directory
from lab.plan import components_of
from runbooks.install import hosts
from shopsphere.estate.access import WitnessAccess
from shopsphere.estate.host_firewall import (
    FIREWALL_TABLE,
    LetIn,
    firewall,
    firewall_of,
    firewall_text,
    let_in_each,
    let_in_of,
)
from shopsphere.foundation.errors import UsageError
from shopsphere.topology import Topology, load_topology

TOPOLOGY = load_topology(environment="lab")
HOSTS = load_hosts(TOPOLOGY)
OPEN = {
    "frankfurt": [
        "ip saddr { 10.11.0.0/17, 10.99.0.11 } tcp dport 6443 accept",
        "ip saddr { 10.11.0.0/17, 10.99.0.11 } tcp dport 8405 accept",
        "ip saddr 10.99.0.11 tcp dport 10250 accept",
        # Voters of Ashburn and Chicago, and of Singapore and Sydney; New York and the third pair vote beside it.
        "ip saddr { 10.99.0.21, 10.99.0.22 } tcp dport 2490 accept",
        "ip saddr { 10.99.0.31, 10.99.0.40 } tcp dport 2491 accept",
        "ip saddr { 10.99.0.31, 10.99.0.32 } tcp dport 2500 accept",
        "ip saddr { 10.99.0.21, 10.99.0.40 } tcp dport 2501 accept",
        "tcp dport { 80, 443 } accept",
        "tcp dport 8443 accept",
        "ip saddr 10.99.0.12 tcp dport { 30032, 30033 } accept",
    ],
    "dublin": [
        "ip saddr { 10.12.0.0/17, 10.99.0.12 } tcp dport 6443 accept",
        "ip saddr { 10.12.0.0/17, 10.99.0.12 } tcp dport 8405 accept",
        "ip saddr 10.99.0.12 tcp dport 10250 accept",
        "tcp dport { 80, 443 } accept",
        "tcp dport 8443 accept",
        "ip saddr 10.99.0.11 tcp dport { 30032, 30033 } accept",
    ],
    "newyork": [
        "ip saddr { 10.40.0.0/17, 10.99.0.40 } tcp dport 6443 accept",
        "ip saddr { 10.40.0.0/17, 10.99.0.40 } tcp dport 8405 accept",
        "ip saddr 10.99.0.40 tcp dport 10250 accept",
        "ip saddr { 10.99.0.11, 10.99.0.12 } tcp dport 2480 accept",
        "ip saddr { 10.99.0.21, 10.99.0.31 } tcp dport 2481 accept",
        "ip saddr { 10.99.0.21, 10.99.0.22 } tcp dport 2490 accept",
        "ip saddr { 10.99.0.11, 10.99.0.31 } tcp dport 2491 accept",
        "ip saddr { 10.99.0.31, 10.99.0.32 } tcp dport 2500 accept",
        "ip saddr { 10.99.0.11, 10.99.0.21 } tcp dport 2501 accept",
    ],
    "edge": [
        "ip daddr { 10.99.0.52, 10.99.0.53, 10.99.0.54 } udp dport 53 accept",
        "ip daddr { 10.99.0.52, 10.99.0.53, 10.99.0.54 } tcp dport 53 accept",
        "ip daddr 10.99.0.80 tcp dport { 80, 443 } accept",
    ],
    "archive-eu": ["ip saddr { 10.99.0.11, 10.99.0.12 } tcp dport 8443 accept"],
    "psp": [
        "ip saddr { 10.99.0.11, 10.99.0.12, 10.99.0.21, 10.99.0.22, 10.99.0.31, 10.99.0.32 } tcp dport 8070 accept"
    ],
}
OPERATORS = {
    "frankfurt": {6443, 8405, 2490, 2500},
    "dublin": {6443, 8405},
    "newyork": {6443, 8405, 2480, 2490, 2500},
    "edge": {8081, 8082},
    "archive-eu": {8443},
    "psp": {8070},
}
BEFORE = [
    "meta iif lo accept",
    "ct state established,related accept",
]
ECHOES = "echo-request limit rate 100/second burst 200 packets accept"
ICMP = [
    "icmp type { destination-unreachable, parameter-problem, time-exceeded } accept",
    "icmpv6 type { destination-unreachable, mld-listener-query, nd-neighbor-advert, nd-neighbor-solicit, "
    "nd-router-advert, packet-too-big, parameter-problem, time-exceeded } accept",
    f"icmp type {ECHOES}",
    f"icmpv6 type {ECHOES}",
]
BEFORE += [*ICMP, "ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept"]
OVER = "limit rate over 10/second burst 50 packets } goto refuse"
AFTER = [
    "meta l4proto . th dport . ip saddr @let_in accept",
    "meta l4proto . th dport . ip6 saddr @let_in6 accept",
    "meta pkttype { broadcast, multicast } drop",
    "ct state invalid counter drop",
    f"update @noisy {{ ip saddr {OVER}",
    f"update @noisy6 {{ ip6 saddr & ffff:ffff:ffff:ffff:: {OVER}",
    'limit rate 100/second burst 200 packets log prefix "refused:" group 100 snaplen 128',
    "goto refuse",
]
REFUSE = ["meta l4proto tcp counter reject with tcp reset", "counter reject with icmpx type port-unreachable"]
AUTHORITIES, CDN = "{ 10.99.0.52, 10.99.0.53, 10.99.0.54 }", "10.99.0.80"
UNTRACKED_IN = [
    f"ip daddr {AUTHORITIES} udp dport 53 notrack",
    f"ip daddr {AUTHORITIES} tcp dport 53 notrack",
    f"ip daddr {CDN} tcp dport {{ 80, 443 }} notrack",
]
UNTRACKED_OUT = [
    f"ip saddr {AUTHORITIES} udp sport 53 notrack",
    f"ip saddr {AUTHORITIES} tcp sport 53 notrack",
    f"ip saddr {CDN} tcp sport {{ 80, 443 }} notrack",
    *(f"meta oif lo {each}" for each in UNTRACKED_IN),
]
CLOSED_BUT_LISTENING = {2379, 2380, 6082, 8083, 8091, 8092, 8444, *range(8461, 8467)}
"""On loopback: a cluster's store, the cache's commands, the APIs behind their door, an archive's administration, and
what fetches from each of six sites for the cache."""


def rules(text: str, chain: str = "input") -> list[str]:
    """Return the rules of a chain, without the line that says when the kernel calls it."""
    found = text.partition(f"chain {chain} {{")[2].partition("}\n    chain")[0]
    lines = [line.strip() for line in found.splitlines()]
    return [line for line in lines if line and line != "}" and not line.startswith("type filter hook")]


def let_in(text: str) -> set[str]:
    found = re.search(r"elements = \{ (.*) \}", text)
    return set(found[1].split(", ")) if found else set()


@pytest.mark.requirement("hosts' firewalls let in who belongs there")
@pytest.mark.parametrize("host", OPEN)
def test_each_role_lets_in_who_belongs_there(host: str) -> None:
    found = rules(host_text(HOSTS.host(host), TOPOLOGY))
    assert found == [*BEFORE, *OPEN[host], *AFTER]


@pytest.mark.requirement("a flood of questions to name servers or CDN shuts nothing else off")
@pytest.mark.parametrize("host", OPEN)
def test_only_names_and_cdn_are_kept_out_of_the_table_of_connections(host: str) -> None:
    text = host_text(HOSTS.host(host), TOPOLOGY)
    assert rules(text, "refuse") == REFUSE
    assert rules(text, "untracked_in") == (UNTRACKED_IN if host == "edge" else [])
    assert rules(text, "untracked_out") == (UNTRACKED_OUT if host == "edge" else [])
    hooks = re.findall("type filter hook [a-z]+ priority [-0-9]+; policy [a-z]+;", text)
    before = [f"type filter hook {each} priority -300; policy accept;" for each in ("prerouting", "output")]
    assert hooks == [*(before if host == "edge" else []), "type filter hook input priority -10; policy accept;"]


@pytest.mark.requirement("hosts' firewalls let in who belongs there")
@pytest.mark.parametrize("host", OPERATORS)
def test_operators_come_from_their_machine_alone(host: str) -> None:
    text = host_text(HOSTS.host(host), TOPOLOGY)
    assert let_in(text) == {f"tcp . {port} . 10.99.0.1/32" for port in OPERATORS[host]}


def test_packets_that_tell_of_a_smaller_mtu_pass() -> None:
    assert rules(firewall_text(firewall([])))[2:6] == ICMP


def test_customers_hosts_have_none() -> None:
    observers = [each for each in HOSTS.hosts.values() if each.kind is HostKind.OBSERVER]
    assert {host_text(each, TOPOLOGY) for each in observers} == {""}


def two_nodes() -> Topology:
    site = TOPOLOGY.site("frankfurt")
    further = ({"name": "frankfurt-2", "address": "10.99.1.11"},)
    wide = site.model_validate({**site.model_dump(mode="json"), "further_nodes": further})
    return TOPOLOGY.model_copy(update={"sites": {**TOPOLOGY.sites, "frankfurt": wide}})


def test_all_nodes_of_a_site_belong_to_it() -> None:
    two = two_nodes()
    own = rules(firewall_text(firewall_of(two.site("frankfurt"), two)))
    assert "ip saddr { 10.99.0.11, 10.99.1.11 } tcp dport 10250 accept" in own
    assert "ip saddr { 10.11.0.0/17, 10.99.0.11, 10.99.1.11 } tcp dport 6443 accept" in own
    peer = rules(firewall_text(firewall_of(two.site("dublin"), two)))
    assert "ip saddr { 10.99.0.11, 10.99.1.11 } tcp dport { 30032, 30033 } accept" in peer
    voter = rules(firewall_text(firewall_of(two.site("singapore"), two)))
    assert "ip saddr { 10.99.0.11, 10.99.0.12, 10.99.1.11 } tcp dport 2480 accept" in voter


@pytest.mark.requirement("every listening port is either in the table or meant to be closed")
@pytest.mark.parametrize("host", ["frankfurt", "newyork", "edge", "archive-eu", "psp"])
def test_every_port_of_a_program_is_open_for_some_or_meant_to_be_closed(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    monkeypatch.setattr("lab.plan._make_volumes", lambda _site: None)
    regions = ["rdc-a", "rdc-b", "rdc-c", "hq"]
    components = components_of(HOSTS.host(host), regions, TOPOLOGY)
    texts = [word for each in components for word in each.command]
    texts += [f"{key}={value}" for each in components for key, value in each.environment.items()]
    settings = [file for end in SETTINGS for file in disk_directory(host).rglob(f"*.{end}")]
    texts += [line for file in settings for line in file.read_text().splitlines()]
    listening = {int(port) for text in texts for port in LISTENS.findall(text)}
    assert listening, "the words that name a port have changed"
    text = (disk_directory(host) / FILE).read_text()
    open_for_some = {int(port) for each in OPEN[host] for port in re.findall(r"\b\d+\b", each.partition("dport")[2])}
    open_for_some |= OPERATORS[host]
    assert rules(text)[len(BEFORE) :] == [*OPEN[host], *AFTER]
    assert listening - open_for_some <= CLOSED_BUT_LISTENING


SETTINGS = ("conf", "cfg", "json", "yaml")
LISTENS = re.compile(
    r"(?:SHOP_PORT=|listen-(?:client|peer)-urls=https?://[\d.]+:|--secure-port=|--port=[\d.]+:|--admin-port=[\d.]+:"
    r"|^\s*bind [\d.]+:|local-port=|webserver-port=|--listen [\d.]+:|\"port\": )(\d+)"
)


def test_networks_of_one_port_are_joined() -> None:
    # The kernel refuses an element that another one contains.
    networks = [IPv4Network("10.0.0.0/24"), IPv4Network("10.0.0.7"), IPv4Network("10.0.1.0/24")]
    text = firewall_text(firewall([]), let_in_each((22,), networks))
    assert let_in(text) == {"tcp . 22 . 10.0.0.0/23"}


def test_ipv6_of_an_owner_has_a_set_of_its_own() -> None:
    given = ["tcp:22=10.0.0.0/24", "tcp:22=2001:db8::/64", "tcp:22=2001:db8:0:1::/64"]
    found = re.findall(r"elements = \{ (.*) \}", firewall_text(firewall([]), map(let_in_of, given)))
    assert found == ["tcp . 22 . 10.0.0.0/24", "tcp . 22 . 2001:db8::/63"]


def test_what_an_owner_lets_in_is_read_from_words() -> None:
    assert let_in_of("tcp:9100=198.51.100.64/28") == LetIn("tcp", 9100, IPv4Network("198.51.100.64/28"))
    assert let_in_of("udp:4789=198.51.100.7") == LetIn("udp", 4789, IPv4Network("198.51.100.7/32"))
    assert let_in_of("tcp:22=2001:db8::/64") == LetIn("tcp", 22, IPv6Network("2001:db8::/64"))


@pytest.mark.parametrize(
    "words",
    [
        "9100=198.51.100.64/28",
        "tcp:0=10.0.0.0/8",
        "tcp:65536=10.0.0.0/8",
        "tcp:22=10.0.0.1/8",
        "icmp:1=10.0.0.1",
        "tcp:22=2001:db8::1/64",
    ],
)
def test_words_that_say_something_else_are_refused(words: str) -> None:
    with pytest.raises(UsageError, match="let-in"):
        let_in_of(words)


def test_the_switch_takes_file_and_table_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    asked: list[list[str]] = []

    def run_inside(_host: str, command: list[str], *, check: bool = True) -> None:
        assert check is ("-f" in command)
        asked.append(command)

    monkeypatch.setattr(first_rules, "run_inside", run_inside)
    host = HOSTS.host("archive-eu")
    file = disk_directory("archive-eu") / FILE
    assert [each.name for each in host_firewall.firewall_components(host, TOPOLOGY)] == ["refused"]
    first_rules.load_firewall("archive-eu")
    monkeypatch.setattr(host_firewall, "SWITCHED_ON", False)
    assert host_firewall.firewall_components(host, TOPOLOGY) == []
    assert not file.exists()
    first_rules.load_firewall("archive-eu")
    loads = [["nft", "-c", "-f", str(file)], ["nft", "-f", str(file)]]
    assert asked == [*loads, ["nft", "delete", "table", "inet", FIREWALL_TABLE]]


def test_init_loads_it_before_anything_runs() -> None:
    init = Path(first_rules.__file__).with_name("host").joinpath("init.sh").read_text()
    assert init.index(f"disk/{FILE}") < init.index('exec "$SUPERVISORD"')


def test_the_program_that_logs_is_installed() -> None:
    assert "ulogd2" in wanted_packages()


@pytest.fixture
def _unnamed_voters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "witness_access", lambda _environment: WitnessAccess())


def install(target: str, into: Path, *words: str) -> int:
    return cli.run(["install-files", target, "--into", str(into), *words])


@pytest.mark.requirement("an owner's hosts get the same firewall as the lab's")
@pytest.mark.usefixtures("_unnamed_voters")
def test_an_owner_gets_the_same_rules_and_names_operators(tmp_path: Path) -> None:
    words = ("--firewall", "--operators", "198.51.100.128/28", "--api-servers", "198.51.100.64/28")
    assert install("dublin", tmp_path, *words, "--let-in", "udp:4789=198.51.100.0/24") == 0
    root = tmp_path / "dublin/root"
    text = (root / "etc/shopsphere/host-firewall.nft").read_text()
    assert rules(text)[len(BEFORE) : -len(AFTER)] == [
        "ip saddr { 10.12.0.0/17, 198.51.100.12 } tcp dport 6443 accept",
        "ip saddr { 10.12.0.0/17, 198.51.100.12 } tcp dport 8405 accept",
        "ip saddr 198.51.100.12 tcp dport 10250 accept",
        "tcp dport { 80, 443 } accept",
        "tcp dport 8443 accept",
        "ip saddr 198.51.100.11 tcp dport { 30032, 30033 } accept",
    ]
    assert let_in(text) == {
        *(f"tcp . {port} . 198.51.100.128/28" for port in (22, 6443, 8405)),
        *(f"tcp . {port} . 198.51.100.64/28" for port in (8405, 10250)),
        "udp . 4789 . 198.51.100.0/24",
    }
    assert (
        json.loads((root / "etc/shopsphere/agent.json").read_text())["firewall"] == "/etc/shopsphere/host-firewall.nft"
    )
    units = root / "etc/systemd/system"
    assert "Before=network-pre.target" in (units / "shopsphere-firewall.service").read_text()
    assert "output_SYSLOG" in (root / "etc/shopsphere/ulogd.conf").read_text()


@pytest.mark.usefixtures("_unnamed_voters")
def test_a_firewall_without_operators_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install("dublin", tmp_path, "--firewall") == 2
    assert "--operators" in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


@pytest.mark.usefixtures("_unnamed_voters")
def test_without_the_word_nothing_of_it_is_written(tmp_path: Path) -> None:
    assert install("newyork", tmp_path) == 0
    assert not [*tmp_path.rglob("*firewall*")]
