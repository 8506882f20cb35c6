"""The databases of the site are made anew as copies; the volumes of the old ones are released and kept."""

from __future__ import annotations

from typing import Any

from runbooks.change import RoleChange, database_path
from runbooks.engine.errors import BlockedError
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.clients.postgres import follows
from shopsphere.estate.databases import DatabaseModel
from shopsphere.foundation.clock import wait_until

TITLE = "Replace the site's databases by copies of the active site's"
SECONDS = 180
KEPT_ANNOTATIONS = ("cnpg.io/skipWalArchiving", "pulumi.com/skipAwait")


def check(change: RoleChange) -> str:
    """Say what would be deleted and what is kept."""
    return (
        f"both clusters of {change.target} are deleted and made anew; the rows that only {change.target} had stay on "
        "their released volumes"
    )


def act(change: RoleChange) -> None:
    """Delete and create each; what is to be created is in the journal before anything is deleted."""
    change.each_database(lambda database: _replace(change, database))


def verify(change: RoleChange) -> bool:
    """Each was made anew by this run."""
    return all(change.each_database(lambda database: _is_new(change, database)))


def _is_new(change: RoleChange, database: DatabaseModel) -> bool:
    kept = change.recall(f"old-{database.name}")
    document = _found(change, database)
    if document is None:
        return False
    return follows(document) and (kept is None or document["metadata"]["uid"] != kept["uid"])


def _replace(change: RoleChange, database: DatabaseModel) -> None:
    document, old = _found(change, database), change.recall(f"old-{database.name}")
    if old is None:
        if document is None:
            raise BlockedError.because(
                f"{database.cluster(change.target)} does not exist",
                action=f"`shopsphere up {change.target}` creates it as a copy if the site is new",
            )
        old = {
            "uid": document["metadata"]["uid"],
            "new": _copy_of(change, database, document),
            "by": _manager(document),
        }
        change.remember(f"old-{database.name}", old)
    path, cluster = database_path(change.target, database), change.cluster(change.target)
    if document is not None and document["metadata"]["uid"] == old["uid"]:
        cluster.delete(path)
        wait_until(lambda: _gone(change, database), what=f"the old {database.name} to be gone", seconds=120, interval=1)
    cluster.apply(path, old["new"], manager=old["by"])


def _gone(change: RoleChange, database: DatabaseModel) -> bool:
    namespace, name = database.namespace.name, database.cluster(change.target)
    claims = change.cluster(change.target).items(
        f"/api/v1/namespaces/{namespace}/persistentvolumeclaims", labelSelector=f"cnpg.io/cluster={name}"
    )
    return _found(change, database) is None and not claims


def _found(change: RoleChange, database: DatabaseModel) -> dict[str, Any] | None:
    try:
        return change.database(change.target, database)
    except NotFoundError:
        return None


def _copy_of(change: RoleChange, database: DatabaseModel, document: dict[str, Any]) -> dict[str, Any]:
    """Return the cluster as it is to be created: the same, but copied from the active site and following it."""
    metadata, leader = document["metadata"], database.cluster(change.source)
    owner = database.name
    secret = (document["spec"]["bootstrap"].get("initdb") or document["spec"]["bootstrap"]["pg_basebackup"])["secret"]
    annotations = {key: value for key, value in metadata["annotations"].items() if key in KEPT_ANNOTATIONS}
    spec = {
        **document["spec"],
        "bootstrap": {"pg_basebackup": {"source": leader, "database": owner, "owner": owner, "secret": secret}},
        "replica": {"self": database.cluster(change.target), "primary": leader, "source": leader},
    }
    names = {key: metadata[key] for key in ("name", "namespace", "labels")}
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": {**names, "annotations": annotations},
        "spec": spec,
    }


def _manager(document: dict[str, Any]) -> str:
    """Return who applied it: the new one belongs to the same, or the next deployment would conflict with us."""
    entries = document["metadata"].get("managedFields", [])
    return next((each["manager"] for each in entries if each["operation"] == "Apply"), "shopsphere-rebuild")
