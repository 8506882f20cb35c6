"""The point of no return: one compare-and-swap, which fails if anyone holds the lease or has moved the pair."""

from runbooks.change import RoleChange
from runbooks.witness import Phase, Sync

TITLE = "Begin the next epoch with the other site active"
SECONDS = 10


def check(change: RoleChange) -> str:
    """Say what would be written."""
    return f"epoch {change.epoch + 1}, active {change.target}; from here the way leads forward only"


def act(change: RoleChange) -> None:
    """Begin it. No peer follows yet, so that sync is off until one does."""
    if change.recall("sync") is None:
        change.remember("sync", change.last_seen()[1].sync)
    change.change(
        f"{change.variant}: {change.reason}",
        without_lease=True,
        epoch=change.epoch + 1,
        active=change.target,
        phase=Phase.STEADY,
        sync=Sync.OFF,
    )


def verify(change: RoleChange) -> bool:
    """The witness says so, or has just taken it from us."""
    return change.is_moved(change.last_seen()[1])
