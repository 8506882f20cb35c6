"""Which role this site's databases have, as their own cluster says."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from components.databases import LEDGER
from shopsphere.storage.cluster import PART_OF, Cluster
from shopsphere.storage.postgres import ask_instance

CLUSTERS = "/apis/postgresql.cnpg.io/v1/clusters"


class Role(StrEnum):
    """What the databases of a site are told to be.

    `replica`: every one follows the other site, and PostgreSQL itself refuses writes. `primary`: at least one would
    take writes if it were reached.
    """

    REPLICA = "replica"
    PRIMARY = "primary"


def role_of(cluster: Cluster) -> Role:
    """Return the role of this site's databases together.

    Raises:
        ClusterUnreachableError: the API does not answer, and so nothing is known.
    """
    found = cluster.items(CLUSTERS, labelSelector=PART_OF)
    return Role.REPLICA if all(follows(document) for document in found) else Role.PRIMARY


def follows(document: dict[str, Any]) -> bool:
    """Whether a CloudNativePG cluster is told to follow another one."""
    replica = document["spec"].get("replica", {})
    return bool(replica) and replica.get("primary") != replica.get("self", document["metadata"]["name"])


def ledger_is_synchronous(cluster: Cluster, site: str, peer: str) -> bool:
    """Whether the ledger itself, at this site, says that the other site confirms every row before it is acknowledged.

    Raises:
        ClusterUnreachableError: the API or the instance does not answer.
    """
    namespace, own = LEDGER.namespace.name, LEDGER.cluster(site)
    document = cluster.get(f"{CLUSTERS.replace('/clusters', '')}/namespaces/{namespace}/clusters/{own}")
    pod = document.get("status", {}).get("currentPrimary")
    followers = ask_instance(cluster, namespace, pod)["followers"] if pod else []
    return any(each["name"] == LEDGER.cluster(peer) and each["sync"] == "sync" for each in followers)
