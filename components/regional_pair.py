"""RegionalPair: the facts of a pair as seen from one of its sites. Both sites' stacks are built from the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from components.network_policies import NetworkModel
from components.postgres_spec import PostgresMemberModel
from components.workload import WorkloadModel
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.endpoint import Endpoint
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_config import DatabaseConfig, RegionalConfig, WorkloadConfig
from shopsphere.estate.site_declaration import REGIONAL_SITE, SiteDeclaration
from shopsphere.estate.stack import Environment
from shopsphere.estate.web_address import WELL_KNOWN_PORTS, port_of
from shopsphere.estate.workload_declaration import OutsideEndpoint, Process, Surroundings, WorkloadDeclaration
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Pair, Topology
from shopsphere.topology.power import pod_watts
from shopsphere.topology.quantities import cores, gibibytes


class NotAMemberError(ShopSphereError):
    """A stack's name and its project do not belong together."""


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
        """
        pair = topology.pair(pair_name)
        require_member(site, pair.sites, pair_name)
        require_safe_payments(config, environment)
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
            peer=self.addresses[self.peer],
            api_server=Endpoint.at(self.config.api_server or own, self.config.api_server_port),
            endpoints=self.endpoints,
        )

    @property
    def endpoints(self) -> Mapping[OutsideEndpoint, Endpoint | None]:
        """Where everything outside the cluster is that a workload may name; None where this stack has none."""
        headquarters = self.topology.site(self.topology.headquarters)
        return {
            "payment-provider": Endpoint(self.config.psp_networks, port_of(self.config.psp_url)),
            "site-agent": self.agent,
            "headquarters": Endpoint.at(headquarters.address, WELL_KNOWN_PORTS["https"]),
        }

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

    def member(self, database: DatabaseModel) -> PostgresMemberModel:
        """Return this site's member of a database of the pair."""
        config = self.config.databases[database.name]
        return PostgresMemberModel(
            placement=self.placement,
            database=database,
            config=config,
            peer=self.peer,
            initial_primary=self.pair.primary,
            addresses={site: str(address) for site, address in self.addresses.items()},
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
