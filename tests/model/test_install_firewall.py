"""What an owner's hosts get for their firewall: addresses and ports as the stacks name them, units, packages."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli import main as cli
from lab import host_firewall
from lab.host_firewall import FILE, firewall_components
from lab.hosts import load_hosts
from lab.paths import disk_directory
from runbooks.install import hosts
from shopsphere.estate.access import CdnAccess, EdgeAccess, HostPortsAccess, WitnessAccess
from shopsphere.foundation import files
from shopsphere.topology import load_topology

WORDS = ("--firewall", "--operators", "198.51.100.128/28")
# The APIs are at addresses of operators' network; customers are answered elsewhere.
EDGE: dict[str, Any] = {
    "dnsAuthorities": [
        {"name": "ns1", "url": "https://10.20.0.53:8081"},
        {"name": "ns2", "url": "https://10.20.0.54:8081"},
    ],
    "edgeKeys": "/keys",
    "nameservers": [{"name": "ns1", "address": "203.0.113.53"}, {"name": "ns2", "address": "203.0.113.54"}],
}
CDN = {"cdnUrl": "https://10.20.0.80:8082", "edgeKeys": "/keys"}


def install(target: str, into: Path, *words: str) -> int:
    return cli.run(["install-files", target, "--into", str(into), *WORDS, *words])


def said(into: Path, host: str) -> str:
    return (into / host / "root/etc/shopsphere/host-firewall.nft").read_text()


def lines_with(text: str, *words: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if all(each in line for each in words)]


def stacks(monkeypatch: pytest.MonkeyPatch, edge: dict[str, Any], cdn_address: str) -> None:
    """Set what the edge's stack says."""
    monkeypatch.setattr(hosts, "edge_access", lambda _environment: EdgeAccess.model_validate(edge))
    monkeypatch.setattr(hosts, "read_access", lambda _model, _stack: CdnAccess.model_validate(CDN))
    monkeypatch.setattr(hosts, "configuration", lambda _stack: {"shopsphere:cdnAddress": cdn_address})


@pytest.mark.requirement("an owner's edge answers customers at the addresses that its stack declares")
def test_names_and_cdn_are_open_where_customers_are_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks(monkeypatch, EDGE, "203.0.113.80")
    assert install("edge", tmp_path) == 0
    text = said(tmp_path, "edge-ns1")
    assert lines_with(text, "dport 53 accept") == [
        "ip daddr { 10.20.0.53, 203.0.113.53, 203.0.113.54 } udp dport 53 accept",
        "ip daddr { 10.20.0.53, 203.0.113.53, 203.0.113.54 } tcp dport 53 accept",
    ]
    assert lines_with(text, "sport 53 notrack") == [
        "ip saddr { 10.20.0.53, 203.0.113.53, 203.0.113.54 } udp sport 53 notrack",
        "ip saddr { 10.20.0.53, 203.0.113.53, 203.0.113.54 } tcp sport 53 notrack",
    ]
    assert not lines_with(text, "443"), "no CDN there"
    text = said(tmp_path, "edge-cdn")
    assert lines_with(text, "443 } accept") == ["ip daddr { 10.20.0.80, 203.0.113.80 } tcp dport { 80, 443 } accept"]
    assert "tcp . 8082 . 198.51.100.128/28" in text
    assert not lines_with(text, "dport 53")


@pytest.mark.parametrize(
    ("edge", "cdn_address", "key"),
    [
        ({**EDGE, "nameservers": []}, "203.0.113.80", "nameservers"),
        (EDGE, "", "cdnAddress"),
        (EDGE, "cdn", "cdnAddress"),
    ],
)
def test_an_address_that_nobody_names_is_no_closed_port(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    edge: dict[str, Any],
    cdn_address: str,
    key: str,
) -> None:
    stacks(monkeypatch, edge, cdn_address)
    assert install("edge", tmp_path / "into") == 1
    assert f"shopsphere:{key}" in capsys.readouterr().err
    assert not (tmp_path / "into").exists()


@pytest.fixture
def _unnamed_voters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosts, "witness_access", lambda _environment: WitnessAccess())


