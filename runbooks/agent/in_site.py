"""Another instance leads inside the site at once, where the node of the old one is known to be shut (ADR 57).

CloudNativePG keeps its lease between an instance that is lost and the next one: who is to lead waits until the old
leader has not renewed for 15 s, counted from the moment at which it begins to wait. What the lease stands for, that the
old leader takes no writes, the witness tells earlier: a node without a lease there is shut by its own kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from runbooks.agent.state import Knowledge
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.postgres import cluster_path, has_one_leader
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.witness import Phase
from shopsphere.witness.seen import Seen

LOOKS_EVERY = 0.5
"""Seconds between two looks; they ask nobody while all nodes have their leases."""
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


@dataclass(frozen=True)
class Succeeding:
    """An instance that is to lead, and waits for the lease of another one.

    Attributes:
        database: whose they are.
        node: of the instance that has the lease.
        lease: as the API has it.
    """

    database: DatabaseModel
    node: str
    lease: Document


class InSiteMoves:
    """Ends CloudNativePG's lease of an instance whose node is shut; used by one thread.

    The node is barred first, in one transaction that requires that it has no lease: a node that comes back in this very
    moment stays shut until another instance leads, and finds out then that its own one must not.

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
        self._looks_at_bars = True  # those of an earlier process of this agent end with its lease

    def look(self, known: Knowledge, lease: int) -> None:
        """End what has to end, and let in the nodes that were barred for it.

        Args:
            known: what the agent knows.
            lease: number of the lease that the site holds; 0 for none: then nothing is done, and bars have ended.

        Raises:
            ShopSphereError: API or witness do not answer, or somebody was faster: the next look decides anew.
        """
        shut = known.shut_nodes(self._site, self._clock.monotonic())
        if not lease or not (shut or self._looks_at_bars):
            return
        seen = self._witness.see()
        record = seen.record
        if record is None or record.active != self._site or record.phase is not Phase.STEADY:
            return
        documents = [self._document(each) for each in DATABASES]
        for each in self._succeeding(documents, shut):
            self._end(each, seen, lease)
        barred = [node for site, _, node in (each.partition("/") for each in seen.barred) if site == self._site]
        if all(has_one_leader(each) for each in documents):
            for node in barred:
                self._witness.let_in(node)
                self._tell(f"in-site: {node} may have a lease again")
            self._looks_at_bars = False

    def _document(self, database: DatabaseModel) -> Document:
        return self._cluster().get(cluster_path(database.namespace.name, database.cluster(self._site)))

    def _succeeding(self, documents: list[Document], shut: frozenset[str]) -> Iterator[Succeeding]:
        """Yield the databases of which another instance waits for the lease of one on a node that is shut."""
        for database, document in zip(DATABASES, documents, strict=True):
            target = document.get("status", {}).get("targetPrimary")
            if has_one_leader(document) or target == _PENDING:
                continue
            lease = self._cluster().get(lease_path(database, self._site))
            holder = lease.get("spec", {}).get("holderIdentity")
            node = self._node_of(database, holder) if holder and holder != target else ""
            if node in shut:
                yield Succeeding(database, node, lease)

    def _node_of(self, database: DatabaseModel, pod: str) -> str:
        """Return the node of a pod; empty where the API no longer knows it."""
        path = f"/api/v1/namespaces/{database.namespace.name}/pods"
        pods = self._cluster().items_of_known_kind(path, fieldSelector=f"metadata.name={pod}")
        return str(pods[0]["spec"].get("nodeName") or "") if pods else ""

    def _end(self, succeeding: Succeeding, seen: Seen, lease: int) -> None:
        """Bar the node, then give the lease back in place of the instance, if it has not renewed meanwhile."""
        database, node = succeeding.database, succeeding.node
        self._looks_at_bars = True
        if not self._witness.bar_node(seen, node, lease):
            return
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {"holderIdentity": "", "leaseDurationSeconds": _RELEASED_SECONDS, "renewTime": now, "acquireTime": now}
        version = succeeding.lease["metadata"]["resourceVersion"]
        self._cluster().patch(lease_path(database, self._site), {"spec": spec}, version=version)
        holder = succeeding.lease["spec"]["holderIdentity"]
        self._tell(f"in-site: {node} is shut, so another instance of {database.name} need not wait for {holder}")


def lease_path(database: DatabaseModel, site: str) -> str:
    """Return the API path of the lease by which CloudNativePG lets one instance of a database lead."""
    name = database.cluster(site)
    return f"/apis/coordination.k8s.io/v1/namespaces/{database.namespace.name}/leases/{name}"
