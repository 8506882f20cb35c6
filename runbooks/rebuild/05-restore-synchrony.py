"""From now on a payment is acknowledged only when both sites have it, and the pair may fail over again."""

from runbooks.change import RoleChange
from runbooks.databases import is_synchronous
from runbooks.site_agents import how_synchrony_returns

TITLE = "Wait until the ledger is synchronous to the rebuilt site"
SECONDS = 90


def check(change: RoleChange) -> str:
    """Say who switches it on."""
    return how_synchrony_returns(change.source, change.target)


def verify(change: RoleChange) -> bool:
    """The witness says `sync on`."""
    return is_synchronous(change)
