"""Databases that were demoted lead again: they have every row, because nobody has written since."""

from runbooks.change import RoleChange
from runbooks.cluster_change import change_cluster
from runbooks.databases import told_to_lead
from runbooks.site_database import SiteDatabase
from shopsphere.clients.postgres import follows
from shopsphere.foundation.clock import wait_until

TITLE = "Let the databases of the active site lead again"
SECONDS = 180


def check(change: RoleChange) -> str:
    """Say which were demoted."""
    demoted = [each["metadata"]["name"] for each in change.at_source(SiteDatabase.document) if follows(each)]
    return f"to be promoted again at {change.source}: {', '.join(demoted) or 'none, they still lead'}"


def act(change: RoleChange) -> None:
    """Promote what was demoted, once it has arrived there: turning it round on its way may leave it in between."""
    change.at_source(lambda database: _restore(change, database))


def verify(change: RoleChange) -> bool:
    """Both lead, as they are told and as they say."""
    return all(change.at_source(_leads))


def _restore(change: RoleChange, database: SiteDatabase) -> None:
    if not follows(database.document()):
        return
    wait_until(database.is_standby, what=f"{database.name} to be a replica", seconds=120, interval=1)
    led = told_to_lead(database, change.target)
    change_cluster(database, lambda document: led if follows(document) else None, lock=change.lock)


def _leads(database: SiteDatabase) -> bool:
    return not follows(database.document()) and not database.is_standby()
