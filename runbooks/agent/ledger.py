"""The ledger's cluster at this site: what is seen of whom it waits for, and how it is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runbooks.agent.copies import Step, read_copies, waited_for
from runbooks.agent.synchrony import LedgerSeen
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.postgres import (
    InstanceSession,
    cluster_path,
    follower_in,
    followers_in,
    has_one_leader,
    run_statement,
)
from shopsphere.estate.databases import COMPLETE_COPIES, LEDGER, waiting_for
from shopsphere.foundation.errors import NoAnswerError

MARK = "shopsphere.io/synchrony"
"""Annotation: the change of the witness's record on whose behalf the ledger was last told to wait."""


class SiteLedger:
    """The ledger's cluster at this site, as `synchrony.Ledger` wants it.

    Args:
        cluster: returns this site's API; may raise ShopSphereError.
        site: name of this site.
        peer: name of the other site of the pair.
    """

    def __init__(self, cluster: Callable[[], Cluster], site: str, peer: str) -> None:
        self._cluster = cluster
        self._path = cluster_path(LEDGER.namespace.name, LEDGER.cluster(site))
        self._peer = LEDGER.cluster(peer)
        self._instance = InstanceSession()
        self._seen = LedgerSeen(
            told=False, waits=False, streams=False, confirms=False, written=0, replayed=0, mark="", version=""
        )

    def look(self) -> LedgerSeen:
        """Ask the API and PostgreSQL.

        Raises:
            ShopSphereError: the API or the instance does not answer, none leads yet, or another one is about to.
        """
        document = self._cluster().get(self._path)
        leader = self._leader(document)
        if not has_one_leader(document) and not self._instance.is_held_with(leader):
            # It may be on a lost node: to find that out takes seconds, in which the next one begins to lead.
            raise NoAnswerError(f"{self._path}: another instance is about to lead in place of {leader}")
        answer = self._instance.ask(self._cluster(), LEDGER.namespace.name, leader)
        self._seen = read_ledger(document, answer, self._peer)
        return self._seen

    def _leader(self, document: Document) -> str:
        pod = document.get("status", {}).get("currentPrimary")
        if not pod:
            raise NoAnswerError(f"{self._path}: no instance leads yet")
        return str(pod)

    def node_of(self, instance: str) -> str:
        """Return the node of an instance.

        Raises:
            ShopSphereError: the API does not answer, refuses, or no longer knows the instance.
        """
        path = f"/api/v1/namespaces/{LEDGER.namespace.name}/pods"
        # By a list: to get one by its name is no right of an agent's (ADR 50).
        pods = self._cluster().items_of_known_kind(path, fieldSelector=f"metadata.name={instance}")
        if not pods:
            raise NoAnswerError(f"{path}: no pod {instance}")
        return str(pods[0]["spec"].get("nodeName") or "")

    def let_go(self) -> None:
        """Close the session: PostgreSQL waits for an idle one when it is told to end."""
        self._instance.close()

    def release(self, version: str) -> None:
        """Tell the ledger not to wait for the other site, if its document still has this resource version."""
        self._tell({}, waiting_for("", self._seen.copies.told), version)

    def reload(self) -> None:
        """Have the instance that leads read its settings again, as CloudNativePG has written them."""
        cluster = self._cluster()
        run_statement(cluster, LEDGER.namespace.name, self._leader(cluster.get(self._path)), "SELECT pg_reload_conf()")

    def require(self, mark: str) -> None:
        """Tell the ledger to wait for the other site; `mark` names the change of the record that asks for it.

        Only as long as the document is as it was looked at last: this says also whom beside it the ledger waits for.
        """
        self._tell({MARK: mark}, waiting_for(self._peer, self._seen.copies.told), self._seen.version)

    def change_copies(self, step: Step) -> None:
        """Change who beside it the ledger waits for, or may lead, if the document is as it was looked at last."""
        seen, peer = self._seen, self._peer if self._seen.told else ""
        complete = ",".join(sorted(seen.copies.names)) if step is Step.ALLOW else None
        match step:
            case Step.LEAVE:
                self._tell({COMPLETE_COPIES: complete}, waiting_for(peer, 0), seen.version)
            case Step.WAIT:
                self._tell({COMPLETE_COPIES: complete}, waiting_for(peer, seen.copies.wanted), seen.version)
            case Step.ALLOW | Step.REVOKE:
                annotations = {"metadata": {"annotations": {COMPLETE_COPIES: complete}}}
                self._cluster().patch(self._path, annotations, version=seen.version)
            case Step.NOTHING:
                pass

    def _tell(self, annotations: Document, synchronous: Document | None, version: str) -> None:
        spec = {"postgresql": {"synchronous": synchronous}}
        self._cluster().patch(self._path, {"metadata": {"annotations": annotations}, "spec": spec}, version=version)


def read_ledger(document: dict[str, Any], answer: dict[str, Any], peer: str) -> LedgerSeen:
    """Return what a cluster's document and its leading instance's answer say about waiting for `peer`."""
    told = document["spec"].get("postgresql", {}).get("synchronous") or {}
    follower = follower_in(answer, peer)
    return LedgerSeen(
        told=peer in told.get("standbyNamesPre", []),
        waits=peer in waited_for(answer["waits_for"]),
        streams=follower.get("state") == "streaming",
        confirms=follower.get("sync") == "sync",
        written=int(answer.get("written") or 0),
        replayed=int(follower.get("replayed") or 0),
        mark=document["metadata"].get("annotations", {}).get(MARK, ""),
        version=document["metadata"]["resourceVersion"],
        leader=str(document.get("status", {}).get("currentPrimary") or ""),
        doubled=len(followers_in(answer, peer)) > 1,
        copies=read_copies(document, answer),
    )
