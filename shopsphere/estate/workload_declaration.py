"""What there is to say about a workload, the same at every site that runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from shopsphere.estate.databases import SERVICE, DatabaseModel
from shopsphere.estate.namespaces import NamespaceModel
from shopsphere.estate.pair_secrets import BELIEVED_BESIDE, other_name
from shopsphere.estate.region_facts import region_facts
from shopsphere.estate.site_config import RegionalConfig
from shopsphere.estate.stack import Environment
from shopsphere.topology import ARCHIVE_PORT, Topology

SERVICE_PORT = 80
"""Where the Service of a workload answers; its pods listen on the declared port."""

Priority = Literal["storefront", "background"]
"""What customers wait for, or what can be done later."""


def priority_class_name(priority: str) -> str:
    """Return the cluster's name of a priority."""
    return f"shopsphere-{priority}"


OutsideEndpoint = Literal["payment-provider", "site-agent", "headquarters", "archive", "event-log"]
"""What a workload may reach outside its cluster, by name; RegionalPair knows where each of them is."""


@dataclass(frozen=True)
class Surroundings:
    """What the settings of a workload may depend on.

    Attributes:
        topology: all sites and pairs.
        site: name of the site that it runs at.
        pair: name of the pair that the site is of.
        config: configuration of the site's stack.
        environment: that the stack is of, as in `lab`.
    """

    topology: Topology
    site: str
    pair: str
    config: RegionalConfig
    environment: str = Environment.PROD

    @property
    def public_url(self) -> str:
        """Address of the shop for customers."""
        return self.config.public_url or f"https://{self.topology.shop_host}"

    @property
    def static_url(self) -> str:
        """Address of static assets: the CDN."""
        return self.config.static_url or f"https://{self.topology.static_host}"

    @property
    def archive_url(self) -> str:
        """Address of the archive of the site's jurisdiction; empty where there is none."""
        archive = self.topology.archive_of(self.site)
        return f"https://{archive.address}:{ARCHIVE_PORT}" if archive else ""


Settings = Callable[[Surroundings], Mapping[str, str]]


@dataclass(frozen=True)
class Process:
    """What runs in a pod.

    Attributes:
        command: words that start it.
        migration: words of the command that brings the first of its databases' newest schema; none if empty. It runs
            in the database's namespace as the database's owner, whose password is nowhere else.
        schema: words of a command that waits for that schema; a pod starts when it has succeeded; none if empty.
        settings: its plain environment variables, beside those that every process has.
        secrets: names of secrets of the stack's configuration, by the environment variable that holds each; one that
            a stack may be without is not set there.
        live_path: path that is answered while the process works; a pod where it is not is restarted.
        ready_path: path that is answered while the process can serve; other pods get no requests.
        startup_seconds: longest time until live_path is answered at first (s).
        scratch: sizes of folders for what may be lost with the pod, by their paths.
        files: names of secrets of the stack's configuration, by the names of the files that hold them, all in one
            folder (shopsphere.estate.event_log.FILES_DIRECTORY).
    """

    command: tuple[str, ...]
    migration: tuple[str, ...] = ()
    schema: tuple[str, ...] = ()
    settings: Settings = lambda _: {}
    secrets: Mapping[str, str] = field(default_factory=dict)
    live_path: str = "/livez"
    ready_path: str = "/readyz"
    startup_seconds: int = 60
    scratch: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkloadDeclaration:
    """One workload. Its namespace, Deployment and Service have its name.

    Attributes:
        name: of the workload.
        data_class: class of the data that its pods handle.
        owner: team that answers for it.
        power_percent: share of its namespace in the site's power for pods (%).
        priority: of its pods, when there is not room for all.
        ports: where its pods answer those that may reach them; a process listens on the first.
        image: name of its image in the stack's configuration.
        process: what runs in its pods; None for a workload that has a component of its own.
        open_to_customers: whether anybody may reach its ports.
        calls: workloads that it may reach.
        databases: databases that it may reach, and has the addresses and passwords of.
        login: name of the login that its process has at each of them.
        endpoints: what it may reach outside the cluster.
        replicates: whether it reads its databases by replication only, so that it has neither their owners' addresses
            nor their passwords.
        claims: most claims of volumes in its namespace.
    """

    name: str
    data_class: str
    owner: str
    power_percent: int
    ports: tuple[int, ...]
    priority: Priority = "storefront"
    image: str = "shop"
    process: Process | None = None
    open_to_customers: bool = False
    calls: tuple[WorkloadDeclaration, ...] = ()
    databases: tuple[DatabaseModel, ...] = ()
    login: str = SERVICE
    endpoints: tuple[OutsideEndpoint, ...] = ()
    replicates: bool = False
    claims: int = 0

    @property
    def namespace(self) -> NamespaceModel:
        """Where it runs at every site."""
        outside = len(self.ports) if self.open_to_customers else 0
        return NamespaceModel(
            self.name,
            self.data_class,
            self.owner,
            self.power_percent,
            claims=self.claims,
            load_balancers=min(1, outside),
            node_ports=outside,
        )

    @property
    def host(self) -> str:
        """DNS name of its Service."""
        return self.namespace.host(self.name)

    @property
    def url(self) -> str:
        """Address of its Service for the workloads that call it."""
        return f"http://{self.host}:{SERVICE_PORT}"

    def environment(self, process: Process, surroundings: Surroundings) -> dict[str, str]:
        """Return the plain environment variables of its process."""
        return _kept(
            {
                **_facts(surroundings),
                **{f"{each.name.upper()}_DSN": each.dsn_of(self.login) for each in self.logged_in_to},
                **process.settings(surroundings),
            }
        )

    def migration_environment(self, database: DatabaseModel, surroundings: Surroundings) -> dict[str, str]:
        """Return the plain environment variables of the migration of one of its databases, as the owner."""
        return _kept({**_facts(surroundings), f"{database.name.upper()}_DSN": database.owner_dsn})

    def secrets(self, process: Process) -> dict[str, str]:
        """Return the names of secrets of the stack's configuration by the environment variable that holds each.

        Those that are believed beside others are in the configuration only while they are renewed.
        """
        passwords = {f"{each.name.upper()}_PASSWORD": each.login_password(self.login) for each in self.logged_in_to}
        own = {**process.secrets, **passwords}
        beside = {f"{variable}_OTHER": other_name(name) for variable, name in own.items() if name in BELIEVED_BESIDE}
        return {**own, **beside}

    @property
    def logged_in_to(self) -> tuple[DatabaseModel, ...]:
        """Databases that its process has a login at."""
        return () if self.replicates else self.databases


def _facts(surroundings: Surroundings) -> dict[str, str]:
    """Return what every process of the shop knows about where it is."""
    return {
        "SHOP_SITE": surroundings.site,
        "SHOP_ENVIRONMENT": surroundings.environment,
        "SHOP_REGION_FACTS": region_facts(surroundings.topology, surroundings.pair),
    }


def _kept(variables: dict[str, str]) -> dict[str, str]:
    """Return them without empty ones: an API server keeps an empty one as none, and the next look would find drift."""
    return {name: value for name, value in variables.items() if value}
