"""The ledger waits for the other site again before it acknowledges; the used promotion tokens go."""

from runbooks.change import PLANNED, RoleChange
from runbooks.databases import is_synchronous, restore_synchrony

TITLE = "Make the ledger synchronous to the other site again"
SECONDS = 60
VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say what is switched on."""
    return f"ledger acknowledges only what {change.source} has too; then the witness says so"


def act(change: RoleChange) -> None:
    """Switch it on at the database."""
    restore_synchrony(change, change.target, change.source)


def verify(change: RoleChange) -> bool:
    """The database says `sync`, and so does the witness."""
    return is_synchronous(change, change.target, change.source)
