"""The databases of a pair: their names, namespaces and ports, the same at both sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shopsphere.estate.namespaces import NamespaceModel

AUTHORITY_DIRECTORY = "/etc/shopsphere/pair"
AUTHORITY_FILE = f"{AUTHORITY_DIRECTORY}/ca.crt"
"""Where the pods of a workload find the certificate of the authority that vouches for the pair's databases."""
POSTGRESQL_PORT = 5432
MIGRATION_RETRIES = 1000
"""How often the pod of a migration is started again.

At a recovery site it waits for what the primary's migration brings, for as long as an operator takes to deploy there. A
Job that has given up would leave a site that is promoted meanwhile without its schema.
"""
AUTHORITY_SECRET = "pair-ca"  # noqa: S105 the name of a secret is no secret
REPLICATION_SECRET = "pair-replication"  # noqa: S105 the name of a secret is no secret
"""Secrets of a database's namespace: who vouches for servers and replication, and as whom the peer replicates."""
CLAIMS = 2
"""Claims of a database's namespace: its volume, and the one of a new instance that takes its place."""
COMPLETE_COPIES = "shopsphere.io/complete-copies"
"""Annotation of the ledger's cluster: names of its instances, with commas, that have whatever was acknowledged.

The site's agent writes it, and its API server lets no other instance lead in place of the one that leads (ADR 45).
"""
TOLD_TO_LEAD = "shopsphere.io/told-to-lead"
"""Annotation of a cluster: when it was told to lead (RFC 3339 in UTC, whole seconds).

For `PROMOTION_SECONDS` from then on its API server lets no other instance lead (ADR 65).
"""
PROMOTION_SECONDS = 10
INSTANCE_STATUS_PORT = 8000
"""Where CloudNativePG's instance manager answers its operator and the kubelet's probes."""


@dataclass(frozen=True)
class Login:
    """Who a program is at a database: it owns nothing, is a member of nothing, and may do what migrations grant it.

    Attributes:
        name: of the login among those of its database; secrets are named by it.
        role: in PostgreSQL.
    """

    name: str
    role: str


SERVICE = "service"
"""Name of the login that every database has."""


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
        logins: of the programs that work with it, one for each that may do something else; the first is `SERVICE`. The
            owner, as whom migrations run, grants each no more than its program needs.
        owner: team that answers for it.
    """

    name: str
    data_class: str
    power_percent: int
    synchronous: bool
    replication_port: int
    logins: tuple[Login, ...]
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
    def application_role(self) -> str:
        """Role of the first login; the owner is a member of it alone, as pods of older versions need."""
        return self.logins[0].role

    @property
    def dsn(self) -> str:
        """Its address for the service, without the password; the server has to prove who it is."""
        return self.dsn_of(SERVICE)

    def dsn_of(self, login: str) -> str:
        """Return its address for a workload with one of its logins, without the password."""
        return self._dsn(next(each.role for each in self.logins if each.name == login))

    @property
    def owner_dsn(self) -> str:
        """Its address for its migration, without the password."""
        return self._dsn(self.name)

    @property
    def owner_secret(self) -> str:
        """Name of the secret, in its own namespace, with the owner's password."""
        return f"{self.name}-owner"

    def login_secret(self, login: str) -> str:
        """Return the name of the secret, in its own namespace, with the password of one of its logins."""
        return f"{self.name}-{login}"

    def login_password(self, login: str) -> str:
        """Return the key of a stack's configuration with the password of one of its logins."""
        return f"{self.name}{login.capitalize()}Password"

    @property
    def server_secret(self) -> str:
        """Name of the secret, in its own namespace, with the server's certificate."""
        return f"{self.name}-server"

    def _dsn(self, login: str) -> str:
        address = f"{login}@{self.host}:{POSTGRESQL_PORT}/{self.name}"
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
    logins=(
        Login(SERVICE, "shop_app"),
        Login("insight", "insight_app"),
        Login("recommend", "recommend_app"),
        Login("export", "export_app"),
    ),
)
LEDGER = DatabaseModel(
    name="ledger",
    data_class="payment",
    power_percent=10,
    synchronous=True,
    replication_port=30033,
    logins=(Login(SERVICE, "payments_app"),),
)
DATABASES = (COMMERCE, LEDGER)
REPLICATION_PORTS = tuple(sorted(each.replication_port for each in DATABASES))
"""Ports at which the databases of a site ask those of the pair's other site."""


def synchronous_with(peer: str) -> dict[str, Any]:
    """Return CloudNativePG's `synchronous`: nothing is acknowledged that `peer`, the other site's cluster, lacks."""
    return {
        "method": "first",
        "number": 1,
        "maxStandbyNamesFromCluster": 0,
        "standbyNamesPre": [peer],
        "dataDurability": "required",  # the only one that CloudNativePG accepts with a name from outside
    }


def waiting_for(peer: str, beside: int) -> dict[str, Any] | None:
    """Return CloudNativePG's `synchronous` as a merge patch: whoever is named is waited for, and all of them are.

    Args:
        peer: cluster of the other site; empty: it is not waited for.
        beside: how many instances beside the leading one are waited for.
    """
    names = [peer] if peer else []
    if not names and not beside:
        return None
    return {
        "method": "first",
        "number": len(names) + beside,
        "maxStandbyNamesFromCluster": beside,
        "standbyNamesPre": names,
        "dataDurability": "required",
        # Refused by CloudNativePG where nobody beside is waited for; None takes it out.
        "failoverQuorum": True if beside else None,
    }
