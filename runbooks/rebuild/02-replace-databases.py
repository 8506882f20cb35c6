"""The databases of the site are made anew as copies; the volumes of the old ones are released and kept."""

from __future__ import annotations

from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.clients.cluster_errors import NotFoundError
from shopsphere.clients.postgres import follows
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
    change.at_target(lambda database: _replace(change, database))


def verify(change: RoleChange) -> bool:
    """Each was made anew by this run."""
    return all(change.at_target(lambda database: _is_new(change, database)))


def _is_new(change: RoleChange, database: SiteDatabase) -> bool:
    kept = change.recall(f"old-{database.model.name}")
    document = _found(database)
    if document is None:
        return False
    return follows(document) and (kept is None or document["metadata"]["uid"] != kept["uid"])


def _replace(change: RoleChange, database: SiteDatabase) -> None:
    document, old = _found(database), change.recall(f"old-{database.model.name}")
    if old is None:
        if document is None:
            raise BlockedError.because(
                f"{database.name} does not exist",
                action=f"`shopsphere up {change.target}` creates it as a copy if the site is new",
            )
        old = {
            "uid": document["metadata"]["uid"],
            "new": _copy_of(database, document, leader=change.counterpart(database).name),
            "by": _manager(document),
        }
        change.remember(f"old-{database.model.name}", old)
    if document is not None and document["metadata"]["uid"] == old["uid"]:
        database.cluster.delete(database.path)
        wait_until(lambda: _is_gone(database), what=f"the old {database.name} to be gone", seconds=120, interval=1)
    database.cluster.apply(database.path, old["new"], manager=old["by"])


def _is_gone(database: SiteDatabase) -> bool:
    path = f"/api/v1/namespaces/{database.model.namespace.name}/persistentvolumeclaims"
    claims = database.cluster.items(path, labelSelector=f"cnpg.io/cluster={database.name}")
    return _found(database) is None and not claims


def _found(database: SiteDatabase) -> Document | None:
    try:
        return database.document()
    except NotFoundError:
        return None


def _copy_of(database: SiteDatabase, document: Document, *, leader: str) -> Document:
    """Return the cluster as it is to be created: the same, but copied from the active site and following it."""
    metadata, owner = document["metadata"], database.model.name
    secret = (document["spec"]["bootstrap"].get("initdb") or document["spec"]["bootstrap"]["pg_basebackup"])["secret"]
    annotations = {key: value for key, value in metadata["annotations"].items() if key in KEPT_ANNOTATIONS}
    spec = {
        **document["spec"],
        "bootstrap": {"pg_basebackup": {"source": leader, "database": owner, "owner": owner, "secret": secret}},
        "replica": {"self": database.name, "primary": leader, "source": leader},
    }
    names = {key: metadata[key] for key in ("name", "namespace", "labels")}
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": {**names, "annotations": annotations},
        "spec": spec,
    }


def _manager(document: Document) -> str:
    """Return who applied it: the new one belongs to the same, or the next deployment would conflict with us."""
    entries = document["metadata"].get("managedFields", [])
    return next((each["manager"] for each in entries if each["operation"] == "Apply"), "shopsphere-rebuild")
