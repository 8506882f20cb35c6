"""A site's databases: each server against declaration, application and witness, looked at twice where it differs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from shopsphere.clients.postgres import cluster_path, leading_pod
from shopsphere.clients.postgres_inventory import Inventory
from shopsphere.drift.database_declared import DeclaredServer, declared_servers
from shopsphere.drift.database_judging import Place, judge_server
from shopsphere.drift.database_role import SYNCHRONY, Standing, judge_role
from shopsphere.drift.declared import Declared
from shopsphere.drift.model import Drift, SiteDrift, Unseen
from shopsphere.drift.repair import Repair
from shopsphere.drift.settling import lasting
from shopsphere.estate.workloads import collector_of
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each

AGAIN_SECONDS = 2.0
"""Pause before a second look (s): what an operator or an agent is about to settle differs for less."""
SETTLING_SECONDS = 10.0
"""Pause before a third look (s) at whom a server waits for: for so long CloudNativePG may sit on a change of role."""


class Documents(Protocol):
    """What is needed of a cluster beside the way into its pods."""

    def get(self, path: str) -> dict[str, Any]:
        """Return the document at an API path."""


Take = Callable[[str, str, str], Inventory]
"""Asks an instance: namespace, pod and database."""
Ask = Callable[[], Standing]
"""Asks the pair's witness."""


@dataclass(frozen=True)
class _Server:
    """One server as it was found.

    Attributes:
        declared: what it should be.
        document: its CloudNativePG cluster.
        collectors: addresses of the pods that collect its backups.
        inventory: what it holds.
    """

    declared: DeclaredServer
    document: dict[str, Any]
    collectors: frozenset[str]
    inventory: Inventory


def look_at_databases(
    declared: Sequence[Declared],
    documents: Documents,
    take: Take,
    ask: Ask,
    repair: Repair,
    clock: Clock = SYSTEM_CLOCK,
) -> SiteDrift:
    """Compare all databases that a site declares.

    A difference counts when two looks find it, and of whom a server waits for, when three do. Of roles nothing is said
    while a change is under way, or where the witness' record changed during a look: they are unknown then.

    Args:
        declared: the site's objects.
        documents: of the site's API.
        take: asks an instance.
        ask: asks the witness.
        repair: how the site is reached.
        clock: replaceable in tests.
    """
    servers = declared_servers(declared)
    if not servers:
        return SiteDrift(repair.site)
    found = _look(servers, documents, take, ask, repair)
    if found.drifts:
        clock.sleep(AGAIN_SECONDS)
        found = lasting(found, _look(servers, documents, take, ask, repair))
    if any(each.object.endswith(SYNCHRONY) for each in found.drifts):
        clock.sleep(SETTLING_SECONDS)
        found = lasting(found, _look(servers, documents, take, ask, repair))
    return found


def _look(servers: Sequence[DeclaredServer], documents: Documents, take: Take, ask: Ask, repair: Repair) -> SiteDrift:
    before = _asked(ask)
    answers = at_each(servers, partial(_found, documents, take))
    standing = _settled(before, _asked(ask))
    drifts: list[Drift] = []
    unseen: list[Unseen] = []
    live = 0
    for declared, found in zip(servers, answers, strict=True):
        name = f"PostgreSQL {declared.cluster}"
        if isinstance(found, str):
            unseen.append(Unseen(repair.site, name, found))
            continue
        inventory = found.inventory
        pod = leading_pod(found.document)
        beside = frozenset(found.document.get("status", {}).get("instanceNames") or ()) - {pod}
        place = Place(declared, pod, repair, not inventory.state.in_recovery, beside)
        live += len(inventory.server) + sum(map(len, inventory.databases.values()))
        drifts += judge_server(place, inventory)
        if inventory.version != declared.version:
            unseen.append(Unseen(repair.site, f"{name}: rights in {declared.model.name}", _other_version(found)))
        if not standing.moving:
            drifts += judge_role(place, found.document, found.collectors, inventory.state, standing)
    if standing.moving:
        unseen.append(Unseen(repair.site, "roles of the databases", standing.moving))
    return SiteDrift(repair.site, 0, live, tuple(drifts), tuple(unseen))


def _found(documents: Documents, take: Take, declared: DeclaredServer) -> _Server | str:
    """Return a server, or why it cannot be looked at."""
    namespace = declared.model.namespace.name
    try:
        document = documents.get(cluster_path(namespace, declared.cluster))
        pods = documents.get(f"/api/v1/namespaces/{collector_of(declared.model).name}/pods")["items"]
        statuses = [pod.get("status", {}) for pod in pods]  # of a pod that has ended another one may have the address
        collectors = frozenset(each["podIP"] for each in statuses if each.get("phase") == "Running" and "podIP" in each)
        return _Server(declared, document, collectors, take(namespace, leading_pod(document), declared.model.name))
    except ShopSphereError as error:
        return one_line(error)


def _asked(ask: Ask) -> Standing:
    try:
        return ask()
    except ShopSphereError as error:
        return Standing("", moving=f"the witness cannot be asked: {one_line(error)}")


def _settled(before: Standing, after: Standing) -> Standing:
    """Return what held during a look."""
    if before.moving or before.revision == after.revision:
        return before if before.moving else after
    return Standing("", moving="the pair's record changed during the look; ask again")


def _other_version(found: _Server) -> str:
    version, known = found.inventory.version or "none", found.declared.version
    return f"its schema has version {version}, and this program knows the rights of version {known}"
