"""What an owner copies to hosts: agents, doors, voters, units, and the list of keys."""

from __future__ import annotations

import json
import shutil
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from cli import install as install_verb
from cli import main as cli
from runbooks.agent.config import AgentConfig
from runbooks.install import hosts
from runbooks.install.units import command_line
from shopsphere.clients.edge_identity import USERS
from shopsphere.edge_door.plan import DoorPlan
from shopsphere.estate.access import CdnAccess, EdgeAccess, WitnessAccess
from shopsphere.topology import FurtherNode, load_topology

UNITS = "root/etc/systemd/system"


@pytest.fixture
def into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for files; production's stack names no voters."""
    monkeypatch.setattr(hosts, "witness_access", lambda _environment: WitnessAccess())
    return tmp_path / "into"


def install(target: str, into: Path, *words: str) -> int:
    return cli.run(["install-files", target, "--into", str(into), *words])


def entries(unit: Path) -> dict[str, str]:
    """Return the last value of each key, with continued lines as one."""
    lines = unit.read_text().replace("\\\n  ", "").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_configuration_of_an_agent_is_what_the_agent_reads(into: Path) -> None:
    words = ["--operators", "198.51.100.128/28", "--api-servers", "198.51.100.64/28", "--pod-guard"]
    assert install("dublin", into, *words) == 0
    file = into / "dublin/root/etc/shopsphere/agent.json"
    AgentConfig.model_validate_json(file.read_text())
    told = json.loads(file.read_text())
    assert {key: told[key] for key in ("site", "peer", "pair", "first_active", "listen", "context")} == {
        "site": "dublin", "peer": "frankfurt", "pair": "rdc-a", "first_active": "frankfurt",
        "listen": "198.51.100.12", "context": "dublin",
    }  # fmt: skip
    # Ashburn, Singapore and New York have the seats of rdc-a, the nearest to Frankfurt first.
    assert told["witness"] == [f"https://198.51.100.{last}:2480" for last in (13, 15, 17)]
    assert (told["state_askers"], told["askers"]) == (["198.51.100.128/28"], ["198.51.100.64/28"])
    assert told["pod_guard"] == {"pods": "10.12.0.0/17", "services": "10.12.128.0/17"}
    assert told["try_packets"] is True
    assert (told["witness_keys"], told["permit"]) == (
        "/etc/shopsphere/witness-agent",
        "/var/lib/shopsphere-agent/permit.json",
    )
    assert "table inet shopsphere_fence" in (into / "dublin/root/etc/shopsphere/fence.nft").read_text()


