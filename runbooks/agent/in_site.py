"""Another instance leads inside the site at once, where the node of the old one is known to be shut (ADR 57).

CloudNativePG keeps its lease between an instance that is lost and the next one: who is to lead waits until the old
leader has not renewed for 15 s, counted from the moment at which it begins to wait. What the lease stands for, that the
old leader takes no writes, the witness tells earlier: a node without a lease there is shut by its own kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from runbooks.agent.state import Knowledge
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.clients.postgres import cluster_path, has_one_leader
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness import Phase
from shopsphere.witness.seen import Seen

LOOKS_EVERY, LOOKS_SOON = 2.0, 0.5
"""Seconds between two looks; the second while somebody is to lead in place of another."""
UNCHANGED_SECONDS = 2.0
"""Seconds for which a lease must not have been renewed: who leads and is alive renews each second."""
LET_IN_AFTER = 12.0
"""Seconds for which another instance has led before a barred node may have a lease again.

A look of that node from before counts there for 10 s, and looks are 2 s apart.
"""
BAR_COUNTS = 1.0
"""Seconds for which a node that was barred is not barred again in a look: several databases may have led there."""
_PENDING = "pending"
"""What CloudNativePG calls the next leader while it has not chosen one."""
_RELEASED_SECONDS = 1
"""What CloudNativePG writes into a lease that it gives back itself, too."""


class Barring(Protocol):
    """The witness, as far as it is used here."""

    def see(self) -> Seen:
        """Return what the quorum has."""

    def bar_node(self, seen: Seen, node: str, lease: int) -> bool:
        """Keep a node from a lease that it has not; False where it has one."""

    def let_in(self, node: str) -> None:
        """Let it have one again."""


@dataclass
class _Of:
    """What is remembered of one database.

    Attributes:
        version: of its lease, as it was seen last.
        since: monotonic time since which it has this version.
        ended: its lease was given back, and the one that is to lead has not been seen to lead with it.
        unsettled: another instance was to lead at the last look.
    """

    version: str = ""
    since: float = 0.0
    ended: bool = False
    unsettled: bool = False


class InSiteMoves:
    """Ends CloudNativePG's lease of an instance whose node is shut; used by one thread.

    The node is barred first, in one transaction that requires that it has no lease: a node that comes back in this very
    moment stays shut until another instance has led for a while.

    Args:
        site: whose agent this is.
        cluster: returns the site's API; may raise ShopSphereError.
        witness: the pair's.
        tell: gets one line per change.
        clock: says what is known still.
    """

    def __init__(
        self,
        site: str,
        cluster: Callable[[], Cluster],
        witness: Barring,
        tell: Callable[[str], None],
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._site, self._cluster, self._witness, self._tell, self._clock = site, cluster, witness, tell, clock
        self._of = {each.name: _Of() for each in DATABASES}
        self._looks_at_bars = True  # of an earlier process of this agent
        self._barred_at: dict[str, float] = {}  # in this look: a bar may have ended with the site's lease by the next
        self._settled_since: float | None = None

    def pause(self) -> float:
        """Return the seconds until the next look."""
        return LOOKS_SOON if any(each.unsettled for each in self._of.values()) else LOOKS_EVERY

    def look(self, known: Knowledge, lease: int) -> None:
        """End what has to end, and let in the nodes that were barred for it.

        Each database is looked at by itself: what keeps one from an answer keeps no other one waiting.

        Args:
            known: what the agent knows.
            lease: number of the lease that the site holds; 0 for none: then nothing is done, and bars have ended.

        Raises:
            ShopSphereError: API or witness do not answer, or somebody was faster: the next look decides anew.
        """
        if not lease or not known.has_nodes(self._site):
            return
        problems: list[ShopSphereError] = []
        self._barred_at.clear()
        for database in DATABASES:
            try:
                self._look_at(database, known, lease)
            except NotFoundError:
                self._of[database.name] = _Of()  # it is not there: nobody is to lead
            except ShopSphereError as error:
                problems.append(error)
        if self._looks_at_bars and not problems:
            self._let_in()
        if problems:
            raise problems[0]

    def _look_at(self, database: DatabaseModel, known: Knowledge, lease: int) -> None:
        of = self._of[database.name]
        document = self._cluster().get(cluster_path(database.namespace.name, database.cluster(self._site)))
        status, found = document.get("status", {}), self._lease_of(database)
        if found["metadata"]["resourceVersion"] != of.version:  # at each look: a loss is known late
            of.version, of.since = found["metadata"]["resourceVersion"], self._clock.monotonic()
        if has_one_leader(document):
            # CloudNativePG may have taken its choice back.
            of.ended = of.ended and _holder_of(found) != status.get("currentPrimary")
            of.unsettled = of.ended
            return
        of.unsettled = True
        if status["targetPrimary"] != _PENDING:
            self._succeed(database, status, found, known, lease)

    def _succeed(
        self, database: DatabaseModel, status: Document, found: Document, known: Knowledge, lease: int
    ) -> None:
        """Bar the node of the instance that led, then give its lease, as it was `found`, back in its place."""
        of, now = self._of[database.name], self._clock.monotonic()
        holder, target = _holder_of(found), status["targetPrimary"]
        node = self._node_of(database, str(holder if holder not in ("", target) else status["currentPrimary"]))
        shut = known.shut_nodes(self._site, now)
        if not node or (node not in shut and not (of.ended or holder in ("", target))):
            return
        if now - self._barred_at.get(node, -math.inf) > BAR_COUNTS and not self._bar(node, known, lease):
            return
        if node in shut and holder not in ("", target) and now - of.since >= UNCHANGED_SECONDS:
            self._end(database, found)
            of.ended = True
            self._tell(f"in-site: {node} is shut, so another instance of {database.name} need not wait for {holder}")

    def _bar(self, node: str, known: Knowledge, lease: int) -> bool:
        """Bar a node that has no lease; return whether it is barred.

        Also where the lease of its instance has been given back already: a bar may have ended with one of the site's.
        """
        seen = self._witness.see()
        record, key = seen.record, f"{self._site}/{node}"
        if key not in {*known.seen_nodes, *seen.barred}:
            return False  # the site's own, which needs no lease of this kind
        if record is None or record.active != self._site or record.phase is not Phase.STEADY:
            return False
        self._looks_at_bars, self._settled_since = True, None
        if key in seen.nodes or not self._witness.bar_node(seen, node, lease):
            return False
        self._barred_at[node] = self._clock.monotonic()
        return True

    def _let_in(self) -> None:
        """Let barred nodes have a lease again, once every database has had one leader for long enough."""
        if any(each.unsettled for each in self._of.values()):
            self._settled_since = None
            return
        now = self._clock.monotonic()
        if self._settled_since is None:
            self._settled_since = now
        if now - self._settled_since < LET_IN_AFTER:
            return
        for site, _, node in (each.partition("/") for each in self._witness.see().barred):
            if site == self._site:
                self._witness.let_in(node)
                self._tell(f"in-site: {node} may have a lease again")
        self._looks_at_bars, self._settled_since = False, None

    def _lease_of(self, database: DatabaseModel) -> Document:
        return self._cluster().get(lease_path(database, self._site))

    def _node_of(self, database: DatabaseModel, pod: str) -> str:
        """Return the node of a pod; empty where the API no longer knows it."""
        path = f"/api/v1/namespaces/{database.namespace.name}/pods"
        pods = self._cluster().items_of_known_kind(path, fieldSelector=f"metadata.name={pod}")
        return str(pods[0]["spec"].get("nodeName") or "") if pods else ""

    def _end(self, database: DatabaseModel, found: Document) -> None:
        """Give a lease back in place of its holder, if it has the version that was looked at."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec: dict[str, Any] = {"holderIdentity": "", "leaseDurationSeconds": _RELEASED_SECONDS}
        changes = {"spec": spec | {"renewTime": now, "acquireTime": now}}
        self._cluster().patch(lease_path(database, self._site), changes, version=found["metadata"]["resourceVersion"])


def _holder_of(lease: Document) -> str:
    return str(lease.get("spec", {}).get("holderIdentity") or "")


def lease_path(database: DatabaseModel, site: str) -> str:
    """Return the API path of the lease by which CloudNativePG lets one instance of a database lead."""
    name = database.cluster(site)
    return f"/apis/coordination.k8s.io/v1/namespaces/{database.namespace.name}/leases/{name}"
