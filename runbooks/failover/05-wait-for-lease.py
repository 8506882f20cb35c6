"""Nobody may write any more: the lease was given back, or has run out. Nothing is promoted before that."""

from runbooks.agent.config import Margins
from runbooks.change import RoleChange

TITLE = "Wait until nobody holds the lease to write"
SECONDS = 3 * Margins().lease


def check(change: RoleChange) -> str:
    """Say how long it takes."""
    return (
        f"{change.source} gives the lease back when it has shut itself off, within about 3 s; if it is dead the lease "
        f"runs out within {Margins().lease} s of its last sign"
    )


def act(change: RoleChange) -> None:
    """Nothing: only time or the site itself can bring this about."""


def verify(change: RoleChange) -> bool:
    """No lease, or the change is past it."""
    seen, record = change.see()
    return change.is_moved(record) or seen.lease_holder == ""
