"""The role of this site's databases, as the site's own API shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any

from runbooks.agent.own_servers import pods_with_servers
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.postgres import (
    CONTAINER,
    await_leading,
    await_standby,
    cluster_path,
    follows,
    has_one_leader,
    leading_pod,
)
from shopsphere.estate.databases import DATABASES
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.foundation.side_by_side import at_each

_WAIT_SECONDS = 5.0
"""Seconds that a question waits inside a pod for a change of role: entering is expensive, waiting inside is not."""
_Proof = tuple[str, str, str]
"""The one that leads, the pod that is a standby below it, and that pod's container: one that starts anew is asked."""
_PROOF_SECONDS = 10.0
"""Seconds of silence that a proof outlives; in a longer one another instance may have led and lost that again.

It takes CloudNativePG 13 s at least to let another one lead. A proof that ended with the first answer that is missing
would shut a healthy node whenever the machine is too busy to start a process inside a pod in time.
"""
Servers = Callable[[], AbstractSet[str]]
"""Returns the identity of each pod on this host in which PostgreSQL runs."""
_NODE_SECONDS = 0.5
"""Seconds that it waits where an instance is mostly a standby already."""


class Role(StrEnum):
    """What the databases of a site are.

    `replica`: every one follows the other site, and PostgreSQL itself refuses writes. `primary`: at least one is told
    to take writes, or would take them if it were reached.
    """

    REPLICA = "replica"
    PRIMARY = "primary"


class OldPrimaryError(NoAnswerError):
    """A server on this node may take writes, though another instance of its site leads: no silence, but an answer."""


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


class NodeRole(SiteRole):
    """The role of a site's databases, as the agent of a further node asks for it; used by one thread.

    An instance on the node that led before, and has not heard that another one does, goes on taking writes for a while.
    So each instance here that does not lead has to be proven a standby by its own files before anything is known.

    Args:
        site: whose databases they are.
        node: this one.
        clock: says for how long nothing was heard.
        servers: returns the identity of each pod on this host in which PostgreSQL runs.
    """

    def __init__(
        self,
        site: str,
        node: str,
        clock: Clock = SYSTEM_CLOCK,
        servers: Servers = pods_with_servers,
    ) -> None:
        super().__init__(site)
        self._node = node
        self._clock, self._servers = clock, servers
        self._listed: set[str] = set()  # identities of the instances' pods, as this look found them
        self._standbys: dict[str, tuple[float, frozenset[_Proof]]] = {}  # by database, with when they held last

    def ask(self, cluster: Cluster) -> Role:
        """Return what `SiteRole.ask` returns.

        Raises:
            OldPrimaryError: an instance on this node is not a standby, though another one leads.
            ShopSphereError: as there.
        """
        asked = self._clock.monotonic()
        found = _databases(cluster, self._site)
        self._listed.clear()
        at_each(found, lambda each: self._prove_standbys(cluster, each, asked))
        self._require_known_servers(cluster)
        return self._role_of(cluster, found)

    def _prove_standbys(self, cluster: Cluster, document: Document, asked: float) -> None:
        """Prove each instance of a database on this node a standby that does not lead.

        Raises:
            OldPrimaryError: one that has to be is not.
            ShopSphereError: one does not answer.
        """
        name = document["metadata"]["name"]
        leader = document.get("status", {}).get("currentPrimary") or ""
        heard, proofs = self._standbys.get(name, (asked, frozenset()))
        holding = frozenset(each for each in proofs if each[0] == leader and asked - heard <= _PROOF_SECONDS)
        self._standbys[name] = heard, holding  # whatever is asked now: those of another leader are over
        self._standbys[name] = asked, self._standbys_of(cluster, document, leader, holding)

    def _standbys_of(
        self, cluster: Cluster, document: Document, leader: str, holding: frozenset[_Proof]
    ) -> frozenset[_Proof]:
        proven = set()
        name, namespace = document["metadata"]["name"], document["metadata"]["namespace"]
        path, instances = f"/api/v1/namespaces/{namespace}/pods", f"cnpg.io/cluster={name},cnpg.io/podRole=instance"
        for pod in cluster.items_of_known_kind(path, labelSelector=instances):
            own, container = pod["metadata"]["name"], self._running(pod)
            self._listed.add(pod["metadata"]["uid"])
            if not leader or own == leader or not container:
                continue
            proof = (leader, pod["metadata"]["uid"], container)
            if proof in holding or (files := await_standby(cluster, namespace, own, seconds=_NODE_SECONDS)).is_standby:
                proven.add(proof)
            elif files.has_server:  # without one it becomes a standby: `pg_rewind` asks the leader from here for that
                raise OldPrimaryError(f"{own} on {self._node} is no standby, though {leader} leads")
        return frozenset(proven)

    def _require_known_servers(self, cluster: Cluster) -> None:
        """Make sure that the API knows the pod of each server here: nobody could say of another whether it leads.

        Raises:
            OldPrimaryError: it does not know one.
            ShopSphereError: it does not answer.
        """
        if not self._servers() - self._listed:
            return
        pods = cluster.items_of_known_kind("/api/v1/pods", fieldSelector=f"spec.nodeName={self._node}")
        # Asked for again: one that ended meanwhile is no server.
        if forgotten := self._servers() - {pod["metadata"]["uid"] for pod in pods}:
            raise OldPrimaryError(
                f"PostgreSQL runs on {self._node} in pods that the API has forgotten: {', '.join(sorted(forgotten))}"
            )

    def _running(self, pod: Document) -> str:
        """Return the container of an instance that runs on this node, or nothing: one that starts asks who leads."""
        if pod["spec"].get("nodeName") != self._node:
            return ""
        found = pod.get("status", {}).get("containerStatuses") or ()
        running = [each for each in found if each["name"] == CONTAINER and "running" in (each.get("state") or {})]
        return str(running[0].get("containerID") or "not named") if running else ""


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
