"""What a site's API says of the workloads that have to be ready there."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from shopsphere.clients.cluster import Document
from shopsphere.clients.document_place import place_of
from shopsphere.estate.ready_workloads import OF_EVENT_LOG, ReadyWorkload, WorkloadKind

_PATHS = {
    WorkloadKind.DEPLOYMENT: "/apis/apps/v1/deployments",
    WorkloadKind.STATEFUL_SET: "/apis/apps/v1/statefulsets",
}


@dataclass(frozen=True)
class FoundWorkload:
    """One workload.

    Attributes:
        kind: of it.
        place: its `namespace/name`.
        document: what the API says; None where it is not there.
    """

    kind: WorkloadKind
    place: str
    document: Document | None

    @property
    def of_event_log(self) -> bool:
        """Whether it is of the event log: clicks wait for it, and no order does."""
        return self.place.partition("/")[0] in OF_EVENT_LOG

    @property
    def ready(self) -> int:
        """Its pods that are ready."""
        status = self.document.get("status", {}) if self.document else {}
        return int(status.get("readyReplicas", 0))

    @property
    def wanted(self) -> int:
        """The pods that it is to have."""
        return int(self.document["spec"].get("replicas", 1)) if self.document else 1

    @property
    def is_ready(self) -> bool:
        """Whether each of its pods is ready, and it has one."""
        return self.ready >= self.wanted > 0

    @property
    def said(self) -> str:
        """How many of its pods are ready, in words."""
        if self.document is None:
            return f"{self.kind} {self.place} is not there"
        return f"{self.kind} {self.place} has {self.ready} of {self.wanted} pods ready"


def find_workloads(ask: Callable[[str], list[Document]], declared: Collection[ReadyWorkload]) -> list[FoundWorkload]:
    """Return what there is of a site's workloads, declared or not, and what is declared and not there.

    A kind of which nothing is declared is not asked for: only sites with an event log have a StatefulSet.

    Args:
        ask: returns what the site's stack has at a path of the API.
        declared: which have to be there.
    """
    found: list[FoundWorkload] = []
    for kind, path in _PATHS.items():
        if any(each.kind is kind for each in declared):
            found += [FoundWorkload(kind, place_of(each), each) for each in ask(path)]
    there = {(each.kind, each.place) for each in found}
    missing = (each for each in declared if (each.kind, each.place) not in there)
    return [*found, *(FoundWorkload(each.kind, each.place, None) for each in missing)]
