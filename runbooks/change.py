"""A change of a pair's active site: who moves what to where, and the ways to everything that takes part.

Nothing here needs the Pulumi engine, its state, headquarters, or the site that is left. Addresses and credentials come
from the stacks' configuration files, which are on the operator's machine before anything happens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from components.databases import DATABASES, DatabaseModel
from components.edge.clients import powerdns
from components.edge.clients.powerdns import DnsAuthority
from components.edge.pair_state import PairDeclaration
from components.topology import Pair, Topology
from runbooks.engine.errors import BlockedError
from runbooks.engine.journal import Journal
from runbooks.witness import PairRecord, Witness
from runbooks.witness.client import Seen
from shopsphere.deploy import stack_files
from shopsphere.deploy.stack import Environment, StackId, edge_stack
from shopsphere.errors import ShopSphereError
from shopsphere.storage.cluster import Cluster
from shopsphere.storage.site_cluster import cluster_of

PLANNED, UNPLANNED = "planned", "unplanned"
CLUSTER_SECONDS = 3.0
AGENT_PORT = 8405

Answer = TypeVar("Answer")


@dataclass
class RoleChange:
    """One change of the active site; what a step needs to know.

    Attributes:
        topology: the pair's sites and addresses.
        pair: the pair.
        environment: lab or prod.
        source: site that is active before.
        target: site that is active afterwards.
        epoch: epoch before; the change makes it one more.
        variant: planned or unplanned.
        actor: who.
        reason: why.
        accept_data_loss: the operator has said that acknowledged payments may be lost.
        witness: the pair's.
        journal: of this run; None in a dry run.
    """

    topology: Topology
    pair: Pair
    environment: Environment
    source: str
    target: str
    epoch: int
    variant: str
    actor: str
    reason: str
    accept_data_loss: bool
    witness: Witness
    journal: Journal | None = None
    _clusters: dict[str, Cluster] = field(default_factory=dict)

    def cluster(self, site: str) -> Cluster:
        """Return a site's API; a dead one fails when it is used, within CLUSTER_SECONDS."""
        if site not in self._clusters:
            stack = StackId(self.pair.name, site, self.topology.jurisdiction_of(site), self.environment)
            self._clusters[site] = cluster_of(stack, seconds=CLUSTER_SECONDS)
        return self._clusters[site]

    def database(self, site: str, database: DatabaseModel) -> dict[str, Any]:
        """Return the CloudNativePG cluster of a database at a site."""
        return self.cluster(site).get(database_path(site, database))

    def patch(self, site: str, database: DatabaseModel, changes: dict[str, Any]) -> dict[str, Any]:
        """Change it in one request."""
        return self.cluster(site).patch(database_path(site, database), changes)

    def each_database(self, action: Callable[[DatabaseModel], Answer]) -> list[Answer]:
        """Do something with both databases at once; the first failure is raised when both have ended."""
        with ThreadPoolExecutor(len(DATABASES)) as pool:
            return list(pool.map(action, DATABASES))

    def agent_address(self, site: str) -> str:
        """Return where a site's agent answers."""
        stack = StackId(self.pair.name, site, self.topology.jurisdiction_of(site), self.environment)
        config = stack_files.configuration(stack)
        host = config.get("shopsphere:siteAgent", str(self.topology.site(site).address))
        return f"http://{host}:{config.get('shopsphere:siteAgentPort', AGENT_PORT)}"

    def see(self) -> tuple[Seen, PairRecord]:
        """Return what the witness says now.

        Raises:
            BlockedError: the pair has no record, or another change happened in between.
        """
        seen = self.witness.see()
        record = seen.record
        if record is None:
            raise BlockedError.because(
                f"the witness has no record of {self.pair.name}", action="start the agent of a site"
            )
        moved = record.epoch == self.epoch + 1 and record.active == self.target
        if record.epoch != self.epoch and not moved:
            raise BlockedError.because(
                f"{self.pair.name} is in epoch {record.epoch} with {record.active} active, not in epoch {self.epoch}:"
                f" {record.actor} moved it ({record.reason})",
                action="look at that change; then start a new run",
            )
        return seen, record

    def moved(self) -> bool:
        """Whether the witness names the target as active already."""
        return self.see()[1].active == self.target

    def change(self, reason: str, *, without_lease: bool = False, **values: object) -> None:
        """Change the witness's record by compare-and-swap."""
        seen, record = self.see()
        signed = record.changed(actor=self.actor, reason=reason, **values)
        self.witness.change(seen, signed, without_lease=without_lease)

    def authorities(self) -> Sequence[DnsAuthority]:
        """Return every DNS authority of the edge's configuration."""
        config = self._edge()
        entries = config["shopsphere:dnsAuthorities"]
        return powerdns.connect({"authorities": entries, "keyFile": config["shopsphere:dnsApiKeyFile"]})

    def declaration(self) -> PairDeclaration:
        """Return the pair's state record as the edge declares it."""
        own = self._edge().get("shopsphere:siteAddresses", {})
        addresses = {site: str(own.get(site, self.topology.site(site).address)) for site in self.pair.sites}
        return PairDeclaration(
            zone=f"{self.topology.domain}.",
            pair=self.pair.name,
            primary=self.pair.primary,
            recovery=self.pair.recovery,
            addresses=addresses,
            active_weight=self.pair.weights.active,
            passive_weight=self.pair.weights.passive,
            ttl=self.pair.dns_ttl_seconds,
        )

    def public_authority(self) -> Path | None:
        """Return the certificate authority to trust beside the system's, if there is one."""
        named = self._edge().get(stack_files.AUTHORITY_KEY)
        return Path(named) if named else None

    def _edge(self) -> dict[str, Any]:
        return stack_files.configuration(edge_stack(self.environment))


def witness_of(pair: str, environment: Environment) -> Witness:
    """Return a pair's witness, as the edge's configuration names its voters.

    Raises:
        ShopSphereError: it names none.
    """
    stack = edge_stack(environment)
    urls = stack_files.configuration(stack).get(stack_files.WITNESS_KEY, {}).get(pair)
    if not urls:
        raise ShopSphereError.build(
            f"{pair}: where its witness is, is not known here",
            expected=f"{stack_files.WITNESS_KEY} with {pair} in {stack_files.project_file(stack).name}",
            found="nothing",
            action="`shopsphere up edge` writes it for the lab; for your own sites, add the voters' addresses",
        )
    return Witness(pair, urls)


def database_path(site: str, database: DatabaseModel) -> str:
    """Return the API path of a database's cluster at a site."""
    group = "/apis/postgresql.cnpg.io/v1"
    return f"{group}/namespaces/{database.namespace.name}/clusters/{database.cluster(site)}"
