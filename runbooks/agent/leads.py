"""Who led a database of a site when its API answered last, as it is seen from one node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbooks.agent.own_servers import Server
from shopsphere.clients.cluster import Document
from shopsphere.clients.postgres import has_one_leader


@dataclass(frozen=True)
class Lead:
    """Who led one database.

    Attributes:
        here: the pod on this node that leads, and is to go on; empty for none.
        others: addresses of all other instances; None when not all are known.
        nobody: none has led yet.
    """

    here: str
    others: frozenset[str] | None
    nobody: bool

    @property
    def is_elsewhere(self) -> bool:
        """Whether nothing here has to receive from the pair's other site."""
        return not self.here and not self.nobody

    def is_followed(self, servers: Mapping[str, Server]) -> bool:
        """Whether what led here is followed by all others, so that none of them leads."""
        return self.here in servers and self.others is not None and self.others <= servers[self.here].followers


NOWHERE = Lead(here="", others=None, nobody=False)
"""Of a database that the API does not know: nothing of it has to receive."""


def lead_of(document: Document, pods: Sequence[Document], node: str) -> Lead:
    """Return who leads; the others are known when there are as many as the database has, with an address each.

    Args:
        document: the database's cluster.
        pods: of its instances.
        node: this one.
    """
    status = document.get("status", {})
    leader = status.get("currentPrimary") or ""
    here = [pod["metadata"]["uid"] for pod in pods_on(node, pods) if pod["metadata"]["name"] == leader]
    others = [pod.get("status", {}).get("podIP") for pod in pods if pod["metadata"]["name"] != leader]
    number = max(int(document["spec"]["instances"]), len(status.get("instanceNames") or ()))
    known = all(others) and len(others) == number - 1
    leads = "".join(here) if has_one_leader(document) else ""
    return Lead(leads, frozenset(map(str, others)) if known else None, nobody=not leader)


def pods_on(node: str, pods: Sequence[Document]) -> list[Document]:
    """Return those of these pods that are on a node."""
    return [pod for pod in pods if pod["spec"].get("nodeName") == node]
