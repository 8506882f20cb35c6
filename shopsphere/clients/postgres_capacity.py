"""What an instance says about the room that it has: its log, and the volumes under it."""

from __future__ import annotations

from dataclasses import dataclass

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import UnreadableAnswerError
from shopsphere.clients.postgres import ask
from shopsphere.clients.questions import ABOUT_CAPACITY, ABOUT_VOLUMES, CONTAINER


@dataclass(frozen=True)
class Capacity:
    """One instance.

    Attributes:
        version: of PostgreSQL, as in `15.18`.
        keep_bytes: WAL kept for a follower that is away (B).
        written_bytes: WAL written in `written_seconds` (B).
        written_seconds: since its statistics begin (s).
        disk_used: share of the fuller one of its volumes that is taken, 0 to 1.
        kept: names of databases that stand beside the live one.
    """

    version: str
    keep_bytes: int
    written_bytes: int
    written_seconds: float
    disk_used: float
    kept: tuple[str, ...] = ()


def ask_capacity(cluster: Cluster, namespace: str, pod: str) -> Capacity:
    """Ask PostgreSQL for its log, and `df` in its pod for the volumes.

    Raises:
        ClusterError: the pod or the database in it does not answer, or not readably.
    """
    answer = ask(cluster, namespace, pod, ABOUT_CAPACITY)
    return Capacity(
        version=answer["version"],
        keep_bytes=int(answer["keep_bytes"]),
        written_bytes=int(answer["written_bytes"]),
        written_seconds=float(answer["written_seconds"]),
        disk_used=share_used(_table(cluster, namespace, pod)),
        kept=tuple(answer.get("kept", ())),
    )


def ask_volumes(cluster: Cluster, namespace: str, pod: str) -> list[Volume]:
    """Ask `df` in an instance's pod for the volumes of its data and of its log.

    Raises:
        ClusterError: the pod does not answer, or not readably.
    """
    return volumes(_table(cluster, namespace, pod))


def _table(cluster: Cluster, namespace: str, pod: str) -> str:
    return cluster.execute(namespace, pod, CONTAINER, [*ABOUT_VOLUMES])


@dataclass(frozen=True)
class Volume:
    """Room on a volume: bytes that are taken, and that are free."""

    used: int
    free: int


def share_used(table: str) -> float:
    """Return the largest share that is taken, 0 to 1, from what `df --output=used,avail` printed.

    Raises:
        UnreadableAnswerError: it is no such table.
    """
    return max(each.used / (each.used + each.free) for each in volumes(table))


def volumes(table: str) -> list[Volume]:
    """Return the volumes that `df --output=used,avail` printed, of which none is without any bytes.

    Raises:
        UnreadableAnswerError: it is no such table.
    """
    try:
        found = [Volume(*map(int, line.split())) for line in table.strip().splitlines()[1:]]
    except (ValueError, TypeError):
        found = []
    if not found or not all(each.used + each.free > 0 for each in found):
        raise UnreadableAnswerError(f"df in a database's pod answered {table[:80]!r}")
    return found
