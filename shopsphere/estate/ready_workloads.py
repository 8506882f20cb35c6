"""The workloads of a site that have to be ready, as its declaration and its stack's configuration say.

`up`, `status`, `ready`, `rotate` and the exporter all wait for these, or look at them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shopsphere.estate.access import Configured, as_deployed
from shopsphere.estate.event_log import EVENT_LOG
from shopsphere.estate.event_log_site import EVENT_NAMESPACES, declared_site
from shopsphere.estate.site_declaration import HEADQUARTERS_SITE, SiteDeclaration
from shopsphere.estate.stack import StackId
from shopsphere.estate.stack_files import NAMESPACE
from shopsphere.topology import Topology

OF_EVENT_LOG = frozenset(each.name for each in EVENT_NAMESPACES)
"""Namespaces of workloads without which a site still sells."""


class WorkloadKind(StrEnum):
    """What keeps the pods of a workload, in kubectl's word."""

    DEPLOYMENT = "deployment"
    STATEFUL_SET = "statefulset"


@dataclass(frozen=True)
class ReadyWorkload:
    """A workload whose pods have to be ready.

    Attributes:
        kind: what keeps them.
        name: its own, and that of its namespace.
    """

    kind: WorkloadKind
    name: str

    @property
    def place(self) -> str:
        """Its `namespace/name`."""
        return f"{self.name}/{self.name}"

    @property
    def of_event_log(self) -> bool:
        """Whether it is of the event log: clicks wait for it, and no order does."""
        return self.name in OF_EVENT_LOG


def declaration_of(topology: Topology, stack: StackId, configured: Configured = as_deployed) -> SiteDeclaration:
    """Return what a site is declared to have, by its stack's configuration.

    Args:
        topology: of the environment.
        stack: of the site.
        configured: which configuration counts.
    """
    if not stack.site or topology.pair_of(stack.site) is None:
        return HEADQUARTERS_SITE
    spaced = {key.partition(":"): value for key, value in configured(stack).items()}
    return declared_site({name: value for (namespace, _, name), value in spaced.items() if namespace == NAMESPACE})


def ready_workloads(site: SiteDeclaration, *, archived: bool) -> tuple[ReadyWorkload, ...]:
    """Return which of a declaration have to be ready; `archived` where the site's jurisdiction has an archive."""
    return tuple(
        ReadyWorkload(WorkloadKind.STATEFUL_SET if each.name == EVENT_LOG else WorkloadKind.DEPLOYMENT, each.name)
        for each in site.workloads
        if archived or "archive" not in each.endpoints
    )


def ready_workloads_of(topology: Topology, stack: StackId) -> tuple[ReadyWorkload, ...]:
    """Return which workloads of a site have to be ready."""
    archived = bool(stack.site) and topology.archive_of(str(stack.site)) is not None
    return ready_workloads(declaration_of(topology, stack), archived=archived)
