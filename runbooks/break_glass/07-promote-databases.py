"""The databases of the site take writes with what they have, on a new timeline."""

from runbooks.change import MOVE, RoleChange
from runbooks.databases import both_take_writes, promote

TITLE = "Promote the databases of the site"
SECONDS = 60
AGAIN_SECONDS = 20  # the database operator's webhooks may be moving from a lost node, and customers wait in any case
VARIANTS = frozenset({MOVE})


def check(change: RoleChange) -> str:
    """Say how."""
    return f"both databases of {change.target} are promoted with the data that they have"


def act(change: RoleChange) -> None:
    """Promote both at once; repeating it changes nothing."""
    change.at_target(lambda database: promote(database, peer=change.source, lock=change.lock))


def verify(change: RoleChange) -> bool:
    """Both take writes."""
    return both_take_writes(change)
