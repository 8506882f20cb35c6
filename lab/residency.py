"""Where the lab's data may be, who looks for it there, and customers who order at its front door."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from lab import plan, record
from lab.edge.components import EDGE_HOST, lab_settings
from lab.enter import run_inside
from lab.hosts import Host, HostKind, LabHosts, archive_host, client_host
from lab.paths import (
    control_directory,
    disk_directory,
    kubeconfig_path,
    log_directory,
    run_directory,
    witness_keys_folder,
)
from shopsphere.clients.postgres import cluster_path
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.paths import records_directory, state_directory
from shopsphere.estate.stack import EDGE, Environment
from shopsphere.estate.witness_seats import client_url, seats
from shopsphere.foundation.paths import REPOSITORY, cache_directory
from shopsphere.foundation.process import run
from shopsphere.residency.customer import Person
from shopsphere.residency.looking import PlaceReport
from shopsphere.residency.places import (
    CacheSpec,
    DatabaseSpec,
    EtcdSpec,
    FolderSpec,
    LinksSpec,
    ObjectsSpec,
    PlaceSpec,
    ZonesSpec,
)
from shopsphere.residency.plant import order_in
from shopsphere.residency.proving import Searched
from shopsphere.residency.searcher import REPORTS, Request
from shopsphere.topology import Topology

OPERATOR = "operator"
"""The machine itself: records of runs, states of stacks, the WAN's own log."""
LISTEN_SECONDS = 30.0
_INTERFACE = "eth0"
_CLUSTER_ETCD = "http://127.0.0.1:2379"
_NOBODY = ""
_MOUNTED = {"volumes": Path("/srv/volumes"), "var-log": Path("/var/log")}
"""Folders of a host's disk that are looked at where the host has them mounted."""
_ORDER_SECONDS = 90.0
_CACHE_PROGRAMS = ("varnishd", "cache-main", "hitch", "haproxy")


def searched(topology: Topology, hosts: LabHosts) -> list[Searched]:
    """Return every place of the lab, by host and jurisdiction; those of hosts that should run and do not, too."""
    regions = record.regions()
    clusters = set(plan.cluster_sites(regions, topology))
    sites = [_site(host, clusters, topology, hosts) for host in hosts.hosts.values() if host.kind is HostKind.SITE]
    nodes = [
        Searched(
            host.name,
            jurisdiction,
            (_links(host, hosts, _home_addresses(jurisdiction, topology)), *_folders(host.name)),
        )
        for host in hosts.hosts.values()
        if host.kind is HostKind.NODE and host.near and host.near.site in clusters
        for jurisdiction in [topology.jurisdiction_of(host.near.site)]
    ]
    return [*sites, *nodes, *_archives(topology, hosts), _edge(topology, hosts), *_operator(topology)]


def running_jurisdictions(topology: Topology) -> list[str]:
    """Return the jurisdictions whose shops the lab runs."""
    pairs = [topology.pair(region) for region in record.regions() if region in topology.pairs]
    return list(dict.fromkeys(pair.jurisdiction for pair in pairs))


def search(request: Request, seconds: float) -> list[PlaceReport]:
    """Look at places where they are: by a program inside the host, or on this machine for its own.

    Raises:
        HostOffError: the host has no power.
        CommandError: the program failed, or did not end in time.
    """
    command = _program("shopsphere.residency.searcher")
    text = request.model_dump_json()
    if request.at == OPERATOR:
        done = run(command, stdin=text, seconds=seconds)
    else:
        done = run_inside(request.at, command, stdin=text, seconds=seconds)
    return REPORTS.validate_json(done.stdout)


def order(jurisdiction: str, person: Person) -> str:
    """Order from where a jurisdiction's customers are, and return the order.

    Raises:
        CommandError: the shop did not take it; the message says what it answered.
    """
    command = _program("shopsphere.residency.customer")
    text = person.model_dump_json()
    return order_in(run_inside(client_host(jurisdiction), command, stdin=text, seconds=_ORDER_SECONDS).stdout)


def _program(module: str) -> list[str]:
    variables = [f"PYTHONPATH={REPOSITORY}", f"PYTHONPYCACHEPREFIX={cache_directory() / 'pycache'}"]
    # Customers' requests come first: the search is in no hurry.
    return [shutil.which("nice") or "nice", "-n", "10", "env", *variables, sys.executable, "-m", module]


