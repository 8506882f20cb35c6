"""`lab up` and `lab down`: all hosts of the wanted regions, with complete clusters, or nothing at all."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import control_group, plan, record
from lab.cluster import addons, images
from lab.host import cgroups, power
from lab.hosts import Host, HostKind, LabHosts, load_hosts
from lab.images import build_images
from lab.own_folder import claim_folder, empty_folder, require_own_folder
from lab.paths import log_directory
from lab.pki import prepare_public
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.paths import lab_directory
from shopsphere.foundation.process import CommandError, tail
from shopsphere.foundation.progress import say, step
from shopsphere.topology import Topology, load_topology

_API_SECONDS = 90
_READY_SECONDS = 240
_AT_ONCE = 2  # two cores: more at once only makes each slower


def resolver_of(hosts: LabHosts) -> str:
    """Return the address of the lab's DNS resolver, which is the edge host's first address."""
    return str(next(host for host in hosts.hosts.values() if host.kind is HostKind.EDGE).address)


def up(regions: Iterable[str]) -> None:
    """Start what these regions need beside what already runs, and wait until every cluster is ready."""
    topology = load_topology(environment="lab")
    hosts = load_hosts(topology)
    claim_folder()
    wanted = record.add_regions(plan.expand(regions, topology))
    archives = build_images()
    with step("certificates"):
        prepare_public(topology.domain, topology.static_host)
    with step("WAN and cloud controller"):
        control_group.start()
    starting = plan.wanted_hosts(wanted, topology, hosts)
    with step(f"{len(starting)} hosts: {', '.join(host.name for host in starting)}"):
        for host in starting:
            start(host, topology, hosts)
    sites = plan.cluster_sites(wanted, topology)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for outcome in [pool.submit(_finish_cluster, site, topology, hosts, archives) for site in sites]:
            outcome.result()


def start(host: Host, topology: Topology, hosts: LabHosts) -> None:
    """Power a host on with the components that the wanted regions give it."""
    power.clear_run_directory(host.name)
    power.power_on(host, plan.components_of(host, record.regions(), topology), resolver=resolver_of(hosts))


def _finish_cluster(name: str, topology: Topology, hosts: LabHosts, archives: Mapping[str, Path]) -> None:
    site = topology.site(name)
    with step(f"{name}: API server"):
        wait_until(
            lambda: _answers(name),
            what=f"the API server of {name}",
            seconds=_API_SECONDS,
            explain=lambda: tail(log_directory(name) / "kube-apiserver.log"),
        )
    with step(f"{name}: images"):
        replaced = images.bring_in(name, archives)
        if replaced:
            addons.restart_users_of(name, replaced)
    with step(f"{name}: DNS inside the cluster, database operator"):
        addons.apply(site, resolver=resolver_of(hosts), operator=topology.pair_of(name) is not None)
    with step(f"{name}: node and add-ons ready"):
        wait_until(
            lambda: _is_ready(name),
            what=f"node and add-ons of {name}",
            seconds=_READY_SECONDS,
            explain=lambda: _pods(name),
        )


def _answers(site: str) -> bool:
    with contextlib.suppress(CommandError):
        return addons.kubectl(site, "get", "--raw", "/readyz", seconds=5) == "ok"
    return False


def _is_ready(site: str) -> bool:
    with contextlib.suppress(CommandError):
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
        with step("disks and state"):
            empty_folder()
    say("the lab is gone; tools and images stay in the cache")


def _known_hosts() -> list[str]:
    directory = lab_directory() / "hosts"
    return sorted(entry.name for entry in directory.iterdir()) if directory.is_dir() else []
