"""`lab up` on a lab that runs already: what an interrupted one left is gone on with, and old code is replaced."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab import control_group, first_rules
from lab.component import Component
from lab.host import cgroups, power, supervision
from lab.hosts import load_hosts
from lab.network import control
from lab.network.daemon import Daemon
from lab.paths import control_directory, disk_directory, run_directory
from shopsphere.topology import load_topology

TOPOLOGY = load_topology(environment="lab")
FRANKFURT = load_hosts(TOPOLOGY).host("frankfurt")
INIT = SimpleNamespace(pid=4711, to_document=lambda: {"pid": 4711, "started": 1})


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the supervisors and the WAN were told."""
    found: list[str] = []
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    monkeypatch.setattr(supervision, "control", lambda _directory, word: found.append(word))
    return found


@pytest.mark.requirement("the WAN and the cloud controller run the code of the checkout after `lab up`")
def test_old_code_of_the_control_group_is_restarted(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_group, "identity", lambda: INIT)
    monkeypatch.setattr(control_group, "_wan_answers", lambda: True)
    configuration = control_directory() / "supervisord.conf"
    configuration.parent.mkdir()
    configuration.write_text("[program:wan]\nas it was before there was a digest")
    control_group.start()
    assert asked == ["update"]
    assert configuration.read_text().count("SHOPSPHERE_SOURCES") == 2
    monkeypatch.setenv("SHOPSPHERE_DEBUG", "1")
    control_group.start()
    assert asked == ["update"], "not for a variable of whoever calls"
    configuration.write_text(configuration.read_text().replace('SHOPSPHERE_SOURCES="', 'SHOPSPHERE_SOURCES="old'))
    control_group.start()
    assert asked == ["update", "update"]


@pytest.mark.requirement("a start that was interrupted is gone on with: a host that is on and has no line gets one")
@pytest.mark.parametrize("attached", [True, False])
def test_a_host_without_a_line_gets_one(asked: list[str], monkeypatch: pytest.MonkeyPatch, attached: bool) -> None:
    def ask(command: str, **_arguments: Any) -> Any:
        asked.append(command)
        return {"hosts": ["dublin", *(["frankfurt"] if attached else [])]}

    monkeypatch.setattr(power, "identity", lambda _host: INIT)
    monkeypatch.setattr(control, "ask", ask)
    run = run_directory("frankfurt")
    run.mkdir(parents=True)
    (run / "supervisor.sock").touch()
    (run / "supervisord.conf").write_text("of yesterday")
    power.power_on(FRANKFURT, [Component("etcd", ("etcd",))], resolver="10.99.0.52")
    assert asked == (["status", "update"] if attached else ["status", "attach", "update"])


@pytest.mark.requirement("a start that was interrupted leaves no second host of the same name")
def test_an_init_that_was_left_on_its_way_is_ended(asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "60"]) as left:
        monkeypatch.setattr(cgroups, "processes", lambda _host: set() if left.poll() else {left.pid})
        power.clear_run_directory("frankfurt")
    assert left.returncode == -9
    assert run_directory("frankfurt").is_dir()
    assert asked == []


@pytest.mark.requirement("a command that the WAN cannot carry out ends nobody's line")
@pytest.mark.parametrize(
    "request_",
    [
        {"command": "attach", "host": "tokyo", "identity": {"pid": os.getpid(), "started": 1}},
        {"command": "attach", "host": "frankfurt", "identity": {"pid": 0, "started": 1}},
        {"command": "no such thing"},
        {},
    ],
)
def test_the_wan_answers_what_it_cannot_do(request_: dict[str, Any]) -> None:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, its:
        ours.send(json.dumps(request_).encode())
        Daemon()._answer(its)  # noqa: SLF001 - what its loop calls
        assert "error" in json.loads(ours.recv(65536))


@pytest.mark.requirement("no pod reaches the outside before its policies are there, on a host that was on before too")
def test_a_voter_that_becomes_a_site_gets_the_rules_that_init_would_have_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    disk = disk_directory("ashburn")
    disk.mkdir(parents=True)
    (disk / "fence.nft").write_text("table inet shopsphere_fence {}\ndelete table inet shopsphere_fence\n")
    (disk / "pod-guard.nft").write_text("table ip shopsphere_pod_guard {}\ndelete table ip shopsphere_pod_guard\n")
    asked: list[list[str]] = []

    def run_inside(host: str, command: list[str], *, check: bool = True) -> SimpleNamespace:
        assert host == "ashburn"
        asked.append(command)
        return SimpleNamespace(code=0 if "shopsphere_fence" in command else 1)

    monkeypatch.setattr(first_rules, "run_inside", run_inside)
    assert first_rules.load_missing("ashburn") == ["table ip shopsphere_pod_guard"]
    assert asked == [
        ["nft", "list", "table", "inet", "shopsphere_fence"],
        ["nft", "list", "table", "ip", "shopsphere_pod_guard"],
        ["nft", "-f", str(disk / "pod-guard.nft")],
    ]
