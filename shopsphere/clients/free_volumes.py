"""Which volumes of a site wait for a database, and on how many of its nodes: each instance has a node of its own."""

from __future__ import annotations

from collections.abc import Iterable

from shopsphere.clients.cluster import Document
from shopsphere.topology.quantities import parse_quantity

_HOSTNAME = "kubernetes.io/hostname"


def is_free(volume: Document) -> bool:
    """Whether it waits for a claim, or will in a moment: its claimRef is gone, and the cluster has not said so yet."""
    phase = volume["status"].get("phase")
    return phase == "Available" or (phase == "Released" and not volume["spec"].get("claimRef"))


def node_of(volume: Document) -> str:
    """Return the node that a volume is on; empty where it names none, as at a site of one node."""
    terms = volume["spec"].get("nodeAffinity", {}).get("required", {}).get("nodeSelectorTerms", [])
    named = [each for term in terms for each in term["matchExpressions"] if each["key"] == _HOSTNAME]
    return str(named[0]["values"][0]) if named else ""


def free_places(volumes: Iterable[Document], size: str) -> set[str]:
    """Return the nodes with a free volume of a size or more; where volumes name none, the volumes themselves.

    As many instances of a database can be made there.
    """
    large = (each for each in volumes if parse_quantity(each["spec"]["capacity"]["storage"]) >= parse_quantity(size))
    return {node_of(each) or str(each["metadata"]["name"]) for each in large if is_free(each)}