def _site(host: Host, clusters: set[str], topology: Topology, hosts: LabHosts) -> Searched:
    site = host.name
    jurisdiction = topology.jurisdiction_of(site)
    own = _home_addresses(jurisdiction, topology)
    places: list[PlaceSpec] = [_links(host, hosts, own)]
    if site in clusters:
        kubeconfig = kubeconfig_path(site)
        if topology.pair_of(site):
            places += [
                DatabaseSpec(
                    name=f"database {each.name}",
                    kubeconfig=kubeconfig,
                    context=site,
                    path=cluster_path(each.namespace.name, each.cluster(site)),
                )
                for each in DATABASES
            ]
        places.append(ObjectsSpec(name="objects of the cluster", kubeconfig=kubeconfig, context=site))
        places.append(EtcdSpec(name="keys of the cluster's etcd", url=_CLUSTER_ETCD))
    places += [
        EtcdSpec(
            name=f"keys of the witness of {pair.name}",
            url=client_url(pair, site, topology),
            shared=True,
            keys=witness_keys_folder(pair.name),
        )
        for pair in topology.pairs.values()
        if pair.name in record.regions() and site in seats(pair, topology)
    ]
    return Searched(site, jurisdiction, (*places, *_folders(site)))


def _archives(topology: Topology, hosts: LabHosts) -> list[Searched]:
    """Return the archives of the jurisdictions that the lab runs; they may hold what their sites hold."""
    found = []
    for name in running_jurisdictions(topology):
        host = archive_host(name)
        if host in hosts.hosts:
            own = _home_addresses(name, topology)
            found.append(Searched(host, name, (_links(hosts.host(host), hosts, own), *_folders(host))))
    return found


def _edge(topology: Topology, hosts: LabHosts) -> Searched:
    settings = lab_settings()
    zones = [
        ZonesSpec(
            name=f"zones of {name}",
            url=f"http://127.0.0.1:{settings.inner_port(name)}",
            key_file=settings.dns_api_key_file,
            domain=topology.domain,
        )
        for name in settings.authorities
    ]
    cache = CacheSpec(
        name="memory of the CDN's cache",
        programs=_CACHE_PROGRAMS,
        port=settings.cache_port,
        host=topology.static_host,
    )
    run_files = FolderSpec(name="files of run/varnish", path=run_directory(EDGE_HOST) / "varnish")
    host = hosts.host(EDGE_HOST)
    links = _links(host, hosts, {str(each) for each in host.addresses})
    return Searched(EDGE, _NOBODY, (links, *zones, cache, run_files, *_folders(EDGE_HOST)))


def _operator(topology: Topology) -> list[Searched]:
    records = FolderSpec(name="records of runs and the audit chain", path=records_directory(Environment.LAB))
    network = FolderSpec(name="log of the network", path=control_directory(), kind="log")
    owners = [each for each in (*topology.jurisdictions, EDGE) if state_directory(each).is_dir()]
    states = [
        Searched(
            OPERATOR,
            _NOBODY if owner == EDGE else owner,
            (FolderSpec(name=f"Pulumi state of {owner}", path=state_directory(owner)),),
        )
        for owner in owners
    ]
    return [Searched(OPERATOR, _NOBODY, (records, network)), *states]


def _home_addresses(jurisdiction: str, topology: Topology) -> set[str]:
    """Return the addresses of a jurisdiction's sites and of its archive."""
    places = [address for each in topology.sites_of_jurisdiction(jurisdiction) for address in each.addresses]
    own = topology.jurisdictions.get(jurisdiction)
    return {str(address) for address in (*places, *([own.archive.address] if own and own.archive else ()))}


def _links(host: Host, hosts: LabHosts, own: Iterable[str]) -> LinksSpec:
    foreign = {
        str(address)
        for other in hosts.hosts.values()
        if other.kind in {HostKind.SITE, HostKind.NODE, HostKind.EDGE, HostKind.ARCHIVE} and other.name != host.name
        for address in other.addresses
    } - set(own)
    return LinksSpec(
        name="links to other jurisdictions",
        interface=_INTERFACE,
        foreign=tuple(sorted(foreign)),
        seconds=LISTEN_SECONDS,
    )


def _folders(host: str) -> list[FolderSpec]:
    """Return each folder of a host's disk as a place of its own, and its logs; what is new there is not forgotten."""
    disk = disk_directory(host)
    found = sorted(each for each in disk.iterdir() if each.is_dir()) if disk.is_dir() else []
    folders = [FolderSpec(name=f"files of {each.name}", path=_MOUNTED.get(each.name, each)) for each in found]
    folders.append(FolderSpec(name="files beside these", path=disk, deep=False))
    return [*folders, FolderSpec(name="logs of the host's programs", path=log_directory(host), kind="log")]
