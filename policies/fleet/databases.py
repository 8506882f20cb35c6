"""Flows that a database declares: replication, backups, archives, restores, and statements that connect elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from policies.fleet.estate import Estate
from policies.fleet.flow import Flow, Kind, Store
from policies.fleet.hosts import NO_ADDRESSES, Contact, contacts_in
from policies.fleet.stores import namespace_of
from policies.kinds import DATABASE_GROUP, is_database
from policies.reading import Node, mapping, nodes, text, texts
from policies.residency.res_010_database_replication_inside_pair import HOST_PARAMETERS
from policies.residency.res_011_databases_lead_nowhere import STATEMENT_KEYS
from policies.resource import Resource
from shopsphere.estate.databases import POSTGRESQL_PORT

ARCHIVE_COMMANDS = {"archive_command": Kind.WAL_ARCHIVE, "archive_library": Kind.WAL_ARCHIVE}
SUBSCRIBES = re.compile(r"\bsubscription\b", re.IGNORECASE)
HOST = re.compile(r"\bhost(?:addr)?\s*=?\s*'?(?P<host>[\w.:-]+)", re.IGNORECASE)
PORT = re.compile(r"\bport\s*=?\s*'?(?P<port>\d+)", re.IGNORECASE)


def flows(estate: Estate, resource: Resource, site: str) -> Iterator[Flow]:
    """Yield each flow that a database, or a subscription of one, declares."""
    if resource.group == DATABASE_GROUP and resource.kind == "Subscription":
        yield from _subscription(estate, resource, site)
    if not is_database(resource):
        return
    for own in estate.own(resource, site):
        way = _Ways(estate, resource, site, own)
        yield from way.peers()
        yield from way.standbys()
        yield from way.backups()
        yield from way.commands()
        yield from way.statements()


def _subscription(estate: Estate, resource: Resource, site: str) -> Iterator[Flow]:
    own = estate.database(text(resource.props, "spec", "cluster", "name"))
    name = text(resource.props, "spec", "externalClusterName")
    peer = estate.database(name)
    if own and own.site == site and peer and peer != own:
        yield Flow(peer, own, Kind.REPLICATION, resource, "spec.externalClusterName")


class _Ways:
    """The ways into and out of one database."""

    def __init__(self, estate: Estate, resource: Resource, site: str, own: Store) -> None:
        self._estate, self._resource, self._site, self._own = estate, resource, site, own
        self._spec = mapping(resource.props, "spec")

    def peers(self) -> Iterator[Flow]:
        """Yield what it follows; who is declared nowhere may follow it just as well, since roles change."""
        for at, each in enumerate(nodes(self._spec, "externalClusters")):
            place = f"spec.externalClusters[{at}]"
            if store := mapping(each, "barmanObjectStore"):
                for archive in self._archives(store):
                    yield self._flow(archive, self._own, Kind.RESTORE, f"{place}.barmanObjectStore")
            for peer in self._members(each):
                if peer.site == self._site:
                    continue
                yield self._flow(peer, self._own, Kind.REPLICATION, place)
                if peer not in self._estate.stores:
                    yield self._flow(self._own, peer, Kind.REPLICATION, place)

    def _members(self, cluster: Node) -> Iterator[Store]:
        parameters = mapping(cluster, "connectionParameters")
        port = text(parameters, "port")
        for key in HOST_PARAMETERS:
            for host in filter(None, (each.strip() for each in text(parameters, key).split(","))):
                found = self._reached(host.lower(), int(port) if port.isdigit() else POSTGRESQL_PORT)
                yield from (self._member(text(cluster, "name"), each) for each in found)

    def _member(self, name: str, found: Store) -> Store:
        """Return the database that is meant by a name and a place; one that no stack declares holds what its peer does.

        Without that, a peer would be harmless just because nobody sees what it is.
        """
        named = self._estate.database(name)
        if named and named.site == found.site:
            return named
        if found.is_database or not found.site:
            return found
        return replace(
            found,
            name=f"{name or 'a database'} at {found.site}, which no stack declares",
            classes=self._own.classes,
            jurisdiction=self._estate.model.jurisdiction_of(found.site),
            is_database=True,
        )

    def standbys(self) -> Iterator[Flow]:
        """Yield each standby that has to confirm a commit, so that it has received it."""
        for key in ("standbyNamesPre", "standbyNamesPost"):
            for name in texts(self._spec, "postgresql", "synchronous", key):
                peer = self._estate.database(name) or self._estate.outside(f"standby {name}")
                yield self._flow(self._own, peer, Kind.REPLICATION, f"spec.postgresql.synchronous.{key}")

    def backups(self) -> Iterator[Flow]:
        """Yield each archive that base backups and WAL are written to."""
        backup = mapping(self._spec, "backup")
        for archive in self._archives(mapping(backup, "barmanObjectStore")):
            yield self._flow(self._own, archive, Kind.BACKUP, "spec.backup.barmanObjectStore")
        if snapshots := mapping(backup, "volumeSnapshot"):
            driver = self._estate.outside(f"snapshots of class {text(snapshots, 'className') or 'unknown'}")
            yield self._flow(self._own, driver, Kind.BACKUP, "spec.backup.volumeSnapshot")
        for at, plugin in enumerate(nodes(self._spec, "plugins")):
            kind = Kind.WAL_ARCHIVE if plugin.get("isWALArchiver") else Kind.BACKUP
            for archive in self._archives_of(plugin):
                yield self._flow(self._own, archive, kind, f"spec.plugins[{at}]")

    def _archives_of(self, plugin: Node) -> Iterator[Store]:
        wanted = text(plugin, "parameters", "barmanObjectName")
        for each in self._estate.stack_at(self._site):
            is_there = each.kind == "ObjectStore" and namespace_of(each) == namespace_of(self._resource)
            if is_there and text(each.props, "metadata", "name") == wanted:
                yield from self._archives(mapping(each.props, "spec", "configuration"))
                return
        yield self._estate.outside(f"plugin {text(plugin, 'name') or 'without a name'}")

    def _archives(self, store: Node) -> Iterator[Store]:
        """Yield the archive that a description of an object store leads to; its endpoint says where that is."""
        path, endpoint = text(store, "destinationPath"), text(store, "endpointURL")
        if not (path or endpoint):
            return
        places = [found for contact in contacts_in(endpoint) for found in self._reached(contact.host, contact.port)]
        if len(places) == 1 and places[0].archive_of:
            yield replace(places[0], name=f"{path or endpoint} at the {places[0].name}")
            return
        sites = {each.site for each in places}
        site = sites.pop() if len(sites) == 1 else ""
        name = f"{path or endpoint} at {site}" if site else path or endpoint
        yield Store(name=name, site=site, permits=self._estate.outside("").permits)

    def commands(self) -> Iterator[Flow]:
        """Yield where commands that PostgreSQL runs for each file of WAL send it."""
        parameters = mapping(self._spec, "postgresql", "parameters")
        for name, kind in ARCHIVE_COMMANDS.items():
            if command := text(parameters, name):
                named = [found for each in contacts_in(command) for found in self._reached(each.host, each.port)]
                for target in named or [self._estate.outside(f"whatever {name} runs")]:
                    yield self._flow(self._own, target, kind, f"spec.postgresql.parameters.{name}")

    def statements(self) -> Iterator[Flow]:
        """Yield where statements of the superuser lead: what subscribes receives, any other connection goes out."""
        initdb = mapping(self._spec, "bootstrap", "initdb")
        for key in STATEMENT_KEYS:
            for at, statement in enumerate(texts(initdb, key)):
                place = f"spec.bootstrap.initdb.{key}[{at}]"
                for contact in _named(statement):
                    for peer in self._reached(contact.host, contact.port):
                        if peer == self._own:
                            continue
                        if SUBSCRIBES.search(statement):
                            yield self._flow(peer, self._own, Kind.REPLICATION, place)
                        else:
                            yield self._flow(self._own, peer, Kind.EXPORT, place)

    def _reached(self, host: str, port: int) -> list[Store]:
        return self._estate.reached(host, port, self._site, namespace_of(self._resource))

    def _flow(self, source: Store, target: Store, kind: Kind, place: str) -> Flow:
        return Flow(source, target, kind, self._resource, place)


def _named(statement: str) -> Iterator[Contact]:
    """Yield each host that a statement names, short names and addresses of IPv6 too; its port may stand anywhere."""
    said = PORT.search(statement)
    port = int(said["port"]) if said else POSTGRESQL_PORT
    found = list(contacts_in(statement))
    hosts = {match["host"].lower().strip(".") for match in HOST.finditer(statement)}
    left = sorted(hosts - {each.host for each in found} - NO_ADDRESSES)
    yield from (replace(each, port=each.port or port) for each in (*found, *map(Contact, left)))
