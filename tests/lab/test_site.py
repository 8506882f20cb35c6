"""A site is a complete Kubernetes with racks and power, and it is supervised."""

import os
import signal
from contextlib import closing
from pathlib import Path

import pytest
from lab_access import At, Kube, Lab
from present import present

from lab.host import cgroups, supervision
from lab.paths import log_directory, run_directory
from shopsphere.estate.stack import Environment
from shopsphere.estate.witness_seats import client_url, ports, seats
from shopsphere.foundation.clock import wait_until
from shopsphere.topology import Topology, load_topology
from shopsphere.topology.quantities import parse_quantity
from shopsphere.witness.access import witness_of

SITES = ["frankfurt", "dublin", "ashburn", "chicago"]


@pytest.mark.requirement("a complete Kubernetes per site")
@pytest.mark.parametrize("site", SITES)
def test_node_is_ready_and_carries_racks_and_power(kube: Kube, topology: Topology, site: str) -> None:
    nodes = kube(site, "nodes")["items"]
    racks, watts = list[str](), 0
    for node in nodes:
        conditions = {c["type"]: c["status"] for c in node["status"]["conditions"]}
        assert conditions["Ready"] == "True"
        labels = node["metadata"]["labels"]
        assert labels["shopsphere.io/site"] == site
        assert labels["topology.kubernetes.io/region"] == topology.jurisdiction_of(site)
        capacity = node["status"]["capacity"]
        watts += int(parse_quantity(capacity["shopsphere.io/watts"]))
        own = [name for name in capacity if name.startswith("rack.shopsphere.io/")]
        assert labels["shopsphere.io/racks"] == str(len(own))
        racks += own
    assert watts == 150_000
    assert len(racks) == len(set(racks)) == topology.site(site).racks
    assert {node["metadata"]["name"] for node in nodes} == set(load_topology(environment="lab").site(site).nodes)


@pytest.mark.requirement("a crashed component comes back, its log is easy to reach")
def test_crashed_scheduler_comes_back(lab: Lab) -> None:
    before = present(pid_of("frankfurt", "kube-scheduler"))
    os.kill(before, signal.SIGKILL)
    run = run_directory("frankfurt")
    wait_until(
        lambda: pid_of("frankfurt", "kube-scheduler") not in {None, before}
        and supervision.states(run)["kube-scheduler"] == "RUNNING",
        what="the scheduler",
        seconds=120,
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
    well = dict.fromkeys((client_url(pair, voter, topology) for voter in seats(pair, topology)), "")
    with closing(witness_of("rdc-a", Environment.LAB)) as witness:

        def found() -> dict[str, str]:
            return {each.url: each.problem for each in witness.each_voter()}

        wait_until(lambda: found() == well, what="three voters that are well", seconds=60, explain=lambda: str(found()))


@pytest.mark.requirement("a witness speaks with nobody who has none of its certificates, at no voter and no port")
@pytest.mark.parametrize("host", ["client-eu", "client-us", "edge", "frankfurt", "psp"])
def test_a_witness_is_closed_to_strangers(at: At, topology: Topology, host: str) -> None:
    pair = topology.pair("rdc-a")
    for voter in seats(pair, topology):
        for port in ports(pair, topology):
            place = f"{topology.site(voter).address}:{port}"
            for url in (f"https://{place}/version", f"http://{place}/version", f"https://{place}/v3/kv/range"):
                done = at(host, "curl", "-sS", "-k", "-f", "-m", "5", "-d", '{"key":"Lw=="}', url, check=False)
                assert done.code != 0, (url, done.stdout)
                assert "etcdserver" not in done.stdout
