"""The databases of a pair: their names, namespaces and ports, the same at both sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shopsphere.estate.namespaces import NamespaceModel

AUTHORITY_DIRECTORY = "/etc/shopsphere/pair"
AUTHORITY_FILE = f"{AUTHORITY_DIRECTORY}/ca.crt"
"""Where the pods of a workload find the certificate of the authority that vouches for the pair's databases."""
POSTGRESQL_PORT = 5432
CLAIMS = 2
"""Claims of a database's namespace: its volume, and the one of a new instance that takes its place."""
INSTANCE_STATUS_PORT = 8000
"""Where CloudNativePG's instance manager answers its operator and the kubelet's probes."""


@dataclass(frozen=True)
class DatabaseModel:
    """One database of a pair.

    Attributes:
        name: of the database, its owner role and the stable service in its namespace.
        data_class: class of the data it holds; its volumes are of the same class.
        power_percent: share of its namespace in the site's power for pods (%).
        synchronous: whether a commit waits for the other site, so that no acknowledged write is lost with a site
            (RPO 0). It is a property of the data, so it stands here and cannot be configured.
        replication_port: port on the site's address under which the peer reaches it. Among the first 86 of the
            NodePort range, which Kubernetes never gives to a service that asks for none in particular.
        application_role: role without a login that the service acts as; the owner may assume it, and grants it
            no more than the service needs.
        owner: team that answers for it.
    """

    name: str
    data_class: str
    power_percent: int
    synchronous: bool
    replication_port: int
    application_role: str
    owner: str = "databases"

    @property
    def namespace(self) -> NamespaceModel:
        """Where its cluster lives at every site."""
        return NamespaceModel(
            f"data-{self.name}", self.data_class, self.owner, self.power_percent, claims=CLAIMS, node_ports=1
        )

    def cluster(self, site: str) -> str:
        """Return the name of the database's cluster at a site; it is also its name in replication."""
        return f"{self.name}-{site}"

    @property
    def host(self) -> str:
        """Stable in-cluster name of the writable instance, or at a recovery site of the one that follows it."""
        return self.namespace.host(self.name)

    @property
    def dsn(self) -> str:
        """Its address for a workload, without the password; the server has to prove who it is."""
        address = f"{self.name}@{self.host}:{POSTGRESQL_PORT}/{self.name}"
        return f"postgresql://{address}?sslmode=verify-full&sslrootcert={AUTHORITY_FILE}"

    def server_names(self, sites: tuple[str, ...]) -> list[str]:
        """Return every DNS name under which the database's server is addressed, at all of `sites`."""
        services = [self.name, *(f"{self.cluster(site)}-{kind}" for site in sites for kind in ("rw", "ro", "r"))]
        return [name for service in services for name in self._service_names(service)]

    def _service_names(self, service: str) -> tuple[str, ...]:
        short = f"{service}.{self.namespace.name}"
        return (service, short, f"{short}.svc", self.namespace.host(service))


COMMERCE = DatabaseModel(
    name="commerce",
    data_class="personal",
    power_percent=20,
    synchronous=False,
    replication_port=30032,
    application_role="shop_app",
)
LEDGER = DatabaseModel(
    name="ledger",
    data_class="payment",
    power_percent=10,
    synchronous=True,
    replication_port=30033,
    application_role="payments_app",
)
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
