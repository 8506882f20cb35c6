"""The ledger waits for the other site again before it acknowledges."""

from runbooks.change import PLANNED, RoleChange
from runbooks.databases import is_synchronous

TITLE = "Wait until the ledger is synchronous to the other site again"
SECONDS = 90
VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say who switches it on."""
    return (
        f"the agent of {change.target} lets the ledger wait for {change.source}, sees it do so, and tells the witness"
    )


def act(change: RoleChange) -> None:
    """Nothing: synchrony is the agent's, so that one process alone switches it on and off."""


def verify(change: RoleChange) -> bool:
    """The witness says `sync on`."""
    return is_synchronous(change)
