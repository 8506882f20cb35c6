"""A change of a pair's active site: who moves what to where, and the ways to everything that takes part.

Nothing here needs the Pulumi engine, its state, headquarters, or the site that is left. Addresses and credentials come
from the stacks' configuration files, which are on the operator's machine before anything happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, TypeVar

from runbooks.engine.errors import BlockedError
from runbooks.engine.journal import Journal
from shopsphere.clients import powerdns
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.postgres import cluster_path
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.clients.site_agent import agent_address, ask_agent
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.estate.access import EdgeAccess, edge_access, site_access
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.name_servers import name_servers
from shopsphere.names.pair_state import PairDeclaration, public_addresses
from shopsphere.topology import Pair, Topology
from shopsphere.witness import PairRecord, Witness, WitnessConflictError
from shopsphere.witness.client import Seen

PLANNED, UNPLANNED = "planned", "unplanned"
MOVE, STAY = "move", "stay"
CLUSTER_SECONDS = 3.0
AUTHORITY_SECONDS = 2.0
"""Bound on an answer of a DNS authority: customers stand still while a hanging one is waited for."""

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
        site_is_off: site of which the operator has said that it is off and stays off; empty for none.
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
    site_is_off: str = ""
    journal: Journal | None = None
    _clusters: dict[str, Cluster] = field(default_factory=dict)
    _agents: dict[str, str] = field(default_factory=dict)
    _edge_access: EdgeAccess | None = None
    _seen: tuple[Seen, PairRecord] | None = None

    def cluster(self, site: str) -> Cluster:
        """Return a site's API; a dead one fails when it is used, within CLUSTER_SECONDS."""
        if site not in self._clusters:
            self._clusters[site] = cluster_of(self._stack(site), seconds=CLUSTER_SECONDS)
        return self._clusters[site]

    def database(self, site: str, database: DatabaseModel) -> dict[str, Any]:
        """Return the CloudNativePG cluster of a database at a site."""
        return self.cluster(site).get(database_path(site, database))

    def patch(
        self, site: str, database: DatabaseModel, changes: dict[str, Any], *, version: str = ""
    ) -> dict[str, Any]:
        """Change it in one request; with `version`, only if it still is what was looked at."""
        return self.cluster(site).patch(database_path(site, database), changes, version=version)

    def each_database(self, action: Callable[[DatabaseModel], Answer]) -> list[Answer]:
        """Do something with both databases at once; the first failure is raised when both have ended."""
        return at_each(DATABASES, action)

    def recall(self, key: str) -> Any:
        """Return what this run remembered; None in a dry run, or when it did not."""
        return self.journal.recall(key) if self.journal else None

    def remember(self, key: str, value: Any) -> None:
        """Keep a value over a kill of this run.

        Raises:
            BlockedError: this is a dry run, in which nothing may happen that has to be remembered.
        """
        if self.journal is None:
            raise BlockedError.because("a dry run has no journal", action="run it with --execute")
        self.journal.remember(key, value)

    def agent_state(self, site: str) -> dict[str, Any]:
        """Return what a site's agent says about itself.

        Raises:
            SiteAgentError: it does not answer.
        """
        return ask_agent(self.agent_address(site))

    def agent_address(self, site: str) -> str:
        """Return where a site's agent answers."""
        if site not in self._agents:
            self._agents[site] = agent_address(site_access(self._stack(site)), self.topology.site(site))
        return self._agents[site]

    def see(self) -> tuple[Seen, PairRecord]:
        """Return what the witness says now.

        Raises:
            BlockedError: the pair has no record, or another change happened in between.
        """
        self._seen = self._ours(self.witness.see())
        return self._seen

    def _ours(self, seen: Seen) -> tuple[Seen, PairRecord]:
        record = seen.record
        if record is None:
            raise BlockedError.because(
                f"the witness has no record of {self.pair.name}", action="start the agent of a site"
            )
        if record.epoch != self.epoch and not self.is_moved(record):
            raise BlockedError.because(
                f"{self.pair.name} is in epoch {record.epoch} with {record.active} active, not in epoch {self.epoch}:"
                f" {record.actor} moved it ({record.reason})",
                action="look at that change; then start a new run",
            )
        return seen, record

    def last_seen(self) -> tuple[Seen, PairRecord]:
        """Return what the witness said when it was asked last: each question is a way round the world."""
        return self._seen or self.see()

    def is_moved(self, record: PairRecord) -> bool:
        """Whether the witness named the target as active when it gave this record."""
        return record.epoch == self.epoch + 1 and record.active == self.target

    def moved(self) -> bool:
        """Ask the witness whether the target is active already."""
        return self.is_moved(self.see()[1])

    def change(self, reason: str, **values: object) -> None:
        """Change the witness's record by compare-and-swap; once the target is active there is nothing to change.

        Raises:
            WitnessConflictError: the record was changed by others, also after it was read again.
            WitnessUnreachableError: no quorum answered.
        """
        if not self.attempt(reason, values) and not self.attempt(reason, values):
            raise WitnessConflictError(f"{self.pair.name}: others keep changing its record; repeat this command")

    def attempt(self, reason: str, values: Mapping[str, object], *, without_lease: bool = False) -> bool:
        """Change the record as it was last seen; False where it is another one by now, or somebody holds the lease.

        What is there now is then what was last seen.

        Raises:
            BlockedError: another change happened in between.
            WitnessUnreachableError: no quorum answered.
        """
        seen, record = self.last_seen()
        if self.is_moved(record):
            return True
        signed = record.changed(actor=self.actor, reason=reason, **values)
        done, now = self.witness.attempt(seen, signed, without_lease=without_lease)
        self._seen = self._ours(now)
        return done

    def authorities(self) -> Sequence[DnsAuthority]:
        """Return every DNS authority of the edge's configuration."""
        edge = self._edge()
        urls = {each.name: each.url for each in edge.require_authorities()}
        return powerdns.connect_to(urls, edge.dns_api_key_file, seconds=AUTHORITY_SECONDS)

    def name_servers(self) -> list[IPv4Address]:
        """Return the addresses at which the zone's own name servers answer."""
        return [each.address for each in name_servers(self._edge()) if each.for_others]

    def declaration(self) -> PairDeclaration:
        """Return the pair's state record as the edge declares it."""
        addresses = public_addresses(self.topology, self._edge().site_addresses)
        return PairDeclaration.declared(self.topology, self.pair, addresses)

    def public_authority(self) -> Path | None:
        """Return the certificate authority to trust beside the system's, if there is one."""
        return self._edge().certificate_authority

    def _stack(self, site: str) -> StackId:
        return site_stack(self.topology, site, self.environment)

    def _edge(self) -> EdgeAccess:
        """Return the edge's configuration as it was when this change asked first: reading it is expensive."""
        if self._edge_access is None:
            self._edge_access = edge_access(self.environment)
        return self._edge_access


def database_path(site: str, database: DatabaseModel) -> str:
    """Return the API path of a database's cluster at a site."""
    return cluster_path(database.namespace.name, database.cluster(site))
