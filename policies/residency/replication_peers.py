"""Names and addresses under which a database's members in one pair know each other."""

from __future__ import annotations

from dataclasses import dataclass

from policies.residency_map import known, pair_sites, topology_of
from policies.resource import Resource
from shopsphere.topology import Topology


@dataclass(frozen=True)
class Peers:
    """The members of one database in one pair.

    Attributes:
        database: name that the members share.
        site: site of the member that is judged.
        sites: all sites of its pair.
        topology: of the member's environment, for addresses.
    """

    database: str
    site: str
    sites: tuple[str, ...]
    topology: Topology

    @classmethod
    def of(cls, resource: Resource, cluster: str) -> Peers:
        """Take the database's name from a cluster's: `ledger-frankfurt` is a member of `ledger`."""
        site, model = resource.site, topology_of(resource)
        sites = pair_sites(model, site)
        ends = [each for each in sites if cluster.endswith(f"-{each}")]
        return cls(cluster.removesuffix(f"-{ends[0]}") if ends else cluster, site, sites, model)

    @property
    def own(self) -> str:
        """Name that this member has to have."""
        return f"{self.database}-{self.site}"

    @property
    def names(self) -> frozenset[str]:
        """Names of all members."""
        return frozenset(f"{self.database}-{site}" for site in self.sites)

    @property
    def described(self) -> str:
        """The names, for messages."""
        return known(self.names)

    @property
    def described_hosts(self) -> str:
        """The addresses, for messages."""
        return known([f"{each} ({site})" for site in self.sites for each in self.topology.site(site).addresses])

    def is_host(self, host: str) -> bool:
        """Whether a host is a member's: its site's address or name. Whoever makes a service says where that leads."""
        places = {str(each) for site in self.sites for each in self.topology.site(site).addresses}
        places |= {f"{site}.{self.topology.domain}" for site in self.sites}
        return host in places