@pytest.mark.usefixtures("_unnamed_voters")
@pytest.mark.requirement("a site's hosts are open at the ports that its stack declares")
@pytest.mark.parametrize(("api_server", "expected"), [(None, 8443), ("198.51.100.12", 8443), ("198.51.100.99", 6443)])
def test_ports_of_a_site_are_those_of_its_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, api_server: str | None, expected: int
) -> None:
    named = {"apiServerPort": 8443, "siteAgentPort": 9405, **({"apiServer": api_server} if api_server else {})}
    monkeypatch.setattr(hosts, "read_access", lambda _model, _stack: HostPortsAccess.model_validate(named))
    assert install("dublin", tmp_path, "--api-servers", "198.51.100.99/32") == 0
    text = said(tmp_path, "dublin")
    sources = "{ 10.12.0.0/17, 198.51.100.12 }"
    assert lines_with(text, sources) == [
        f"ip saddr {sources} tcp dport {expected} accept",
        f"ip saddr {sources} tcp dport 9405 accept",
    ]
    assert f"tcp . {expected} . 198.51.100.128/28" in text
    assert "tcp . 9405 . 198.51.100.99/32" in text
    assert json.loads((tmp_path / "dublin/root/etc/shopsphere/agent.json").read_text())["port"] == 9405


@pytest.mark.usefixtures("_unnamed_voters")
@pytest.mark.requirement("a port at another address, which is translated on the way, is none of the host's own")
@pytest.mark.parametrize(("agent", "expected"), [("198.51.100.12", 18405), ("203.0.113.9", 8405)])
def test_the_port_of_an_agent_that_is_reached_at_another_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agent: str, expected: int
) -> None:
    named = HostPortsAccess.model_validate({"siteAgent": agent, "siteAgentPort": 18405})
    monkeypatch.setattr(hosts, "read_access", lambda _model, _stack: named)
    assert install("dublin", tmp_path) == 0
    assert f"tcp dport {expected} accept" in said(tmp_path, "dublin")
    assert json.loads((tmp_path / "dublin/root/etc/shopsphere/agent.json").read_text())["port"] == expected


@pytest.mark.usefixtures("_unnamed_voters")
@pytest.mark.requirement("an owner is told what the firewall needs on a host")
def test_packages_are_named_and_the_file_is_tried_before_it_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install("newyork", tmp_path) == 0
    steps = [line.partition(". ")[2] for line in capsys.readouterr().err.splitlines()]
    at = next(number for number, step in enumerate(steps) if step.endswith(": apt-get install nftables ulogd2"))
    assert steps[at + 1].endswith(": /usr/sbin/nft -c -f /etc/shopsphere/host-firewall.nft")
    assert [step for step in steps[at + 2 :] if "systemctl enable --now shopsphere-firewall.service" in step]
    needed = [line.split() for line in (tmp_path / "newyork/must-be-there.txt").read_text().splitlines()]
    programs = {line[2]: line[5] for line in needed if line[0] == "0755"}
    assert programs == {"/usr/sbin/nft": "nftables:", "/usr/sbin/ulogd": "ulogd2:"}


@pytest.mark.usefixtures("_unnamed_voters")
@pytest.mark.requirement("a restart of nftables.service leaves no host without its firewall")
def test_what_happens_to_nftables_happens_to_the_firewall_after_it(tmp_path: Path) -> None:
    assert install("newyork", tmp_path) == 0
    unit = tmp_path / "newyork/root/etc/systemd/system/shopsphere-firewall.service"
    lines = unit.read_text().splitlines()
    assert "PartOf=nftables.service" in lines
    assert "ReloadPropagatedFrom=nftables.service" in lines
    assert "WantedBy=multi-user.target nftables.service" in lines
    assert "nftables.service" in next(line for line in lines if line.startswith("After="))
    text = "/usr/sbin/nft -c -f /etc/shopsphere/host-firewall.nft"
    assert [line for line in lines if line.endswith(text)] == [f"ExecStartPre={text}", f"ExecReload={text}"]


@pytest.mark.requirement("an archive is open for its jurisdiction's sites and operators, and for nobody else")
def test_an_archives_host_is_open_for_its_sites_and_operators(tmp_path: Path) -> None:
    assert install("archive-eu", tmp_path, "--let-in", "tcp:9100=198.51.100.144/28") == 0
    text = said(tmp_path, "archive-eu")
    # Frankfurt and Dublin; who comes otherwise is in the set.
    assert lines_with(text, "8443", "accept") == ["ip saddr { 198.51.100.11, 198.51.100.12 } tcp dport 8443 accept"]
    networks = ("22 . 198.51.100.128/28", "8443 . 198.51.100.128/28", "9100 . 198.51.100.144/28")
    assert lines_with(text, "elements") == [f"elements = {{ {', '.join(f'tcp . {each}' for each in networks)} }}"]
    assert "shopsphere-prune-backups.timer" in units_of(tmp_path, "archive-eu")


