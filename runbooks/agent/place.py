"""The place of a further node in its site: whether what runs there may write, and whether it may confirm to the peer.

Two things go wrong on a node that has lost its site. An instance that led goes on taking writes beside the one that
leads by now. And at a site that follows, one goes on receiving from the other site, and confirms payments that the
instance which its site would promote lacks. The site's API says who leads. While it is silent, the kernel says what can
be said without it (ADR 46).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from runbooks.agent.own_servers import Server, servers_here
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.clients.postgres import CONTAINER, await_standby, cluster_path, has_one_leader
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each

_Proof = tuple[str, str, str]
"""The one that leads, the pod that is a standby below it, and that pod's container: one that starts anew is asked."""
_PROOF_SECONDS = 10.0
"""Seconds of silence that a proof outlives; in a longer one another instance may have led and lost that again.

It takes CloudNativePG 13 s at least to let another one lead. A proof that ended with the first answer that is missing
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
    """

    heard: bool
    old_primary: str = ""
    unknown: str = ""


class Place(Protocol):
    """Looks at a node's instances."""

    def look(self) -> Found:
        """Return what is known now; raises OSError where the kernel does not show processes."""


@dataclass
class _Of:
    """What is known of one database.

    Attributes:
        pods: identities of its instances' pods.
        harmless: of those on this node, what leads, does not run, or is proven a standby.
        problem: why not more is known.
        old_primary: why one on this node writes beside the one that leads.
        answered: the API said who leads.
    """

    pods: frozenset[str] = frozenset()
    harmless: set[str] = field(default_factory=set)
    problem: str = ""
    old_primary: str = ""
    answered: bool = False


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
        self._standbys: dict[str, tuple[float, frozenset[_Proof]]] = {}  # by database, with when they held last
        self._leads: dict[str, tuple[str, frozenset[str]]] = {}  # by database: what led here, where the others are

    def look(self) -> Found:
        """Ask the API, and look at the kernel.

        A database of which the API says nothing shuts no other one off, as long as the kernel shows that its server
        here follows.

        Raises:
            OSError: the kernel does not show processes.
        """
        servers, asked = self._servers(), self._clock.monotonic()
        found = at_each(DATABASES, lambda each: self._look_at(each, servers, asked))
        heard = all(each.answered for each in found) or self._is_followed(servers)
        if old := next((each.old_primary for each in found if each.old_primary), ""):
            return Found(heard, old_primary=old)
        harmless = {pod for each in found for pod in each.harmless}
        doubtful = {pod for pod, server in servers.items() if not server.follows and pod not in harmless}
        if not doubtful:
            return Found(heard)
        if problem := next((each.problem for each in found if each.problem), ""):
            return Found(heard, unknown=problem)
        try:
            return Found(heard, old_primary=self._forgotten(doubtful - {pod for each in found for pod in each.pods}))
        except ShopSphereError as error:
            return Found(heard, unknown=one_line(error))

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
        try:
            document = cluster.get(cluster_path(namespace, name))
        except NotFoundError:
            found.answered = True
            raise
        found.answered = True
        leader = document.get("status", {}).get("currentPrimary") or ""
        self._leads[name] = self._leading(pods, leader if has_one_leader(document) else "")
        heard, proofs = self._standbys.get(name, (asked, frozenset()))
        proven = {each for each in proofs if each[0] == leader and asked - heard <= _PROOF_SECONDS}
        self._standbys[name] = heard, frozenset(proven)  # whatever is asked now: those of another leader are over
        held: set[_Proof] = set()
        for pod in self._own(pods):
            uid = pod["metadata"]["uid"]
            proof = (leader, uid, _running(pod))
            if leader and pod["metadata"]["name"] != leader and (proof[2] or uid in servers):
                follows = uid in servers and servers[uid].follows
                if proof in proven or follows or self._is_standby(cluster, pod, leader):
                    held.add(proof)
            found.harmless.add(uid)
        self._standbys[name] = asked, frozenset(held)

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

    def _own(self, pods: Sequence[Document]) -> list[Document]:
        return [pod for pod in pods if pod["spec"].get("nodeName") == self._node]

    def _leading(self, pods: Sequence[Document], leader: str) -> tuple[str, frozenset[str]]:
        """Return the pod on this node that leads, empty for none, and the addresses of all other instances."""
        leads = [pod["metadata"]["uid"] for pod in self._own(pods) if pod["metadata"]["name"] == leader]
        others = (pod for pod in pods if pod["metadata"]["name"] != leader)
        return "".join(leads), frozenset(str(pod.get("status", {}).get("podIP")) for pod in others)

    def _is_followed(self, servers: Mapping[str, Server]) -> bool:
        """Whether what led here when the API answered last is followed by all others, so that none of them leads.

        Asked of those databases alone whose confirmations count.
        """
        nothing = ("", frozenset[str]())
        known = [self._leads.get(each.cluster(self._site), nothing) for each in DATABASES if each.synchronous]
        return all(leads in servers and others <= servers[leads].followers for leads, others in known)

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


def _running(pod: Document) -> str:
    """Return the container of an instance that runs, or nothing: one that starts asks who leads."""
    found = pod.get("status", {}).get("containerStatuses") or ()
    running = [each for each in found if each["name"] == CONTAINER and "running" in (each.get("state") or {})]
    return str(running[0].get("containerID") or "not named") if running else ""
