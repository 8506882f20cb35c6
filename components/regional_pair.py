"""RegionalPair: the facts of a pair as seen from one of its sites. Both sites' stacks are built from the same."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

from components.network_policies import NetworkModel
from components.postgres_spec import PostgresMemberModel
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.endpoint import Endpoint
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_config import DatabaseConfig, RegionalConfig, WorkloadConfig
from shopsphere.estate.web_address import port_of
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Pair, Topology
from shopsphere.topology.power import pod_watts
from shopsphere.topology.quantities import cores, gibibytes


class NotAMemberError(ShopSphereError):
    """A stack's name and its project do not belong together."""


@dataclass(frozen=True)
class RegionalPair:
    """A pair, one of its sites, and that site's configuration.

    Attributes:
        topology: all sites.
        pair: the pair.
        placement: the site whose stack this is.
        config: the stack's configuration.
    """

    topology: Topology
    pair: Pair
    placement: Placement
    config: RegionalConfig

    @classmethod
    def of(cls, topology: Topology, pair_name: str, site: str, config: RegionalConfig) -> RegionalPair:
        """Check that the site is one of the pair's.

        Raises:
            NotAMemberError: it is not.
        """
        pair = topology.pair(pair_name)
        require_member(site, pair.sites, pair_name)
        return cls(topology, pair, Placement.of(topology, site), config)

    @property
    def peer(self) -> str:
        """Name of the other site."""
        return self.pair.recovery if self.placement.site == self.pair.primary else self.pair.primary

    @property
    def addresses(self) -> dict[str, IPv4Address]:
        """Address of each site; the configuration's where it has one, else the topology's."""
        own, peer = self.topology.site(self.placement.site), self.topology.site(self.peer)
        return {
            own.name: self.config.address or own.address,
            peer.name: self.config.peer_address or peer.address,
        }

    def watts(self, sizes: WorkloadConfig | DatabaseConfig) -> int:
        """Return what one pod of this size is charged (W)."""
        return pod_watts(self.topology.power_model, cores(sizes.cpu), gibibytes(sizes.memory))

    def network(self) -> NetworkModel:
        """Return the site's surroundings for its network policies."""
        own = self.addresses[self.placement.site]
        return NetworkModel(
            placement=self.placement,
            peer=self.addresses[self.peer],
            api_server=Endpoint.at(self.config.api_server or own, self.config.api_server_port),
            payment_provider=Endpoint(self.config.psp_networks, port_of(self.config.psp_url)),
            agent=self.agent,
        )

    @property
    def agent(self) -> Endpoint | None:
        """Where the site's agent answers, if the stack names one."""
        address = self.config.site_agent
        return Endpoint.at(address, self.config.site_agent_port) if address else None

    def member(self, database: DatabaseModel, config: DatabaseConfig) -> PostgresMemberModel:
        """Return this site's member of a database of the pair."""
        return PostgresMemberModel(
            placement=self.placement,
            database=database,
            config=config,
            peer=self.peer,
            initial_primary=self.pair.primary,
            addresses={site: str(address) for site, address in self.addresses.items()},
            watts=self.watts(config),
        )


def require_member(site: str, sites: tuple[str, ...], project: str) -> None:
    """Refuse a site that is not of the project.

    Raises:
        NotAMemberError: it is another project's.
    """
    if site not in sites:
        raise NotAMemberError(
            f"site {site!r} is not of project {project}\n  expected: a stack <environment>-<site> with a site of "
            f"{', '.join(sites)}\n  found:    {site!r}\n  do:       select another stack or change to its project"
        )
