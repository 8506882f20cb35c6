"""The last test: after everything of the lab was killed, `lab down` leaves nothing."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from database_session import Databases
from lab_access import Lab

from lab import record
from lab.host import cgroups, power
from lab.hosts import LabHosts
from lab.network.control import socket_path
from lab.paths import control_directory
from shopsphere.foundation.paths import lab_directory

KEEP = os.environ.get("SHOPSPHERE_KEEP_LAB") == "1"


def processes_naming(text: str) -> dict[int, str]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                command = (entry / "cmdline").read_text().replace("\0", " ")
                if text in command:
                    found[int(entry.name)] = command
    return found


@pytest.mark.skipif(KEEP, reason="SHOPSPHERE_KEEP_LAB=1 keeps the lab for the next run")
@pytest.mark.requirement("`make down` leaves nothing of ours, also after kill -9 of everything")
def test_down_after_kill_leaves_nothing(lab: Lab, hosts: LabHosts, databases: Databases) -> None:
    databases.end()  # the programs of earlier tests are no leftovers of the lab
    for pid in cgroups.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for pid in processes_naming("lab.network.daemon") | processes_naming(str(control_directory())):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    lab("lab", "down")

    assert not cgroups.processes()
    assert not list(Path("/sys/fs/cgroup").glob("*/shopsphere"))
    assert not processes_naming(str(lab_directory()))
    assert not processes_naming("lab.cloud_controller")
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert hosts.workstation.interface not in links
    assert str(lab_directory()) not in Path("/proc/self/mountinfo").read_text()
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True, check=False).stdout
    assert "kube" not in rules.lower()
    assert not socket_path().exists()
    assert record.regions() == []
    assert not any(power.is_on(name) for name in hosts.hosts)
