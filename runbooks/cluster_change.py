"""Changing the cluster of a database so that nobody's late request changes it too.

A change names the version of the cluster that was looked at, and the mark of the operators' lock that the cluster had
then. Whoever gets the lock marks the clusters anew before anything else, so that a request of an earlier owner, whose
machine slept in between, names a version that is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from runbooks.change import UNPLANNED, RoleChange
from runbooks.engine import bounded
from runbooks.operator_lock import OperatorLock
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.clients.cluster_errors import ConflictError
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.foundation.errors import NoAnswerError, ShopSphereError

MARK = "shopsphere.io/operators-lock"
"""Annotation of a CloudNativePG cluster: the lock of the run that may change its role."""
_TRIES = 10
_MARKING_SECONDS = 3.0


class BusyError(NoAnswerError):
    """Others change an object faster than it can be changed here; a moment later they may not."""


def change_cluster(
    database: SiteDatabase,
    wanted: Callable[[Document], Document | None],
    *,
    lock: OperatorLock | None,
    document: Document | None = None,
) -> None:
    """Change a database's cluster in the version that was looked at, while the operators' lock is held.

    Args:
        database: whose cluster.
        wanted: returns the changes to a document of it; None when nothing is to be changed.
        lock: of this run; None where there is no witness to give one: then the version alone is compared.
        document: what the cluster said last; read when it is not given.

    Raises:
        BusyError: others keep changing the cluster.
        ClusterError: the site's API does not answer, or refuses.
        LockLostError: another operator may be moving the pair.
    """
    seen = document or database.document()
    for _ in range(_TRIES):
        changes = wanted(seen)
        if changes is None:
            return
        try:
            seen = _marked(database, seen, lock)
            if lock:
                lock.require()  # after the look, so that the version is from when the lock was held
            database.patch(changes, version=seen["metadata"]["resourceVersion"])
        except ConflictError:
            seen = database.document()
        else:
            return
    raise BusyError(f"{database.name}: others changed its cluster {_TRIES} times\n  do:       repeat this command")


def mark_clusters(change: RoleChange) -> None:
    """Mark the clusters of both sites as this run's, so that late requests of others are refused.

    A cluster that is not reached here is marked before it is changed. Where a site is left because it is lost, it is
    not waited for.

    Raises:
        LockLostError: another operator may be moving the pair.
    """
    if change.lock is None:
        return
    marking = {
        site: [
            bounded.start(partial(_mark, change, site, model), name=f"mark {model.cluster(site)}")
            for model in DATABASES
        ]
        for site in change.pair.sites
    }
    for site, answers in marking.items():
        if change.variant == UNPLANNED and site == change.source:
            continue
        for each in answers:
            try:
                bounded.answer_of(each, what="the mark", seconds=_MARKING_SECONDS)
            except ShopSphereError:  # a site that does not answer, or a lock that is lost
                change.require_lock()


def _mark(change: RoleChange, site: str, model: DatabaseModel) -> None:
    database = change.access.database(site, model)
    seen = database.document()
    for _ in range(_TRIES):
        try:
            _marked(database, seen, change.lock)
        except ConflictError:
            seen = database.document()
        else:
            return


def _marked(database: SiteDatabase, seen: Mapping[str, Any], lock: OperatorLock | None) -> Document:
    """Return the cluster as it is with this run's mark.

    Raises:
        ConflictError: it is another version by now.
        LockLostError: the quorum says that this run may not mark it.
    """
    if lock is None or seen["metadata"].get("annotations", {}).get(MARK) == lock.token:
        return dict(seen)
    lock.confirm()
    return database.patch(
        {"metadata": {"annotations": {MARK: lock.token}}}, version=seen["metadata"]["resourceVersion"]
    )
