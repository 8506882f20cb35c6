"""The databases of the site that is active now take writes, on a new timeline."""

from components.databases import DatabaseModel
from runbooks.change import PLANNED, RoleChange
from runbooks.databases import await_writes, both_take_writes, promote
from shopsphere.clock import wait_until

TITLE = "Promote the databases of the site that is active now"
SECONDS = 60


def check(change: RoleChange) -> str:
    """Say how."""
    how = "with the last record of the old site" if change.variant == PLANNED else "with what they have"
    return f"both databases of {change.target} are promoted {how}"


def act(change: RoleChange) -> None:
    """Promote both at once; repeating it changes nothing."""
    change.each_database(lambda database: _promote(change, database))


def verify(change: RoleChange) -> bool:
    """Both take writes."""
    return both_take_writes(change)


def _promote(change: RoleChange, database: DatabaseModel) -> None:
    promote(change, database)
    wait_until(lambda: await_writes(change, database), what=f"{database.name} to take writes", seconds=SECONDS)
