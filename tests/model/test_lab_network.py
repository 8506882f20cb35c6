"""Nobody asks the lab's addresses where no lab runs: what answers there is a stranger's."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

import cli.main
from cli import common
from lab.hosts import LabHosts, Workstation
from lab.network import presence
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.paths import LAB_VARIABLE

_ASKING = {
    "status": ["all"],
    "preview": ["rdc-a"],
    "up": ["rdc-a"],
    "destroy": ["rdc-a"],
    "doctor": ["rdc-a"],
    "ready": ["rdc-a"],
    "reconcile": ["rdc-a"],
    "drill": ["rdc-a"],
    "failover": ["rdc-a", "--planned", "--reason", "x"],
    "failback": ["rdc-a", "--reason", "x"],
    "break-glass": ["rdc-a", "--to", "dublin", "--reason", "x"],
    "rebuild": ["dublin", "--reason", "x"],
    "watch": ["rdc-a"],
}
_READING = {"history": [], "env": ["frankfurt"], "region": ["facts", "rdc-a"]}


def _network(address: str, network: str, monkeypatch: pytest.MonkeyPatch) -> None:
    workstation = Workstation(address=IPv4Address(address), interface="any", rtt_ms=1)
    hosts = LabHosts(network=IPv4Network(network), workstation=workstation, hosts={})
    monkeypatch.setattr(presence, "load_hosts", lambda _: hosts)


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a stranger was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "sendto", refuse)


@pytest.mark.requirement("network targets are loopback and the lab's own networks")
@pytest.mark.parametrize("verb", _ASKING)
def test_a_verb_that_asks_is_refused_where_no_lab_runs(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_sockets: None
) -> None:
    monkeypatch.setattr(common, "lab_is_here", lambda: False)
    assert cli.main.run([verb, *_ASKING[verb]]) == ExitCode.FAILED
    told = capsys.readouterr().err
    assert "no lab runs on this machine" in told
    assert "make up" in told


@pytest.mark.parametrize("verb", _READING)
def test_a_verb_that_reads_files_works_without_a_lab(
    verb: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(LAB_VARIABLE, str(tmp_path))
    asked: list[str] = []
    monkeypatch.setattr(common, "lab_is_here", lambda: asked.append(verb))
    assert cli.main.run([verb, *_READING[verb]]) == ExitCode.GOOD
    assert asked == []


def test_production_is_asked_without_a_lab(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(common, "lab_is_here", lambda: False)
    cli.main.run(["reconcile", "nowhere", "--environment", "prod"])
    assert "no lab runs" not in capsys.readouterr().err


def test_an_address_in_the_network_is_what_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    _network("127.0.0.1", "127.0.0.0/8", monkeypatch)
    assert presence.is_here()
    _network("198.51.100.1", "198.51.100.0/24", monkeypatch)
    assert not presence.is_here()
