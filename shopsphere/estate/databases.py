"""The databases of a pair: their names, namespaces and ports, the same at both sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shopsphere.estate.namespaces import DATA_COMMERCE, DATA_LEDGER, NamespaceModel

POSTGRESQL_PORT = 5432
INSTANCE_STATUS_PORT = 8000
"""Where CloudNativePG's instance manager answers its operator and the kubelet's probes."""


@dataclass(frozen=True)
class DatabaseModel:
    """One database of a pair.

    Attributes:
        name: of the database, its owner role and the stable service in its namespace.
        namespace: where its cluster lives at every site.
        replication_port: port on the site's address under which the peer reaches it. Among the first 86 of the
            NodePort range, which Kubernetes never gives to a service that asks for none in particular.
        application_role: role without a login that the service acts as; the owner may assume it, and grants it
            no more than the service needs.
        owner: team that answers for it.
    """

    name: str
    namespace: NamespaceModel
    replication_port: int
    application_role: str
    owner: str = "databases"

    def cluster(self, site: str) -> str:
        """Return the name of the database's cluster at a site; it is also its name in replication."""
        return f"{self.name}-{site}"

    @property
    def host(self) -> str:
        """Stable in-cluster name of the writable instance, or at a recovery site of the one that follows it."""
        return f"{self.name}.{self.namespace.name}.svc.cluster.local"

    def server_names(self, sites: tuple[str, ...]) -> list[str]:
        """Return every DNS name under which the database's server is addressed, at all of `sites`."""
        services = [self.name, *(f"{self.cluster(site)}-{kind}" for site in sites for kind in ("rw", "ro", "r"))]
        ends = (
            "",
            f".{self.namespace.name}",
            f".{self.namespace.name}.svc",
            f".{self.namespace.name}.svc.cluster.local",
        )
        return [service + end for service in services for end in ends]


COMMERCE = DatabaseModel("commerce", DATA_COMMERCE, 30032, "shop_app")
LEDGER = DatabaseModel("ledger", DATA_LEDGER, 30033, "payments_app")
DATABASES = (COMMERCE, LEDGER)


def synchronous_with(peer: str) -> dict[str, Any]:
    """Return CloudNativePG's `synchronous`: nothing is acknowledged that `peer`, the other site's cluster, lacks."""
    return {
        "method": "first",
        "number": 1,
        "maxStandbyNamesFromCluster": 0,
        "standbyNamesPre": [peer],
        "dataDurability": "required",  # the only one that CloudNativePG accepts with a name from outside
    }
