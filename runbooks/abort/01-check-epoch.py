"""The change has not passed the point of no return."""

from runbooks.change import RoleChange
from runbooks.direction import require_not_begun

TITLE = "Make sure that the next epoch has not begun"
SECONDS = 10


def check(change: RoleChange) -> str:
    """Say what stays active; refuse when the next epoch has begun."""
    require_not_begun(change)
    record = change.last_record()
    return f"{change.source} stays active in epoch {record.epoch} (it is {record.phase} now)"


def verify(change: RoleChange) -> bool:
    """What `check` says holds."""
    check(change)
    return True
