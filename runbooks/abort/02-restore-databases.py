"""Databases that were demoted lead again: they have every row, because nobody has written since."""

from runbooks.change import RoleChange
from runbooks.databases import instance, told_role
from shopsphere.clients.postgres import follows
from shopsphere.estate.databases import DatabaseModel
from shopsphere.foundation.clock import wait_until

TITLE = "Let the databases of the active site lead again"
SECONDS = 180


def check(change: RoleChange) -> str:
    """Say which were demoted."""
    documents = change.each_database(lambda database: change.database(change.source, database))
    demoted = [each["metadata"]["name"] for each in documents if follows(each)]
    return f"to be promoted again at {change.source}: {', '.join(demoted) or 'none, they still lead'}"


def act(change: RoleChange) -> None:
    """Promote what was demoted, once it has arrived there: turning it round on its way may leave it in between."""
    change.each_database(lambda database: _restore(change, database))


def verify(change: RoleChange) -> bool:
    """Both lead, as they are told and as they say."""
    return all(change.each_database(lambda database: _leads(change, database)))


def _restore(change: RoleChange, database: DatabaseModel) -> None:
    own = database.cluster(change.source)
    if not follows(change.database(change.source, database)):
        return
    wait_until(lambda: _is_standby(change, database), what=f"{own} to be a replica", seconds=120, interval=1)
    role = told_role(database, change.source, change.target, leads=True)
    change.patch(change.source, database, {"spec": {"replica": role}})


def _is_standby(change: RoleChange, database: DatabaseModel) -> bool:
    return bool(instance(change, change.source, database)["in_recovery"])


def _leads(change: RoleChange, database: DatabaseModel) -> bool:
    return not follows(change.database(change.source, database)) and not _is_standby(change, database)