def test_names_of_voters_are_those_of_the_stack(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = WitnessAccess(witness={"rdc-a": ("https://voter-1.example:2480",)})
    monkeypatch.setattr(hosts, "witness_access", lambda _environment: named)
    assert install("dublin", into) == 0
    told = json.loads((into / "dublin/root/etc/shopsphere/agent.json").read_text())
    assert told["witness"] == ["https://voter-1.example:2480"]


@pytest.mark.requirement("an owner gets the agent of each node of a site, whose fence a failover waits for")
def test_each_further_node_has_an_agent_of_its_own(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = load_topology(environment="prod")
    wide = known.site("dublin").model_copy(
        update={"further_nodes": (FurtherNode(name="dublin-b", address=IPv4Address("198.51.100.140")),)}
    )
    topology = known.model_copy(update={"sites": {**known.sites, "dublin": wide}})
    monkeypatch.setattr(install_verb, "load_topology", lambda **_: topology)
    assert install("dublin", into, "--firewall", "--operators", "198.51.100.128/28") == 0
    own, further = (
        AgentConfig.model_validate_json((into / host / "root/etc/shopsphere/agent.json").read_text())
        for host in ("dublin", "dublin-b")
    )
    assert (own.node, str(own.listen), own.site) == ("", "198.51.100.12", "dublin")
    assert (further.node, str(further.listen), further.site) == ("dublin-b", "198.51.100.140", "dublin")
    assert further.witness == own.witness
    for name in ("fence.nft", "host-firewall.nft"):
        assert (into / "dublin-b/root/etc/shopsphere" / name).exists()
    assert not list((into / "dublin-b").rglob("*voter*")), "a seat is at the site's own host"


@pytest.mark.requirement("an agent has the rights that nft needs, and no others")
def test_rights_of_each_program(into: Path) -> None:
    assert install("frankfurt", into) == 0
    folder = into / "frankfurt" / UNITS
    rights = {each.name: entries(each)["CapabilityBoundingSet"] for each in folder.glob("*.service")}
    assert rights == {
        "shopsphere-agent.service": "CAP_NET_ADMIN CAP_SYS_NICE",
        "shopsphere-agent-door.service": "CAP_SYS_NICE",
        "shopsphere-host-rules.service": "CAP_NET_ADMIN",
        "shopsphere-witness-rdc-b.service": "",
        "shopsphere-witness-rdc-c.service": "",
    }
    for unit in folder.glob("*.service"):
        own = entries(unit)
        assert (own["NoNewPrivileges"], own["ProtectSystem"], own["ProtectHome"]) == ("yes", "strict", "yes"), unit.name
    # The door tries the agent's lock, which needs a place that is not read-only.
    assert entries(folder / "shopsphere-agent-door.service")["ReadWritePaths"] == "/run/shopsphere-agent"
    assert entries(folder / "shopsphere-host-rules.service")["RequiredBy"] == "kubelet.service shopsphere-agent.service"


@pytest.mark.requirement("a pod that has no policies yet reaches nothing, whoever flushed the host's rules")
def test_guard_of_the_pods_comes_back_with_nftables(into: Path) -> None:
    assert install("dublin", into) == 0
    assert not (into / "dublin" / UNITS / "shopsphere-pod-guard.service").exists()
    assert install("frankfurt", into, "--pod-guard") == 0
    own = entries(into / "frankfurt" / UNITS / "shopsphere-pod-guard.service")
    assert (own["PartOf"], own["ReloadPropagatedFrom"]) == ("nftables.service", "nftables.service")
    assert own["ExecStart"] == own["ExecReload"] == "/usr/sbin/nft -f /etc/shopsphere/pod-guard.nft"
    assert own["WantedBy"] == "multi-user.target nftables.service"
    for name in ("shopsphere-agent.service", "shopsphere-agent-door.service"):
        assert "pod-guard" not in (into / "frankfurt" / UNITS / name).read_text()


def test_keys_have_owners_and_modes(into: Path) -> None:
    assert install("ashburn", into) == 0
    rows = [line.split()[:3] for line in (into / "ashburn/must-be-there.txt").read_text().splitlines()[1:]]
    own = "root:shopsphere-witness"
    assert ["0640", own, "/etc/shopsphere/witness-rdc-a/peer-ashburn.key"] in rows
    assert ["0640", own, "/etc/shopsphere/witness-rdc-c/tokens.key"] in rows
    assert ["0600", "root:root", "/etc/shopsphere/witness-agent/agent-ashburn.password"] in rows
    assert ["0600", "root:root", "/etc/shopsphere/agent.kubeconfig"] in rows
    assert not [path for _, _, path in rows if path.endswith(("/ca.key", "peers-ca.key"))]
    modes = (into / "ashburn/root/etc/tmpfiles.d/shopsphere-witness.conf").read_text()
    assert "d /etc/shopsphere/witness-rdc-a 0750 root shopsphere-witness -\n" in modes


def test_voter_listens_where_others_look_for_it(into: Path) -> None:
    assert install("newyork", into) == 0
    told = entries(into / "newyork" / UNITS / "shopsphere-witness-rdc-b.service")["ExecStart"]
    members = [
        f"{name}=https://198.51.100.{last}:2491"
        for name, last in (("newyork", 17), ("frankfurt", 11), ("singapore", 15))
    ]
    assert f"--initial-cluster={','.join(members)}" in told
    assert "--listen-client-urls=https://198.51.100.17:2490" in told
    assert "--data-dir=/var/lib/shopsphere-witness/rdc-b" in told
    # Headquarters belongs to no pair: no fence, no keys of an agent.
    assert not (into / "newyork/root/etc/shopsphere/fence.nft").exists()
    assert "runbooks.agent.unpaired" in (into / "newyork" / UNITS / "shopsphere-agent.service").read_text()


def test_second_time_writes_nothing_and_a_changed_file_stays(into: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install("dublin", into) == 0
    files = {each: each.stat().st_mtime_ns for each in into.rglob("*") if each.is_file()}
    capsys.readouterr()
    assert install("dublin", into) == 0
    assert "0 files written" in capsys.readouterr().err
    assert {each: each.stat().st_mtime_ns for each in files} == files
    changed = into / "dublin/root/etc/shopsphere/agent.json"
    changed.write_text("mine")
    missing = into / "dublin/must-be-there.txt"
    missing.unlink()
    assert install("dublin", into) == 1
    assert str(changed) in capsys.readouterr().err
    assert (changed.read_text(), missing.exists()) == ("mine", False)
    assert install("dublin", into, "--force") == 0
    assert changed.read_text() != "mine"


def test_edge_has_a_folder_of_each_host(into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge = EdgeAccess.model_validate(
        {
            "dnsAuthorities": [
                {"name": "ns1", "url": "https://203.0.113.53:8081"},
                {"name": "ns2", "url": "https://ns2.example"},
            ],
            "edgeKeys": "/keys",
            "nameservers": [{"name": "ns2", "address": "203.0.113.54"}],
        }
    )
    cdn = CdnAccess.model_validate({"cdnUrl": "https://cdn.example:8082", "edgeKeys": "/keys"})
    monkeypatch.setattr(hosts, "edge_access", lambda _environment: edge)
    monkeypatch.setattr(hosts, "read_access", lambda _model, _stack: cdn)
    monkeypatch.setattr(hosts, "configuration", lambda _stack: {"shopsphere:cdnAddress": "203.0.113.54"})
    assert install("edge", into) == 0
    plans = {each.parents[4].name: DoorPlan.read(each) for each in into.rglob("plan.json")}
    places = {
        host: {name: (str(each.address), each.port, each.inner_port) for name, each in plan.services.items()}
        for host, plan in plans.items()
    }
    assert places == {
        "edge-ns1": {"ns1": ("203.0.113.53", 8081, 8091)},
        "edge-ns2-cdn": {"ns2": ("203.0.113.54", 443, 8091), "cdn": ("203.0.113.54", 8082, 8083)},
    }
    assert [each["pair"] for each in plans["edge-ns1"].states] == ["rdc-a", "rdc-b", "rdc-c"]
    listed = (into / "edge-ns2-cdn/must-be-there.txt").read_text()
    assert "/etc/shopsphere/edge/door.key" in listed
    assert not [user for user in USERS if f"{user}.key" in listed]


def test_operators_machine_has_timers_for_all_pairs(into: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install("operations", into) == 0
    told = capsys.readouterr().err
    for pair in ("rdc-a", "rdc-b", "rdc-c"):
        assert f"shopsphere-ready@{pair}.timer" in told
        assert f"shopsphere-drill@{pair}.timer" in told
    assert "shopsphere-watch@" not in told  # moving a pair without a person is its owner's decision
    assert 'METRICS_OF="all"' in (into / "operations/root/etc/shopsphere/operations.env").read_text()
    drill = entries(into / "operations" / UNITS / "shopsphere-drill@.service")
    assert drill["ExecStart"].endswith('shopsphere drill %i --environment prod --execute --reason "by the clock"')
    assert drill["User"] == "shopsphere-operations"


@pytest.mark.requirement("an owner who begins with one pair has figures of it: voters of the others are not there")
def test_operators_machine_looks_at_the_pairs_that_are_there(
    into: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = WitnessAccess(
        witness={"rdc-c": ("https://voter-1.example:2480",), "rdc-a": ("https://voter-2.example:2480",)}
    )
    monkeypatch.setattr(hosts, "witness_access", lambda _environment: named)
    assert install("operations", into) == 0
    assert "shopsphere-ready@rdc-b.timer" not in capsys.readouterr().err
    assert 'METRICS_OF="rdc-a rdc-c"' in (into / "operations/root/etc/shopsphere/operations.env").read_text()
    unit = into / "operations" / UNITS / "shopsphere-metrics.service"
    assert "Environment=METRICS_OF=all\n" in unit.read_text(), "a file of before does not say it"
    exporter = entries(unit)["ExecStart"]
    assert exporter.endswith(" metrics $METRICS_OF --environment prod --listen ${METRICS_LISTEN}")


def test_unknown_target_is_refused(into: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install("rdc-a", into) == 2
    assert "frankfurt" in capsys.readouterr().err
    assert not into.exists()


@pytest.mark.parametrize("word", ["", "two words", "50%", "$HOME", "a\\b", "a;b"])
def test_word_that_systemd_would_read_otherwise_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="no word for a unit"):
        command_line(["/bin/true", word])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not on this machine")
def test_systemd_accepts_every_unit(into: Path, tmp_path: Path) -> None:
    for target in ("frankfurt", "newyork", "operations", "archive-eu"):
        assert install(target, into, "--pod-guard") == 0
    folder = tmp_path / "units"
    folder.mkdir()
    for unit in into.rglob(f"{UNITS}/*"):
        text = unit.read_text().replace("/usr/local/bin/etcd", "/bin/true").replace("/usr/sbin/nft", "/bin/true")
        for name in ("python", "shopsphere"):
            text = text.replace(f"/opt/shopsphere/.venv/bin/{name}", "/bin/true")
        (folder / unit.name).write_text(text)
    names = sorted(each.name.replace("@", "@rdc-a") for each in folder.iterdir())
    # Agent, door, rules, guard, mount; three voters; four services and two timers of operators; two of retention.
    assert len(names) == 16
    found = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        env={"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (found.stdout, found.stderr, found.returncode) == ("", "", 0)
