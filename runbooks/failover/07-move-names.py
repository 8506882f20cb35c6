"""Every name that leads to the pair's writer follows the epoch: one record, one change at each authority."""

from components.edge.clients.pair_state import read_records, write_record
from components.edge.errors import EdgeError
from components.edge.pair_state import PairState
from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
from shopsphere.errors import one_line
from shopsphere.progress import say

TITLE = "Move the pair's names to the other site at every DNS authority"
SECONDS = 20


def check(change: RoleChange) -> str:
    """Say where the names would lead and for how long resolvers may still know better."""
    names = ", ".join(authority.name for authority in change.authorities())
    address = change.declaration().addresses[change.target]
    return f"{change.pair.name} leads to {address} at {names}; resolvers follow within {change.declaration().ttl} s"


def act(change: RoleChange) -> None:
    """Write it at each authority by itself: a dead one must not keep the others."""
    declaration, left = change.declaration(), []
    for authority in change.authorities():
        try:
            write_record([authority], declaration, _wanted(change))
        except EdgeError as error:
            left.append(f"{authority.name}: {one_line(error)}")
    if len(left) == len(change.authorities()):
        raise BlockedError.because(f"no DNS authority took the change: {'; '.join(left)}", action="bring one back")
    for problem in left:
        say(f"         NOT moved at {problem}; repeat this command when it is back, before it answers anybody")


def verify(change: RoleChange) -> bool:
    """Every authority that answers shows the state, and at least one does."""
    declaration, shown = change.declaration(), []
    for authority in change.authorities():
        try:
            found = read_records([authority], declaration)[authority.name]
        except EdgeError:
            continue
        shown.append(declaration.valid(found) == _wanted(change))
    return bool(shown) and all(shown)


def _wanted(change: RoleChange) -> PairState:
    return PairState(change.epoch + 1, change.target)
