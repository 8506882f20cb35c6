"""RegionalPair: the facts of a pair as seen from one of its sites. Both sites' stacks are built from the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from components.gateway_configuration import GatewayModel
from components.known_cdn import require_known_cdn
from components.migration import MigrationModel
from components.network_policies import NetworkModel
from components.postgres_spec import PostgresMemberModel
from components.workload import WorkloadModel
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.endpoint import Endpoint
from shopsphere.estate.event_log_site import COLLECT
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_config import DatabaseConfig, RegionalConfig, WorkloadConfig
from shopsphere.estate.site_declaration import REGIONAL_SITE, SiteDeclaration
from shopsphere.estate.stack import Environment
from shopsphere.estate.web_address import WELL_KNOWN_PORTS, port_of
from shopsphere.estate.workload_declaration import (
    SERVICE_PORT,
    OutsideEndpoint,
    Process,
    Surroundings,
    WorkloadDeclaration,
)
from shopsphere.estate.workloads import GATEWAY, SHOP
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import ARCHIVE_PORT, Pair, Topology
from shopsphere.topology.power import pod_watts
from shopsphere.topology.quantities import cores, gibibytes

MOST_BY_DEFAULT = 2
"""Instances of a database at a site of several nodes: one may be lost; each further one holds all data again."""


class NotAMemberError(ShopSphereError):
    """A stack's name and its project do not belong together."""


class UnreadableBackupsError(ShopSphereError):
    """A stack with an archive does not say for whom backups are encrypted."""


class TooManyInstancesError(ShopSphereError):
    """An instance would run where no fence keeps it from writing after the other site was promoted, or not at all."""


class UnsafePaymentsError(ShopSphereError):
    """A stack outside the lab would send money's requests in the clear, or take none."""


@dataclass(frozen=True)
class RegionalPair:
    """A pair, one of its sites, and that site's configuration.

    Attributes:
        topology: all sites.
        pair: the pair.
        placement: the site whose stack this is.
        config: the stack's configuration.
        declaration: the workloads and databases of each of the pair's sites.
        environment: that the stack is of.
    """

    topology: Topology
    pair: Pair
    placement: Placement
    config: RegionalConfig
    declaration: SiteDeclaration = REGIONAL_SITE
    environment: str = Environment.PROD

    @classmethod
    def of(
        cls,
        topology: Topology,
        pair_name: str,
        site: str,
        config: RegionalConfig,
        declaration: SiteDeclaration = REGIONAL_SITE,
        environment: str = Environment.PROD,
    ) -> RegionalPair:
        """Check that the site is one of the pair's, and that real money goes a safe way.

        Raises:
            NotAMemberError: the site is not one of the pair's.
            UnsafePaymentsError: outside the lab, the provider is not reached by https, or no payment method is named.
            UnreadableBackupsError: there is an archive, and nobody is named who could read what is in it.
            UnknownCdnError: the gateway would answer no CDN.
        """
        pair = topology.pair(pair_name)
        require_member(site, pair.sites, pair_name)
        require_safe_payments(config, environment)
        require_readable_backups(config, topology, site)
        require_known_cdn(config, site)
        return cls(topology, pair, Placement.of(topology, site), config, declaration, environment)

    @property
    def peer(self) -> str:
        """Name of the other site."""
        return self.pair.recovery if self.placement.site == self.pair.primary else self.pair.primary

    @property
    def addresses(self) -> dict[str, IPv4Address]:
        """Address of each of the two sites, this one first."""
        return {name: self.topology.site(name).address for name in (self.placement.site, self.peer)}

    def watts(self, sizes: WorkloadConfig | DatabaseConfig) -> int:
        """Return what one pod of this size is charged (W)."""
        return pod_watts(self.topology.power_model, cores(sizes.cpu), gibibytes(sizes.memory))

    def network(self) -> NetworkModel:
        """Return the site's surroundings for its network policies."""
        own = self.addresses[self.placement.site]
        return NetworkModel(
            placement=self.placement,
            site=self.declaration,
            peer=self.topology.site(self.peer).addresses,
            api_server=Endpoint.at(self.config.api_server or own, self.config.api_server_port),
            endpoints=self.endpoints,
        )

    @property
    def endpoints(self) -> Mapping[OutsideEndpoint, Endpoint | None]:
        """Where everything outside the cluster is that a workload may name; None where this stack has none."""
        headquarters = self.topology.site(self.topology.headquarters)
        archive, kafka = self.topology.archive_of(self.placement.site), self.config.kafka
        return {
            "payment-provider": Endpoint(self.config.psp_networks, port_of(self.config.psp_url)),
            "site-agent": self.agent,
            "headquarters": Endpoint.at(headquarters.address, WELL_KNOWN_PORTS["https"]),
            "archive": Endpoint.at(archive.address, ARCHIVE_PORT) if archive else None,
            "event-log": Endpoint(kafka.networks, kafka.port) if kafka and kafka.networks else None,
        }

    def reaches(self, workload: WorkloadDeclaration) -> bool:
        """Whether this stack has all that a workload reaches outside the cluster; it is of no use without."""
        return all(self.endpoints[name] for name in workload.endpoints)

    @property
    def agent(self) -> Endpoint:
        """Where the site's agent answers: at the site's address, unless the stack says otherwise."""
        own = self.addresses[self.placement.site]
        return Endpoint.at(self.config.site_agent or own, self.config.site_agent_port)

    @property
    def surroundings(self) -> Surroundings:
        """What the settings of this site's workloads may depend on."""
        return Surroundings(self.topology, self.placement.site, self.pair.name, self.config, self.environment)

    def workload(self, declaration: WorkloadDeclaration, process: Process) -> WorkloadModel:
        """Return a workload as it runs at this site."""
        sizes = self.config.workloads[declaration.name]
        return WorkloadModel(
            placement=self.placement,
            declaration=declaration,
            process=process,
            config=sizes,
            watts=self.watts(sizes),
            environment=declaration.environment(process, self.surroundings),
        )

    def gateway(self) -> GatewayModel:
        """Return this site's gateway."""
        sizes = self.config.workloads[GATEWAY.name]
        return GatewayModel(
            placement=self.placement,
            config=sizes,
            watts=self.watts(sizes),
            shop_host=SHOP.host,
            shop_port=SERVICE_PORT,
            collector_host=COLLECT.host if self.declaration.has(COLLECT.name) else "",
            static_paths=self.topology.cdn.paths,
            cdn_authority=self.config.cdn_authority,
            static_over_http=self.config.static_over_http,
            public_url=self.surroundings.public_url,
            domain=self.topology.domain,
            requests_per_second=self.config.requests_per_second_per_source,
            sign_ins_per_minute=self.config.sign_ins_per_minute_per_source,
            checkouts_per_minute=self.config.checkouts_per_minute_per_source,
            agent=self.agent,
            nodes=len(self.topology.site(self.placement.site).nodes),
        )

    def _instances(self, database: DatabaseModel) -> int:
        """Return how many instances of a database run here: two where the site has several nodes, or as configured.

        Raises:
            TooManyInstancesError: the site has fewer nodes that may run them.
        """
        site = self.topology.site(self.placement.site)
        wanted = self.config.databases[database.name].instances or min(MOST_BY_DEFAULT, len(site.addresses))
        if wanted > len(site.addresses):
            raise TooManyInstancesError.build(
                f"{database.name} has more instances than {site.name} has nodes that may run one",
                expected=f"at most {len(site.addresses)}: one on each node whose agent keeps a fence",
                found=f"shopsphere:databases.{database.name}.instances: {wanted}",
                action=f"add nodes to sites.{site.name}.further_nodes of the topology, or lower the number",
            )
        return wanted

    def migration(self, declaration: WorkloadDeclaration, process: Process, database: DatabaseModel) -> MigrationModel:
        """Return the migration of a workload's database; its pod has the size of one of the workload's."""
        sizes = self.config.workloads[declaration.name]
        return MigrationModel(
            placement=self.placement,
            database=database,
            command=process.migration,
            config=sizes,
            watts=self.watts(sizes),
            environment=declaration.migration_environment(database, self.surroundings),
        )

    def member(self, database: DatabaseModel) -> PostgresMemberModel:
        """Return this site's member of a database of the pair."""
        config = self.config.databases[database.name]
        return PostgresMemberModel(
            placement=self.placement,
            database=database,
            config=config,
            peer=self.peer,
            initial_primary=self.pair.primary,
            addresses={site: ",".join(map(str, self.topology.site(site).addresses)) for site in self.addresses},
            instances=self._instances(database),
            watts=self.watts(config),
        )


