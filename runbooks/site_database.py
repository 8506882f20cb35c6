"""One of the two databases at one site: a CloudNativePG cluster and the instance that leads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.postgres import ask_instance, cluster_path, leading_pod
from shopsphere.estate.databases import DatabaseModel


@dataclass
class SiteDatabase:
    """What a step holds when it looks at a database or changes it.

    Attributes:
        model: commerce or ledger.
        site: where.
        cluster: the site's API.
    """

    model: DatabaseModel
    site: str
    cluster: Cluster
    _last: Document | None = field(default=None, init=False, repr=False)

    @property
    def name(self) -> str:
        """Name of its CloudNativePG cluster, as in `ledger-frankfurt`."""
        return self.model.cluster(self.site)

    @property
    def path(self) -> str:
        """Path of its CloudNativePG cluster in the site's API."""
        return cluster_path(self.model.namespace.name, self.name)

    def document(self) -> Document:
        """Return its CloudNativePG cluster.

        Raises:
            ClusterError: the API does not answer, or has none.
        """
        self._last = self.cluster.get(self.path)
        return self._last

    def last_document(self) -> Document:
        """Return its CloudNativePG cluster as it was seen last, by a look or in the answer to a change.

        For changes that name the version which they change, while customers wait: a look crosses continents.

        Raises:
            ClusterError: it was never seen, and the API does not answer, or has none.
        """
        return self._last or self.document()

    def forget(self) -> None:
        """Let the next `last_document` ask the API."""
        self._last = None

    def patch(self, changes: Document, *, version: str = "") -> Document:
        """Change it in one request and return what it is then; with `version`, only if it is what was looked at.

        Raises:
            ClusterError: as of `Cluster.patch`.
        """
        self._last = self.cluster.patch(self.path, changes, version=version)
        return self._last

    def leader(self, document: Mapping[str, Any] | None = None) -> tuple[Cluster, str, str]:
        """Return API, namespace and pod of the instance that leads, as the document says, or as it says now."""
        return self.cluster, self.model.namespace.name, leading_pod(document or self.document())

    def instances(self) -> list[tuple[Cluster, str, str]]:
        """Return API, namespace and pod of every instance, as its cluster names them; at least of the one that leads.

        Raises:
            ClusterError: the site's API does not answer.
        """
        document = self.document()
        cluster, namespace, leader = self.leader(document)
        names = document.get("status", {}).get("instanceNames") or [leader]
        return [(cluster, namespace, str(name)) for name in names]

    def instance(self) -> dict[str, Any]:
        """Return what the leading instance says about itself.

        Raises:
            ClusterError: the site's API or the instance does not answer.
        """
        return ask_instance(*self.leader())

    def is_standby(self) -> bool:
        """Return whether PostgreSQL itself says that it takes no writes.

        Raises:
            ClusterError: the site's API or the instance does not answer.
        """
        return bool(self.instance()["in_recovery"])
