"""Databases replicate to and from the two sites of their pair and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import DATABASE_GROUP, is_database
from policies.reading import Node, mapping, nodes, text, texts
from policies.residency.replication_peers import Peers
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.verdict import violation
from shopsphere.foundation.finding import Finding, Severity

HOST_PARAMETERS = ("host", "hostaddr")
"""libpq connects to `hostaddr` where both are given, and either may be a list."""
REDIRECTING_PARAMETERS = ("service", "servicefile")
"""libpq takes the host from a file, which nobody sees here."""
SOURCES_OUTSIDE_STREAMING = ("barmanObjectStore", "plugin")


def applies(resource: Resource) -> bool:
    """Return whether it is a database or subscribes to one."""
    return is_database(resource) or (resource.group == DATABASE_GROUP and resource.kind == "Subscription")


def check(resource: Resource) -> Iterator[Finding]:
    """Find every peer that is not a member of the pair."""
    if resource.site not in topology_of(resource).sites:
        if not is_database(resource):
            yield violation("no label of a known site", "the label shopsphere.io/site")
        return  # of databases RES-001 asks for the label
    if resource.kind == "Subscription":
        name = text(resource.props, "spec", "externalClusterName")
        peers = Peers.of(resource, name)
        if name not in peers.names:
            yield violation(f"spec.externalClusterName: {name or 'missing'}", peers.described)
        return
    own = text(resource.props, "metadata", "name")
    peers = Peers.of(resource, own)
    if own != peers.own:
        yield violation(f"metadata.name: {own or 'generated'}", f"<database>-{resource.site}")
        return
    spec = mapping(resource.props, "spec")
    for path, name in _names(spec):
        if name not in peers.names:
            yield violation(f"spec.{path}: {name or 'missing'}", peers.described)
    for at, cluster in enumerate(nodes(spec, "externalClusters")):
        yield from _outside_cluster(f"spec.externalClusters[{at}]", cluster, peers)


def _names(spec: Node) -> Iterator[tuple[str, str]]:
    """Yield each name of another cluster, by its path."""
    for key in ("self", "primary", "source"):
        if key in mapping(spec, "replica"):
            yield f"replica.{key}", text(spec, "replica", key)
    for way in ("pg_basebackup", "recovery"):
        if way in mapping(spec, "bootstrap"):
            yield f"bootstrap.{way}.source", text(spec, "bootstrap", way, "source")
    imported = mapping(spec, "bootstrap", "initdb", "import")
    if imported:
        yield "bootstrap.initdb.import.source", text(imported, "source", "externalCluster")
    for key in ("standbyNamesPre", "standbyNamesPost"):
        for name in texts(spec, "postgresql", "synchronous", key):
            yield f"postgresql.synchronous.{key}", name
    for at, cluster in enumerate(nodes(spec, "externalClusters")):
        yield f"externalClusters[{at}].name", text(cluster, "name")


def _outside_cluster(path: str, cluster: Node, peers: Peers) -> Iterator[Finding]:
    parameters = mapping(cluster, "connectionParameters")
    hosts = [(key, host.strip()) for key in HOST_PARAMETERS for host in text(parameters, key).split(",") if host]
    if not hosts:
        yield violation(f"{path} has no host in connectionParameters", peers.described_hosts)
    for key, host in hosts:
        if not peers.is_host(host):
            yield violation(f"{path}.connectionParameters.{key}: {host}", peers.described_hosts)
    for key in REDIRECTING_PARAMETERS:
        if key in parameters:
            yield violation(f"{path}.connectionParameters.{key}", "a host that is written here")
    for key in SOURCES_OUTSIDE_STREAMING:
        if key in cluster:
            yield violation(f"{path}.{key}, a store that may be anywhere", "streaming from a member of the pair")


RULE = ResourceRule(
    id="RES-010",
    name="database-replication-inside-pair",
    reason="A standby is a full copy: in another jurisdiction it is an export of everybody's data.",
    severity=Severity.CRITICAL,
    remediation="name only clusters and addresses of the pair's two sites (topology.yaml: pairs, sites)",
    applies=applies,
    check=check,
)
