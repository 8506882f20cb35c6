"""A site's databases: their role from themselves, their condition from their operator."""

from __future__ import annotations

from typing import Any

from shopsphere.clients.cluster import PART_OF, Cluster
from shopsphere.clients.cluster_errors import ClusterError
from shopsphere.clients.postgres import CLUSTERS, ask_instance
from shopsphere.clients.succession import succession_of
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.status.model import Database, Replication


def databases_of(cluster: Cluster, pair: str, kubectl: SiteKubectl) -> tuple[Database, ...]:
    """Return a site's databases.

    Args:
        cluster: of the site.
        pair: that the site is of; empty for none.
        kubectl: how a person calls it there.

    Raises:
        ClusterError: the API does not answer; a database that does not is `unknown`.
    """
    documents = cluster.items(CLUSTERS, labelSelector=PART_OF)
    return tuple(_database(cluster, document, pair, kubectl) for document in documents)


def _database(cluster: Cluster, document: dict[str, Any], pair: str, kubectl: SiteKubectl) -> Database:
    succession = succession_of(document)
    may_lead = succession.may_lead if succession else None
    metadata, status = document["metadata"], document.get("status", {})
    name = metadata.get("labels", {}).get("app.kubernetes.io/name", metadata["name"])
    condition = status.get("phase", "not looked at by its operator yet")
    pod = status.get("currentPrimary")
    if not pod:
        return Database(name, "unknown", condition, None, (), f"{metadata['name']} has no instance: {condition}")
    try:
        answer = ask_instance(cluster, metadata["namespace"], pod)
    except ClusterError as error:
        lost = succession.without_leader(pair, kubectl) if succession else ""
        return Database(name, "unknown", condition, None, (), f"{lost} ({error})" if lost else str(error), may_lead)
    return describe(name, condition, answer, may_lead)


def describe(name: str, condition: str, answer: dict[str, Any], may_lead: tuple[str, ...] | None = None) -> Database:
    """Turn an instance's answer into a database's status."""
    role = "standby" if answer["in_recovery"] else "primary"
    receiver = answer["receiver"]
    streams = [
        Replication(each["name"], each["state"], each["sync"], each["lag_ms"], each["lag_bytes"])
        for each in answer["followers"]
    ]
    if receiver:
        streams.append(
            Replication(receiver["from"] or "", receiver["state"], "", receiver["lag_ms"], receiver["lag_bytes"])
        )
    problem = _problem(name, receiver) if role == "standby" else ""
    return Database(name, role, condition, int(answer["bytes"]), tuple(streams), problem, may_lead)


def _problem(name: str, receiver: dict[str, Any] | None) -> str:
    """Return what is wrong with a standby that receives in this way; empty for nothing."""
    if not receiver:
        return f"{name} follows nobody"
    if receiver["state"] != "streaming":  # over and over again where it has more than who leads by now
        return f"{name} does not stream ({receiver['state']}); if that stays, `shopsphere ready` says what to do"
    return ""
