"""From now on a payment is acknowledged only when both sites have it, and the pair may fail over again."""

from runbooks.change import RoleChange
from runbooks.databases import is_synchronous, restore_synchrony

TITLE = "Make the ledger synchronous to the rebuilt site"
SECONDS = 60


def check(change: RoleChange) -> str:
    """Say what is switched on."""
    return f"ledger acknowledges only what {change.target} has too; then the witness says so"


def act(change: RoleChange) -> None:
    """Switch it on at the database."""
    restore_synchrony(change, change.source, change.target)


def verify(change: RoleChange) -> bool:
    """The database says `sync`, and so does the witness."""
    return is_synchronous(change, change.source, change.target)
