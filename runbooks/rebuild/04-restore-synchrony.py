"""From now on a payment is acknowledged only when both sites have it, and the pair may fail over again."""

from runbooks.change import RoleChange
from runbooks.databases import is_synchronous

TITLE = "Wait until the ledger is synchronous to the rebuilt site"
SECONDS = 90


def check(change: RoleChange) -> str:
    """Say who switches it on."""
    return (
        f"the agent of {change.source} lets the ledger wait for {change.target}, sees it do so, and tells the witness"
    )


def act(change: RoleChange) -> None:
    """Nothing: synchrony is the agent's, so that one process alone switches it on and off."""


def verify(change: RoleChange) -> bool:
    """The witness says `sync on`."""
    return is_synchronous(change)
