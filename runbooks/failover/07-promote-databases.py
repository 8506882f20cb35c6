"""The databases of the site that is active now take writes, on a new timeline."""

from runbooks.change import PLANNED, RoleChange
from runbooks.databases import both_take_writes, promote

TITLE = "Promote the databases of the site that is active now"
SECONDS = 60
AGAIN_SECONDS = 20  # the database operator's webhooks may be moving from a lost node, and customers wait in any case


def check(change: RoleChange) -> str:
    """Say how."""
    how = "with the last record of the old site" if change.variant == PLANNED else "with the data that they have"
    return f"both databases of {change.target} are promoted {how}"


def act(change: RoleChange) -> None:
    """Promote both at once; repeating it changes nothing."""
    change.at_target(lambda database: promote(database, peer=change.source, lock=change.lock))


def verify(change: RoleChange) -> bool:
    """Both take writes."""
    return both_take_writes(change)
