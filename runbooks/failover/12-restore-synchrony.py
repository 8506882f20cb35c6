"""The ledger waits for the other site again before it acknowledges."""

from runbooks.change import PLANNED, RoleChange
from runbooks.databases import is_synchronous
from runbooks.site_agents import how_synchrony_returns

TITLE = "Wait until the ledger is synchronous to the other site again"
SECONDS = 90
VARIANTS = frozenset({PLANNED})


def check(change: RoleChange) -> str:
    """Say who switches it on."""
    return how_synchrony_returns(change.target, change.source)


def verify(change: RoleChange) -> bool:
    """The witness says `sync on`."""
    return is_synchronous(change)
