"""The place of a further node in its site: whether what runs there may write, and whether it may confirm to the peer.

Two things go wrong on a node that has lost its site. An instance that led goes on taking writes beside the one that
leads by now. And at a site that follows, one goes on receiving from the other site, and confirms payments that the
instance which its site would promote lacks. The site's API says who leads. While it is silent, the kernel says what can
be said without it (ADR 46).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from runbooks.agent.leads import NOWHERE, Lead, lead_of, pods_on
from runbooks.agent.own_servers import Server, servers_here
from runbooks.agent.sight import Sight
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.clients.postgres import await_standby, cluster_path, has_one_leader
from shopsphere.clients.questions import CONTAINER
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each

_Proof = tuple[str, str, str]
"""The one that leads, the pod that is a standby below it, and that pod's container: one that starts anew is asked."""
_PROOF_SECONDS = 10.0
"""Seconds that a proof lasts after the server was seen to follow, or its files were asked.

In a longer time another instance may have led and lost that again. It takes CloudNativePG 13 s at least to let another
one lead. A proof that ended with the first answer that is missing
would shut a healthy node whenever the machine is too busy to start a process inside a pod in time.
"""
_NODE_SECONDS = 0.5
"""Seconds that a question waits inside a pod, where an instance is mostly a standby already."""
Servers = Callable[[], Mapping[str, Server]]
"""Returns the server of each pod on this host in which PostgreSQL runs, by the pod's identity."""


class OldPrimaryError(NoAnswerError):
    """A server on this node may take writes, though another instance of its site leads: no silence, but an answer."""


@dataclass(frozen=True)
class Found:
    """What one look says.

    Attributes:
        heard: the API says who leads each database; or it is silent, the ledger's leader is here, and all others of the
            ledger follow it.
        old_primary: why a server here writes beside the one that leads; empty when none is known to.
        unknown: why that cannot be told of one; empty when it can be told of all.
        silent: the API has not said who leads each database.
        follows: the kernel shows servers here, and that every one follows another one.
        leaving: what leads here is to be replaced by an instance elsewhere.
        elsewhere: replication ports of the databases that did not lead here when the API answered last.
    """

    heard: bool
    old_primary: str = ""
    unknown: str = ""
    silent: bool = False
    follows: bool = False
    leaving: bool = False
    elsewhere: frozenset[int] = frozenset()


class Place(Protocol):
    """Looks at a node's instances."""

    def look(self) -> Found:
        """Return what is known now; raises OSError where the kernel does not show processes."""

    def glance(self) -> Found:
        """Return at once what is known without the API; raises as `look` does."""


@dataclass
class _Of:
    """What is known of one database.

    Attributes:
        pods: identities of its instances' pods.
        harmless: of those on this node, what leads, does not run, or is proven a standby.
        problem: why not more is known.
        old_primary: why one on this node writes beside the one that leads.
        answered: the API said who leads.
        leaving: one on this node leads, and another one is to.
        running: pods on this node with a container that runs; None while the API has not listed the pods.
    """

    pods: frozenset[str] = frozenset()
    running: frozenset[str] | None = None
    harmless: set[str] = field(default_factory=set)
    problem: str = ""
    old_primary: str = ""
    answered: bool = False
    leaving: bool = False