def require_safe_payments(config: RegionalConfig, environment: str) -> None:
    """Refuse a configuration that only a simulated provider may have; the shop refuses it too, at its start.

    Raises:
        UnsafePaymentsError: outside the lab, the provider is not reached by https, or no payment method is named.
    """
    if environment == Environment.LAB:
        return
    if not config.psp_url.startswith("https:"):
        raise UnsafePaymentsError.build(
            "the way to the payment provider is not encrypted",
            expected="shopsphere:pspUrl: https://…",
            found=config.psp_url,
            action="correct it in the stack's file",
        )
    if not config.payment_methods:
        raise UnsafePaymentsError.build(
            "customers have no way to pay",
            expected="shopsphere:paymentMethods: titles by the provider's tokens",
            found="none; only the lab has methods of its own",
            action="add them to the stack's file",
        )


def require_readable_backups(config: RegionalConfig, topology: Topology, site: str) -> None:
    """Refuse a stack whose jurisdiction has an archive, and which names no key for it.

    Raises:
        UnreadableBackupsError: no public key of the restorers is configured.
    """
    if topology.archive_of(site) and not config.archive_recipient:
        raise UnreadableBackupsError.build(
            f"{site}: for whom backups are encrypted is not known",
            expected="shopsphere:archiveRecipient: the public key (age1…) that `age-keygen` told the restorers",
            found="nothing",
            action="add it to the stack's file (docs/backups.md)",
        )


def require_member(site: str, sites: tuple[str, ...], project: str) -> None:
    """Refuse a site that is not of the project.

    Raises:
        NotAMemberError: the site belongs to another project.
    """
    if site not in sites:
        raise NotAMemberError(
            f"site {site!r} is not of project {project}\n  expected: a stack <environment>-<site> with a site of "
            f"{', '.join(sites)}\n  found:    {site!r}\n  do:       select another stack or change to its project"
        )
