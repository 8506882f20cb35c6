"""Every name that leads to the pair's writer follows the epoch: one record, one change at each authority."""

from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.names import show, write_at_each
from shopsphere.foundation.progress import say
from shopsphere.names.pair_state import PairState

TITLE = "Move the pair's names to the other site at every DNS authority"
SECONDS = 20


def check(change: RoleChange) -> str:
    """Say where the names would lead and for how long resolvers may still know better."""
    names = ", ".join(authority.name for authority in change.authorities())
    address = change.declaration().addresses[change.target]
    return f"{change.pair.name} leads to {address} at {names}; resolvers follow within {change.declaration().ttl} s"


def act(change: RoleChange) -> None:
    """Write it at each authority."""
    left = write_at_each(change, _wanted(change))
    if len(left) == len(change.authorities()):
        raise BlockedError.because(f"no DNS authority took the change: {'; '.join(left)}", action="bring one back")
    for problem in left:
        say(f"         NOT moved at {problem}; when it is back, the same command with --to {change.target} moves it")


def verify(change: RoleChange) -> bool:
    """Every authority that answers shows the state, and at least one does."""
    return show(change, _wanted(change))


def _wanted(change: RoleChange) -> PairState:
    return PairState(change.epoch + 1, change.target)
