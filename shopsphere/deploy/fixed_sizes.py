"""Sizes that cannot change in place: refused in the preview, with the way that works.

Volumes here are directories of a node. A claim of one keeps the size that it was made with, whatever its database asks
for later: the change is accepted, and the next pod of the database finds no volume.
"""

from __future__ import annotations

from collections.abc import Iterator

from shopsphere.clients.cluster import Cluster
from shopsphere.clients.postgres import cluster_path
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.deploy.engine import DeploymentError
from shopsphere.deploy.outcomes import CREATE, EngineRun, ResourceChange
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import StackId
from shopsphere.estate.stack_files import wanted_configuration
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.topology.quantities import QuantityError, parse_quantity

DATABASE = "kubernetes:postgresql.cnpg.io/v1:Cluster"
VOLUME = "kubernetes:core/v1:PersistentVolume"
SIZE = "spec.storage.size"
_FREE = frozenset({"Available", "Released"})
"""Phases of a volume that no claim uses."""


def require_sizes_that_can_change(stack: StackId, run: EngineRun) -> None:
    """Refuse a run that would change the size of a database that exists, or a volume that a claim uses.

    Raises:
        DeploymentError: it would; or the site's API does not say whether it would.
    """
    changes = [each for each in run.changes if each.operation != CREATE and each.type in {DATABASE, VOLUME}]
    touched = [each for each in changes if each.type == VOLUME or any(part.path == SIZE for part in each.properties)]
    if not touched or stack.site is None:
        return
    try:
        cluster = cluster_of(stack, Role.UP, configured=wanted_configuration)
        refusals = [refusal for each in touched for refusal in _refusals(stack.site, cluster, each)]
    except ShopSphereError as error:
        refusals = [
            _told(
                f"{', '.join(each.name for each in touched)}: whether this can change is not known",
                expected="an answer of the site's API about what there is",
                found=one_line(error),
                action="bring the API back, and preview again",
            )
        ]
    if refusals:
        names = ", ".join(each.name for each in touched)
        head = f"{stack.label}: {names}: a size that cannot change; nothing of this stack was changed"
        raise DeploymentError("\n".join([head, *refusals]), run)


def _refusals(site: str, cluster: Cluster, change: ResourceChange) -> Iterator[str]:
    if change.type == VOLUME:
        yield from _of_volume(cluster, change)
    else:
        yield from _of_database(site, cluster, change)


def _of_database(site: str, cluster: Cluster, change: ResourceChange) -> Iterator[str]:
    path = next((cluster_path(m.namespace.name, change.name) for m in DATABASES if m.cluster(site) == change.name), "")
    wanted = next(str(part.new) for part in change.properties if part.path == SIZE)
    document = cluster.find(path) if path else None
    if document is None:
        return
    there = str(document["spec"]["storage"]["size"])
    if not _same(there, wanted):
        yield _told(
            f"{change.name}: the size of a database cannot change in place",
            expected=f"{there}, as it is",
            found=wanted,
            action="1. where no volume as large is free, add one under a new name, and call `up` with the size as it "
            f"was; 2. fail over if {site} is active; 3. write the new size, and instead of `up` call `rebuild {site}`, "
            f"which copies the database anew in that size; the next `up` accepts it",
        )


def _of_volume(cluster: Cluster, change: ResourceChange) -> Iterator[str]:
    document = cluster.find(f"/api/v1/persistentvolumes/{change.name}")
    if document is None:
        return
    spec = [part.path for part in change.properties if part.path.startswith("spec")]
    phase = str(document.get("status", {}).get("phase"))
    if phase not in _FREE and (change.is_destructive or spec):
        claim = document["spec"].get("claimRef", {})
        what = ", ".join(spec) or "all of it"
        yield _told(
            f"volume {change.name}: it is in use, and cannot change",
            expected=f"the volume as it is, while the claim {claim.get('namespace')}/{claim.get('name')} uses it",
            found=f"{change.operation} of {what}",
            action="leave it, and add another volume under a new name; `shopsphere rebuild` of the site, when it is "
            "not the active one, moves its databases to free volumes, and this one can be removed then",
        )


def _same(one: str, other: str) -> bool:
    try:
        return parse_quantity(one) == parse_quantity(other)
    except QuantityError:
        return False


def _told(problem: str, *, expected: str, found: str, action: str) -> str:
    return f"  {problem}\n  expected: {expected}\n  found:    {found}\n  do:       {action}"
