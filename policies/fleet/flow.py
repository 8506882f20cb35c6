"""What the graph of a fleet is made of: stores of data, and flows between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from policies.resource import Resource

NO_CLASS: frozenset[str] = frozenset()


class Kind(StrEnum):
    """By what data goes from one store to another."""

    REPLICATION = "replication"
    BACKUP = "backup"
    WAL_ARCHIVE = "WAL archive"
    RESTORE = "restore"
    EXPORT = "export"
    LOGS = "log shipping"
    DNS = "dns"
    CDN = "cdn"
    EGRESS = "egress"
    CREDENTIAL = "credential"
    VOLUME = "volume"
    READ = "read"
    """Inside a cluster: a program reads a database, or asks another program."""
    CALL = "call"
    """Inside a cluster: a program sends to another one that no table of workloads says it calls."""
    ARRIVAL = "arrival"
    """From a site's address to whatever may listen there."""


@dataclass(frozen=True)
class Store:
    """Something that holds data: a database, a workload, a volume, a site, an archive, somebody outside.

    Attributes:
        name: how paths call it, unique in a fleet.
        site: where it is; empty for what is at no site of the topology, or nobody knows where.
        classes: classes of the data that it holds by its declaration.
        jurisdiction: whose people that data is about.
        namespace: its namespace; empty where it has none.
        is_copy: it is made from another store, so that no data begins here.
        is_database: a database of a pair.
        permits: classes that it may receive although it is at no site of ours.
        archive_of: the jurisdiction whose archive it is; empty for all else.
    """

    name: str
    site: str = ""
    classes: frozenset[str] = NO_CLASS
    jurisdiction: str = ""
    namespace: str = ""
    is_copy: bool = False
    is_database: bool = False
    permits: frozenset[str] = NO_CLASS
    archive_of: str = ""


@dataclass(frozen=True)
class Flow:
    """A way of data from one store to another.

    Attributes:
        source: where it comes from.
        target: where it goes.
        kind: by what.
        resource: what declares it.
        place: the property that does, as in spec.backup.
        carries: classes that it is limited to; None for everything that the source holds.
    """

    source: Store
    target: Store
    kind: Kind
    resource: Resource = field(hash=False)
    place: str
    carries: frozenset[str] | None = None

    def takes(self, data_class: str) -> bool:
        """Whether it takes a class along."""
        return self.carries is None or data_class in self.carries


@dataclass
class Fleet:
    """The graph of all stacks of an environment."""

    stores: list[Store] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)

    def out_of(self, store: Store) -> Iterator[Flow]:
        """Yield each flow that begins at a store."""
        return (flow for flow in self.flows if flow.source == store)