@pytest.mark.requirement("the operators' machine is open for operators' SSH alone")
def test_the_operators_machine_is_open_for_ssh_alone(tmp_path: Path) -> None:
    assert install("operations", tmp_path) == 0
    text = said(tmp_path, "operations")
    assert lines_with(text, "elements") == ["elements = { tcp . 22 . 198.51.100.128/28 }"]
    assert not lines_with(text, "tcp dport")
    assert "shopsphere-metrics.service" in units_of(tmp_path, "operations")
    assert install("operations", tmp_path / "prometheus", "--let-in", "tcp:9469=198.51.100.160/28") == 0
    assert "tcp . 9469 . 198.51.100.160/28" in said(tmp_path / "prometheus", "operations")


@pytest.mark.parametrize("target", ["archive-eu", "operations", "edge", "newyork"])
def test_a_firewall_that_lets_no_operator_in_is_refused_at_each_host(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    assert cli.run(["install-files", target, "--into", str(tmp_path / "into"), "--firewall"]) == 2
    assert "--operators" in capsys.readouterr().err
    assert not (tmp_path / "into").exists()


@pytest.mark.parametrize("target", ["archive-eu", "operations"])
def test_without_the_word_there_is_none(tmp_path: Path, target: str) -> None:
    assert cli.run(["install-files", target, "--into", str(tmp_path), *WORDS[1:]]) == 0
    assert not list(tmp_path.rglob("*firewall*"))


def units_of(into: Path, host: str) -> set[str]:
    """Return the units of a host; those of its firewall have to be among them."""
    found = {each.name for each in (into / host / "root/etc/systemd/system").iterdir()}
    assert {"shopsphere-firewall.service", "shopsphere-refused.service"} <= found
    return found


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
@pytest.mark.usefixtures("_unnamed_voters")
def test_systemd_accepts_the_units_of_a_firewall(tmp_path: Path) -> None:
    assert install("newyork", tmp_path) == 0
    folder = tmp_path / "units"
    folder.mkdir()
    names = ["shopsphere-firewall.service", "shopsphere-refused.service"]
    for each in names:
        text = (tmp_path / "newyork/root/etc/systemd/system" / each).read_text()
        (folder / each).write_text(
            text.replace("/usr/sbin/nft ", "/bin/true ").replace("/usr/sbin/ulogd ", "/bin/true ")
        )
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 0)


@pytest.mark.usefixtures("_unnamed_voters")
def test_ipv6_is_let_in_where_an_owner_says_so(tmp_path: Path) -> None:
    assert install("newyork", tmp_path, "--let-in", "tcp:22=2001:db8::/64") == 0
    assert "elements = { tcp . 22 . 2001:db8::/64 }" in said(tmp_path, "newyork")


@pytest.mark.requirement("a power loss leaves a whole firewall on a host's disk")
def test_a_host_of_the_lab_keeps_its_former_file_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    topology = load_topology(environment="lab")
    host = load_hosts(topology).host("archive-eu")
    firewall_components(host, topology)
    file = disk_directory("archive-eu") / FILE
    former = file.read_text()
    assert "8443" in former

    @contextmanager
    def fails(_file: Path, _text: str, _mode: int) -> Iterator[Path]:
        raise OSError("No space left on device")
        yield _file

    monkeypatch.setattr(files, "_written_beside", fails)
    monkeypatch.setattr(host_firewall, "host_text", lambda _host, _topology: "table inet half {")
    with pytest.raises(OSError, match="No space"):
        firewall_components(host, topology)
    assert file.read_text() == former


@pytest.mark.usefixtures("_unnamed_voters")
def test_voters_are_told_of_all_nodes_of_their_agents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    topology = load_topology(environment="prod")
    site = topology.site("frankfurt")
    further = ({"name": "frankfurt-2", "address": "198.51.100.211"},)
    wide = site.model_validate({**site.model_dump(mode="json"), "further_nodes": further})
    two = topology.model_copy(update={"sites": {**topology.sites, "frankfurt": wide}})
    monkeypatch.setattr("cli.install.load_topology", lambda **_words: two)
    assert install("newyork", tmp_path) == 0
    assert "port 2480 for 198.51.100.11, 198.51.100.211, 198.51.100.12 and the operators" in capsys.readouterr().err
    assert lines_with(said(tmp_path, "newyork"), "dport 2480") == [
        "ip saddr { 198.51.100.11, 198.51.100.12, 198.51.100.211 } tcp dport 2480 accept"
    ]