class NodePlace:
    """The place of one node; used by one thread.

    Args:
        site: whose databases they are.
        node: this one.
        cluster: returns the site's API; may raise ShopSphereError.
        clock: says for how long nothing was heard.
        servers: what the kernel shows.
    """

    def __init__(
        self,
        site: str,
        node: str,
        cluster: Callable[[], Cluster],
        clock: Clock = SYSTEM_CLOCK,
        servers: Servers = servers_here,
    ) -> None:
        self._site, self._node, self._cluster, self._clock, self._servers = site, node, cluster, clock, servers
        self._standbys: dict[str, dict[_Proof, float]] = {}  # by database: when each was seen to be one
        self._leads: dict[str, Lead] = {}  # by database
        self._sight = Sight()

    def look(self) -> Found:
        """Ask the API, and look at the kernel.

        A database of which the API says nothing shuts no other one off, as long as the kernel shows that its server
        here follows.

        Raises:
            OSError: the kernel does not show processes.
        """
        servers, asked = self._servers(), self._clock.monotonic()
        found = at_each(DATABASES, lambda each: self._look_at(each, servers, asked))
        running = {pod for each in found for pod in each.running or ()}
        self._sight.compare(running, servers, complete=all(each.running is not None for each in found))
        said = replace(self._shown(servers), leaving=any(each.leaving for each in found))
        if all(each.answered for each in found):
            said = replace(said, heard=True, silent=False)
        if old := next((each.old_primary for each in found if each.old_primary), ""):
            return replace(said, old_primary=old, unknown="")
        harmless = {pod for each in found for pod in each.harmless}
        doubtful = _doubtful(servers) - harmless
        problem = next((each.problem for each in found if each.problem), "")
        if problem and (doubtful or not self._sight.is_clear):
            return replace(said, unknown=problem)
        try:
            return self._judge(replace(said, unknown=""), doubtful, {pod for each in found for pod in each.pods})
        except ShopSphereError as error:
            return replace(said, unknown=one_line(error))

    def glance(self) -> Found:
        """Look at the kernel alone.

        Raises:
            OSError: it does not show processes.
        """
        return self._shown(self._servers())

    def _shown(self, servers: Mapping[str, Server]) -> Found:
        """Return what holds of these servers whatever the API says now."""
        clear, doubtful = self._sight.is_clear, _doubtful(servers)
        unknown = "" if clear else "the kernel has not been seen to show every server that the API knows"
        if doubtful:
            unknown = f"no server that is seen to follow: {', '.join(sorted(doubtful))}"
        return Found(
            self._is_followed(servers),
            unknown=unknown,
            silent=True,
            follows=clear and bool(servers) and not doubtful,
            elsewhere=self._elsewhere(),
        )

    def _judge(self, said: Found, doubtful: set[str], known: set[str]) -> Found:
        """Judge servers of which no database says that they are harmless.

        Raises:
            ShopSphereError: the API does not answer.
        """
        if forgotten := self._forgotten(doubtful - known):
            return replace(said, old_primary=forgotten)
        if left := doubtful & known & {*self._servers()}:
            names = ", ".join(sorted(left))
            return replace(said, unknown=f"servers on {self._node} in pods that the API says are not here: {names}")
        return said

    def _elsewhere(self) -> frozenset[int]:
        last = {each: self._leads.get(each.cluster(self._site)) for each in DATABASES}
        return frozenset(each.replication_port for each, lead in last.items() if lead and lead.is_elsewhere)

    def _look_at(self, database: DatabaseModel, servers: Mapping[str, Server], asked: float) -> _Of:
        found = _Of()
        try:
            self._ask(self._cluster(), database, found, servers, asked)
        except OldPrimaryError as error:
            found.old_primary = one_line(error)
        except ShopSphereError as error:
            found.problem = one_line(error)
        return found

    def _ask(
        self, cluster: Cluster, database: DatabaseModel, found: _Of, servers: Mapping[str, Server], asked: float
    ) -> None:
        """Find out which instances on this node are harmless.

        Raises:
            OldPrimaryError: one is not.
            ShopSphereError: the API, or an instance, does not answer.
        """
        name, namespace = database.cluster(self._site), database.namespace.name
        instances = f"cnpg.io/cluster={name},cnpg.io/podRole=instance"
        pods = cluster.items_of_known_kind(f"/api/v1/namespaces/{namespace}/pods", labelSelector=instances)
        found.pods = frozenset(pod["metadata"]["uid"] for pod in pods)
        found.running = frozenset(pod["metadata"]["uid"] for pod in pods_on(self._node, pods) if _running(pod))
        try:
            document = cluster.get(cluster_path(namespace, name))
        except NotFoundError:
            found.answered = True
            self._leads[name] = NOWHERE
            raise
        found.answered = True
        leader = document.get("status", {}).get("currentPrimary") or ""
        here = {pod["metadata"]["name"] for pod in pods_on(self._node, pods)}
        found.leaving = leader in here and not has_one_leader(document)
        self._leads[name] = lead_of(document, pods, self._node)
        proofs = {each: at for each, at in self._standbys.get(name, {}).items() if each[0] == leader}
        self._standbys[name] = proofs  # whatever is asked now: those of another leader are over
        for pod in pods_on(self._node, pods):
            uid = pod["metadata"]["uid"]
            proof = (leader, uid, _running(pod))
            if leader and pod["metadata"]["name"] != leader and (proof[2] or uid in servers):
                follows = uid in servers and servers[uid].follows
                lasts = asked - proofs.get(proof, -math.inf) <= _PROOF_SECONDS
                if follows or (not lasts and self._is_standby(cluster, pod, leader)):
                    proofs[proof] = asked
            found.harmless.add(uid)

    def _is_standby(self, cluster: Cluster, pod: Document, leader: str) -> bool:
        """Ask an instance's files; False for one without a server: `pg_rewind` asks the leader from here for that.

        Raises:
            OldPrimaryError: it may take writes.
            ShopSphereError: it does not answer.
        """
        own = pod["metadata"]["name"]
        files = await_standby(cluster, pod["metadata"]["namespace"], own, seconds=_NODE_SECONDS)
        if files.has_server and not files.is_standby:
            raise OldPrimaryError(f"{own} on {self._node} is no standby, though {leader} leads")
        return files.is_standby

    def _is_followed(self, servers: Mapping[str, Server]) -> bool:
        """Whether what led here when the API answered last is followed by all others, so that none of them leads.

        Asked of those databases alone whose confirmations count.
        """
        known = [self._leads.get(each.cluster(self._site)) for each in DATABASES if each.synchronous]
        return all(lead is not None and lead.is_followed(servers) for lead in known)

    def _forgotten(self, doubtful: set[str]) -> str:
        """Return what is wrong with servers of which no database knows: the API has forgotten their pods, or nothing.

        Raises:
            ShopSphereError: it does not answer.
        """
        if not doubtful:
            return ""
        pods = self._cluster().items_of_known_kind("/api/v1/pods", fieldSelector=f"spec.nodeName={self._node}")
        # Asked for again: one that ended meanwhile is no server.
        gone = doubtful & {*self._servers()} - {pod["metadata"]["uid"] for pod in pods}
        names = ", ".join(sorted(gone))
        return f"PostgreSQL runs on {self._node} in pods that the API has forgotten: {names}" if gone else ""


def _doubtful(servers: Mapping[str, Server]) -> set[str]:
    return {pod for pod, server in servers.items() if not server.follows}


def _running(pod: Document) -> str:
    """Return the container of an instance that runs, or nothing: one that starts asks who leads."""
    found = pod.get("status", {}).get("containerStatuses") or ()
    running = [each for each in found if each["name"] == CONTAINER and "running" in (each.get("state") or {})]
    return str(running[0].get("containerID") or "not named") if running else ""
