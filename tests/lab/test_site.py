"""A site is a complete Kubernetes with racks and power, and it is supervised."""

import os
import signal
from pathlib import Path

import pytest
from lab_access import At, Kube, Lab
from present import present

from lab.host import cgroups, supervision
from lab.paths import log_directory, run_directory
from shopsphere.estate.witness_seats import client_url, seats
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import Topology

SITES = ["frankfurt", "dublin", "ashburn", "chicago"]


@pytest.mark.requirement("a complete Kubernetes per site")
@pytest.mark.parametrize("site", SITES)
def test_node_is_ready_and_carries_racks_and_power(kube: Kube, topology: Topology, site: str) -> None:
    (node,) = kube(site, "nodes")["items"]
    conditions = {c["type"]: c["status"] for c in node["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    labels = node["metadata"]["labels"]
    assert labels["shopsphere.io/site"] == site
    assert labels["topology.kubernetes.io/region"] == topology.jurisdiction_of(site)
    assert labels["shopsphere.io/racks"] == str(topology.site(site).racks)
    capacity = node["status"]["capacity"]
    assert capacity["shopsphere.io/watts"] == "150k"
    racks = [name for name in capacity if name.startswith("rack.shopsphere.io/")]
    assert len(racks) == topology.site(site).racks


@pytest.mark.requirement("a crashed component comes back, its log is easy to reach")
def test_crashed_scheduler_comes_back(lab: Lab) -> None:
    before = present(pid_of("frankfurt", "kube-scheduler"))
    os.kill(before, signal.SIGKILL)
    run = run_directory("frankfurt")
    wait_until(
        lambda: pid_of("frankfurt", "kube-scheduler") not in {None, before}
        and supervision.states(run)["kube-scheduler"] == "RUNNING",
        what="the scheduler",
        seconds=30,
    )
    assert (log_directory("frankfurt") / "kube-scheduler.log").stat().st_size > 0
    assert lab("lab", "logs", "frankfurt", "kube-scheduler").stdout.strip()


def pid_of(host: str, program: str) -> int | None:
    for pid in cgroups.processes(host):
        try:
            if Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0].endswith(f"/{program}"):
                return pid
        except OSError:
            continue
    return None


@pytest.mark.requirement("witness etcd members at their hosts, running and healthy")
def test_witness_has_three_healthy_voters(at: At, topology: Topology) -> None:
    pair = topology.pair("rdc-a")
    assert "frankfurt" not in seats(pair, topology)
    assert "dublin" not in seats(pair, topology)
    for voter in seats(pair, topology):
        answer = at("ops", "curl", "-sS", "-m", "5", client_url(pair, voter, topology) + "/health").stdout
        assert '"health":"true"' in answer
