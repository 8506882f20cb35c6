"""`lab up` and `lab down`: all hosts of the wanted regions, with complete clusters, or nothing at all."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import control_group, first_rules, node_count, plan, record
from lab.cluster import addons, images, rebuilt
from lab.cluster.nodes import nodes_of
from lab.host import cgroups, power, supervision
from lab.hosts import Host, HostKind, LabHosts, load_hosts
from lab.images import build_archives
from lab.own_folder import claim_folder, empty_folder, require_own_folder
from lab.paths import log_directory, run_directory
from lab.pki import prepare_public
from lab.witness import secure_witness
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import lab_directory
from shopsphere.foundation.process import CommandError, tail
from shopsphere.foundation.progress import say, step
from shopsphere.foundation.side_by_side import at_each
from shopsphere.topology import Topology, load_topology

_API_SECONDS = 90
_READY_SECONDS = 240
_RUNNING_SECONDS = 60
_AT_ONCE = 2  # two cores: more at once only makes each slower


def resolver_of(hosts: LabHosts) -> str:
    """Return the address of the lab's DNS resolver, which is the edge host's first address."""
    return str(next(host for host in hosts.hosts.values() if host.kind is HostKind.EDGE).address)


def up(regions: Iterable[str], nodes: int | None = None) -> None:
    """Start what these regions need beside what already runs, and wait until every cluster is ready.

    Args:
        regions: which.
        nodes: of each site; None for as many as the lab has, one if it is new.

    Raises:
        NodesError: it is no number that this lab can have.
    """
    if nodes is not None:
        node_count.choose(nodes)
    topology = load_topology(environment="lab")
    hosts = load_hosts(topology)
    claim_folder()
    wanted = record.add_regions(plan.expand(regions, topology))
    archives = {archive.reference: archive.path for archive in build_archives()}
    with step("certificates"):
        prepare_public(topology.domain, topology.static_host)
    with step("WAN and cloud controller"):
        control_group.start()
    starting = plan.wanted_hosts(wanted, topology, hosts)
    with step(f"{len(starting)} hosts: {', '.join(host.name for host in starting)}"):
        for host in starting:
            start(host, topology, hosts)
    pairs = [topology.pair(region) for region in wanted if region in topology.pairs]
    with step(f"witnesses: users and rights ({', '.join(pair.name for pair in pairs)})"):
        at_each(pairs, lambda pair: secure_witness(pair, topology))
    sites = plan.cluster_sites(wanted, topology)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for outcome in [pool.submit(_finish_cluster, site, topology, hosts, archives) for site in sites]:
            outcome.result()
    names = [host.name for host in starting]
    with step("every program runs"):
        wait_until(
            lambda: not _not_running(names),
            what="all programs of the hosts",
            seconds=_RUNNING_SECONDS,
            explain=lambda: "\n".join(_not_running(names)),
        )


def start(host: Host, topology: Topology, hosts: LabHosts) -> None:
    """Power a host on with the components that the wanted regions give it."""
    power.clear_run_directory(host.name)
    components = plan.components_of(host, record.regions(), topology)
    if power.is_on(host.name):
        first_rules.load_missing(host.name)
        first_rules.load_firewall(host.name)
    power.power_on(host, components, resolver=resolver_of(hosts))


def _finish_cluster(name: str, topology: Topology, hosts: LabHosts, archives: Mapping[str, Path]) -> None:
    site = topology.site(name)
    with step(f"{name}: API server"):
        wait_until(
            lambda: _answers(name),
            what=f"the API server of {name}",
            seconds=_API_SECONDS,
            explain=lambda: tail(log_directory(name) / "kube-apiserver.log"),
        )
        addons.apply_rights(topology, name)
    with step(f"{name}: images"):
        replaced = {each for node in nodes_of(site) for each in images.bring_in(node.name, archives)}
        rebuilt.roll_workloads(name, replaced)
    with step(f"{name}: DNS inside the cluster, database operator"):
        addons.apply(site, resolver=resolver_of(hosts), operator=topology.pair_of(name) is not None)
    with step(f"{name}: node and add-ons ready"):
        wait_until(
            lambda: _is_ready(name, nodes=len(site.addresses)),
            what=f"node and add-ons of {name}",
            seconds=_READY_SECONDS,
            explain=lambda: _pods(name),
        )
    with step(f"{name}: jobs of rebuilt images"):  # a job's old pod ends on a node, so nodes are ready before
        rebuilt.repeat_jobs(name, replaced)
        for node in nodes_of(site):
            images.forget_replaced(node.name)


def _not_running(hosts: Iterable[str]) -> list[str]:
    """Return each component that does not run, and what it said last: nobody else may ask for it for days."""

    def of(host: str) -> list[str]:
        states = supervision.states(run_directory(host))
        return [
            f"{host} {name}: {state}\n{tail(log_directory(host) / f'{name}.log', 2)}"
            for name, state in states.items()
            if state != supervision.RUNNING
        ]

    return [each for found in at_each(list(hosts), of) for each in found]


def _answers(site: str) -> bool:
    with contextlib.suppress(CommandError):
        return addons.kubectl(site, "get", "--raw", "/readyz", seconds=5) == "ok"
    return False


def _is_ready(site: str, *, nodes: int) -> bool:
    with contextlib.suppress(CommandError):
        if len(addons.kubectl(site, "get", "nodes", "--no-headers", "-o", "name", seconds=10).split()) < nodes:
            return False
        addons.kubectl(site, "wait", "--for=condition=Ready", "node", "--all", "--timeout=1s", seconds=10)
        selector = ["deployment", "--all-namespaces", "--selector", "shopsphere.io/add-on", "--timeout=1s"]
        addons.kubectl(site, "wait", "--for=condition=Available", *selector, seconds=10)
        return True
    return False


def _pods(site: str) -> str:
    return addons.kubectl(site, "get", "pods", "--all-namespaces", "--no-headers", check=False, seconds=10)


def down(*, keep_disks: bool = False) -> None:
    """Stop everything of the lab and remove what it left; with `keep_disks` a later `up` finds disks and state."""
    require_own_folder()
    names = _known_hosts()
    with step(f"power off {len(names)} hosts"):
        for name in names:
            power.power_off(name)
        for pid in cgroups.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    with step("WAN and cloud controller"):
        control_group.stop()
        cgroups.remove()
    record.forget()
    if not keep_disks:
        node_count.forget()
    if not keep_disks:
        with step("disks and state"):
            empty_folder()
    say("the lab is gone; tools and images stay in the cache")


def _known_hosts() -> list[str]:
    directory = lab_directory() / "hosts"
    return sorted(entry.name for entry in directory.iterdir()) if directory.is_dir() else []
