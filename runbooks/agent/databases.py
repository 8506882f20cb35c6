"""The role of this site's databases, as the site's own API shows it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.postgres import (
    await_leading,
    await_standby,
    cluster_path,
    follows,
    has_one_leader,
    leading_pod,
)
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.side_by_side import at_each

_WAIT_SECONDS = 5.0
"""Seconds that a question waits inside a pod for a change of role: entering is expensive, waiting inside is not."""


class Role(StrEnum):
    """What the databases of a site are.

    `replica`: every one follows the other site, and PostgreSQL itself refuses writes. `primary`: at least one is told
    to take writes, or would take them if it were reached.
    """

    REPLICA = "replica"
    PRIMARY = "primary"


class SiteRole:
    """The role of a site's databases together; used by one thread.

    A database that is told to follow goes on taking writes until its operator has made it a standby, which a dead
    operator never does. So it counts as a replica only when its own files prove that it is one.

    Args:
        site: whose databases they are.
    """

    def __init__(self, site: str) -> None:
        self._site = site
        self._proven: set[str] = set()

    def ask(self, cluster: Cluster) -> Role:
        """Return `replica` if every database is proven to be one, else `primary`.

        Raises:
            ShopSphereError: the API, or a database that is becoming a standby, does not answer, or one of them is
                not there: nothing new is known.
        """
        return self._role_of(cluster, _databases(cluster, self._site))

    def _role_of(self, cluster: Cluster, found: Sequence[Document]) -> Role:
        return Role.REPLICA if all(at_each(found, lambda each: self._is_replica(cluster, each))) else Role.PRIMARY

    def _is_replica(self, cluster: Cluster, document: dict[str, Any]) -> bool:
        own = document["metadata"]["uid"]
        if not follows(document):
            self._proven.discard(own)
            return False
        if own not in self._proven:
            if not has_one_leader(document):
                return False
            files = await_standby(
                cluster, document["metadata"]["namespace"], leading_pod(document), seconds=_WAIT_SECONDS
            )
            if not files.is_standby:
                return False
            self._proven.add(own)
        return True


def all_lead(cluster: Cluster, site: str) -> bool:
    """Return whether every database of a site takes writes: as soon as all do, or after 5 s.

    Raises:
        ShopSphereError: the API or a database does not answer, or one of them is not there.
    """

    def leads(document: dict[str, Any]) -> bool:
        return await_leading(cluster, document["metadata"]["namespace"], leading_pod(document), seconds=_WAIT_SECONDS)

    return all(at_each(_databases(cluster, site), leads))


def _databases(cluster: Cluster, site: str) -> list[Document]:
    """Return the cluster of each database of a site, asked for by name.

    A list would leave out one whose labels were taken away, and "all of them" would then be said of the others, or of
    none, while its PostgreSQL may still take writes.

    Raises:
        NotFoundError: one of them is not there, or the API does not know the kind.
    """
    return at_each(DATABASES, lambda each: cluster.get(cluster_path(each.namespace.name, each.cluster(site))))
