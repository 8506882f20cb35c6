"""The ways to a pair: to its sites' APIs, databases and agents, its witness, and the authorities for its names.

Nothing here needs the Pulumi engine, its state, headquarters, or the site that is left. Addresses and credentials come
from the stacks' configuration files, which are on the operator's machine before anything happens.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from ipaddress import IPv4Address
from typing import Any, TypeVar

from runbooks.restore.archives import Backup, backups_of
from runbooks.site_database import SiteDatabase
from shopsphere.clients import powerdns
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.dns import ask_address
from shopsphere.clients.edge_ends import ends_here, ends_shown
from shopsphere.clients.edge_errors import CredentialError
from shopsphere.clients.edge_identity import RUNBOOKS, WATCHER, EdgeIdentity
from shopsphere.clients.kubeconfig_ends import ends_of_roles
from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.clients.site_agent import agent_address, ask_agent
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.clients.web import Door, end_shown, trust_in
from shopsphere.estate.access import (
    AccessError,
    CdnAccess,
    EdgeAccess,
    edge_access,
    parent_servers,
    read_access,
    site_access,
    witness_access,
)
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.kubectl_line import SiteKubectl, kubectl_at
from shopsphere.estate.ready_workloads import ReadyWorkload, declaration_of, ready_workloads_of
from shopsphere.estate.site_declaration import SiteDeclaration
from shopsphere.estate.stack import Environment, StackId, edge_stack, site_stack
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.name_servers import NameServer, name_servers
from shopsphere.names.pair_state import PairDeclaration, public_addresses, zone_of
from shopsphere.names.zone_view import ZoneView, look_at_zone
from shopsphere.topology import FurtherNode, Pair, Topology
from shopsphere.witness import Witness
from shopsphere.witness.access import keys_folder
from shopsphere.witness.own_keys import OwnKeys, certificate_ends, own_keys

CLUSTER_SECONDS = 3.0
AUTHORITY_SECONDS = 2.0
"""Bound on an answer of a DNS authority: customers stand still while a hanging one is waited for."""

Answer = TypeVar("Answer")


class PairAccess:
    """The ways to one pair; safe to share between threads. What is dead fails when it is used, within a bound.

    Args:
        topology: the pair's sites and addresses.
        pair: the pair.
        environment: lab or prod.
        witness: the pair's.
        role: as whom the sites' APIs are asked, and the edge's: what only looks for hours asks as a watcher.
    """

    def __init__(
        self,
        topology: Topology,
        pair: Pair,
        environment: Environment,
        witness: Witness,
        *,
        role: Role = Role.OPERATE,
    ) -> None:
        self.topology, self.pair, self.environment, self.witness = topology, pair, environment, witness
        self._role, self._edge_user = role, WATCHER if role is Role.WATCH else RUNBOOKS
        self._clusters: dict[str, Cluster] = {}
        self._databases: dict[tuple[str, str], SiteDatabase] = {}
        self._agents: dict[str, str] = {}
        self._agents_said: dict[str, dict[str, Any]] = {}

    @property
    def public_name(self) -> str:
        """The name that leads to the pair's active site."""
        return f"{self.pair.name}.{self.topology.domain}"

    def cluster(self, site: str) -> Cluster:
        """Return a site's API.

        Raises:
            NoAccessError: this machine has no usable kubeconfig for it.
        """
        if site not in self._clusters:
            self._clusters[site] = cluster_of(self._stack(site), self._role, seconds=CLUSTER_SECONDS)
        return self._clusters[site]

    def kubectl(self, site: str) -> SiteKubectl:
        """Return how a person calls kubectl at a site."""
        return kubectl_at(self._stack(site))

    def declaration_at(self, site: str) -> SiteDeclaration:
        """Return what a site is declared to have, by its stack's configuration."""
        return declaration_of(self.topology, self._stack(site))

    def workloads(self, site: str) -> tuple[ReadyWorkload, ...]:
        """Return which workloads of a site have to be ready."""
        return ready_workloads_of(self.topology, self._stack(site))

    def database(self, site: str, model: DatabaseModel) -> SiteDatabase:
        """Return one of the databases at a site, the same one each time: it remembers how it was seen last."""
        known = self._databases.get((site, model.name))
        return known or self._databases.setdefault((site, model.name), SiteDatabase(model, site, self.cluster(site)))

    def each_database(self, site: str, action: Callable[[SiteDatabase], Answer]) -> list[Answer]:
        """Do something with both databases of a site at once; the first failure is raised when both have ended."""
        return at_each([self.database(site, model) for model in DATABASES], action)

    def backups(self) -> list[Backup]:
        """Return what the archive has of each database at each site; what cannot be looked at says so."""
        return backups_of(self.topology, self.pair, self.environment)

    def agent_state(self, site: str, *, until: str = "") -> dict[str, Any]:
        """Return what a site's agent says about itself; with `until`, when that is so, or a moment later.

        Raises:
            SiteAgentError: it does not answer.
        """
        self._agents_said.pop(site, None)
        if site not in self._agents:
            self._agents[site] = agent_address(site_access(self._stack(site)), self.topology.site(site))
        self._agents_said[site] = ask_agent(self._agents[site], until=until)
        return self._agents_said[site]

    def node_state(self, site: str, node: FurtherNode, *, until: str = "") -> dict[str, Any]:
        """Return what the agent of a further node of a site says about itself; waits and raises as `agent_state`."""
        port = site_access(self._stack(site)).site_agent_port
        return ask_agent(f"http://{node.address}:{port}", until=until)

    def last_agent_state(self, site: str) -> dict[str, Any]:
        """Return what a site's agent said when it was asked last; it is asked if it never was, or did not answer then.

        Raises:
            SiteAgentError: it does not answer.
        """
        return self._agents_said.get(site) or self.agent_state(site)

    def authority_names(self) -> list[str]:
        """Return what the DNS authorities of the edge's configuration are called; raises as `authorities`."""
        return [each.name for each in self._edge.require_authorities()]

    def authorities(self) -> Sequence[DnsAuthority]:
        """Return every DNS authority of the edge's configuration, asked by who may write states of pairs at most.

        Raises:
            AccessError: it names none, or not where our certificates are.
            CredentialError: the user's certificate cannot be used.
        """
        servers = [(each.name, each.url) for each in self._edge.require_authorities()]
        return powerdns.connect_to(servers, self._edge_identity, seconds=AUTHORITY_SECONDS)

    def edge_certificates(self) -> dict[str, datetime | None]:
        """Return when the certificates of the edge end (UTC): this machine's, and those that its doors show.

        Nothing where the edge is not set up here, or of a door that this machine may not ask: P6 says that.
        """
        if not self._edge.edge_keys:
            return {}
        urls = {each.name: each.url for each in self._edge.dns_authorities}
        with suppress(AccessError):
            cdn = read_access(CdnAccess, edge_stack(self.environment)).cdn_url
            urls |= {"the CDN": cdn} if cdn else {}
        shown: dict[str, datetime | None] = {}
        with suppress(CredentialError):
            shown = ends_shown(urls, self._edge_identity, AUTHORITY_SECONDS)
        return {**ends_here(self._edge.edge_keys), **shown}

    def name_servers(self) -> list[NameServer]:
        """Return the zone's own name servers."""
        return [each for each in name_servers(self._edge) if each.for_others]

    def zone_view(self) -> ZoneView | None:
        """Return the zone as resolvers that check signatures meet it; None where the parent's servers are not named.

        Raises:
            AccessError: they are named, and not as addresses.
        """
        if not (parents := parent_servers(self.environment)):
            return None
        servers = (each.address for each in self._edge.nameservers)
        return look_at_zone(zone_of(self.topology), servers, parents)

    def addresses_at(self, server: NameServer, *, seconds: float = 2) -> tuple[IPv4Address, ...]:
        """Return where a name server says that the pair's name leads.

        Raises:
            NameServerError: no answer in time, or one without an address.
        """
        return ask_address(server.address, self.public_name, seconds=seconds)

    def declaration(self) -> PairDeclaration:
        """Return the pair's state record as the edge declares it."""
        return PairDeclaration.declared(self.topology, self.pair, public_addresses(self.topology))

    def door(self, address: str, *, seconds: float) -> Door:
        """Return the shop at a public address, under its public name, with the certificates that customers trust."""
        return Door(address, self.topology.shop_host, self._trust, seconds)

    def gateway_certificate_end(self, site: str) -> datetime | None:
        """Return when the certificate that a site shows customers ends (UTC), be it over; None where it is unreadable.

        Raises:
            PageError: nothing answers there.
        """
        return end_shown(str(self.topology.site(site).faces_customers_at), self.topology.shop_host, seconds=3)

    def witness_keys(self) -> OwnKeys:
        """Return what this machine's keys are worth at the witness; raises AccessError where none are known here."""
        return own_keys(witness_access(self.environment), self.pair.name)

    def witness_certificates(self) -> dict[str, datetime | None]:
        """Return when the certificates among these keys end (UTC), by file; raises as `witness_keys` does."""
        return certificate_ends(keys_folder(witness_access(self.environment), self.pair.name))

    def role_certificates(self, site: str) -> dict[str, datetime | None]:
        """Return when the certificates end with which this machine asks a site's API (UTC), by role.

        Raises:
            AccessError: the site's stack file cannot be read.
        """
        stack = self._stack(site)
        return ends_of_roles(site_access(stack), stack.label)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return trust_in(self._edge.certificate_authority)

    @property
    def _edge_identity(self) -> EdgeIdentity:
        return EdgeIdentity.of(self._edge.edge_keys, self._edge_user)

    @cached_property
    def _edge(self) -> EdgeAccess:
        """The edge's configuration as it was when it was needed first: reading it is expensive."""
        return edge_access(self.environment)

    def _stack(self, site: str) -> StackId:
        return site_stack(self.topology, site, self.environment)
