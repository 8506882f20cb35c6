"""The databases of the site are made anew as copies; the volumes of the old ones are released and kept."""

from __future__ import annotations

from runbooks.change import RoleChange
from runbooks.copies import wanted_size, what_is_wrong
from runbooks.engine.errors import BlockedError
from runbooks.free_volume import require_free_volume
from runbooks.rewinding.apart import leader_apart
from runbooks.rewinding.rewind import failed, wants_rewind
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Document
from shopsphere.clients.cluster_errors import ConflictError, RefusedError
from shopsphere.estate.cluster_role import Role
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import one_line

TITLE = "Replace the site's databases by copies of the active site's"
SECONDS = 180
AGAIN_SECONDS = 20  # a site that has just come back answers before the webhooks of its database operator do
KEPT_ANNOTATIONS = ("cnpg.io/skipWalArchiving", "pulumi.com/skipAwait")


def check(change: RoleChange) -> str:
    """Say what would be deleted, why, and what is kept."""
    reasons = [reason for reason in change.at_target(lambda database: _reason(change, database)) if reason]
    return (
        f"deleted and made anew at {change.target}: {'; '.join(reasons) or 'nothing'}; the rows that only "
        f"{change.target} had stay on the released volumes"
    )


def act(change: RoleChange) -> None:
    """Delete and create each that is no whole copy; what is to be created is in the journal before that."""
    change.at_target(lambda database: _replace(change, database))


def verify(change: RoleChange) -> bool:
    """None has to be made anew any more: each is a whole copy, or a new one that has begun to be."""
    return not any(change.at_target(lambda database: _reason(change, database)))


def _reason(change: RoleChange, database: SiteDatabase) -> str:
    """Say which database has to be made anew, and why; nothing for one that is what it has to be."""
    document, old = database.cluster.find(database.path), change.recall(f"old-{database.model.name}")
    if document is None:
        return f"{database.name}, which is not there"
    if old is not None and document["metadata"]["uid"] == old["uid"]:
        return f"{database.name}, as begun before"
    if wants_rewind(change, database):
        return ""
    wrong = what_is_wrong(change, database, document)
    if not wrong and (why := failed(change, database, document)):
        wrong = f"it could not be rewound: {why}"
    if not wrong and change.whole and leader_apart(change, database):
        wrong = f"it has what {change.source} lacks"
    return f"{database.name}, because {wrong}" if wrong else ""


def _replace(change: RoleChange, database: SiteDatabase) -> None:
    if not _reason(change, database):
        return
    document, old = database.cluster.find(database.path), change.recall(f"old-{database.model.name}")
    if document is not None and (old is None or document["metadata"]["uid"] != old["uid"]):
        size = wanted_size(change, database, document)
        old = {
            "uid": document["metadata"]["uid"],
            "new": _copy_of(database, document, leader=change.counterpart(database).name, size=size),
            "by": _manager(document),
        }
        require_free_volume(change, database, document)  # a rewind that failed had not asked for one
        _require_admitted(change, database, old["new"])
        change.remember(f"old-{database.model.name}", old)
    if old is None:
        raise BlockedError.because(
            f"{database.name} does not exist",
            action=f"`shopsphere up {change.target}` creates it as a copy if the site is new",
        )
    if document is not None:
        database.cluster.delete(database.path)
        wait_until(lambda: _is_gone(database), what=f"the old {database.name} to be gone", seconds=120, interval=1)
    database.cluster.apply(database.path, old["new"], manager=old["by"])


def _require_admitted(change: RoleChange, database: SiteDatabase, new: Document) -> None:
    """Have the site's API judge the new one while the old one is there.

    Admission leaves alone what an update leaves as it was; it does not let a new object in with it.

    Raises:
        BlockedError: it would be refused.
    """
    collection = database.path.rpartition("/")[0]
    try:
        database.cluster.create(f"{collection}?dryRun=All", new)
    except ConflictError:
        pass  # the old one has its name: nothing else is wrong with it
    except RefusedError as error:
        words = ("edit", "clusters.postgresql.cnpg.io", database.name)
        edit = change.access.kubectl(change.target).line(Role.OPERATE, database.model.namespace.name, *words)
        raise BlockedError.because(
            f"{database.name} is left as it is, because its copy would be refused: {one_line(error)}",
            action=f"take that out of the old one (`{edit}`), then call the same command again",
        ) from error


def _is_gone(database: SiteDatabase) -> bool:
    path = f"/api/v1/namespaces/{database.model.namespace.name}/persistentvolumeclaims"
    claims = database.cluster.items(path, labelSelector=f"cnpg.io/cluster={database.name}")
    return database.cluster.find(database.path) is None and not claims


def _copy_of(database: SiteDatabase, document: Document, *, leader: str, size: str) -> Document:
    """Return the cluster as it is to be created: as its stack wants it, copied from the active site, following it."""
    metadata, owner = document["metadata"], database.model.name
    secret = (document["spec"]["bootstrap"].get("initdb") or document["spec"]["bootstrap"]["pg_basebackup"])["secret"]
    annotations = {key: value for key, value in metadata["annotations"].items() if key in KEPT_ANNOTATIONS}
    spec = {
        **document["spec"],
        "storage": {**document["spec"]["storage"], "size": size},
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
