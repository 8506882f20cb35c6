"""The witness says that the pair is at rest: the active site may have its lease again, and the names lead there."""

from runbooks.change import RoleChange
from runbooks.names import shows, write_at_each
from shopsphere.names.pair_state import PairState
from shopsphere.witness import Phase

TITLE = "Tell the witness and the names that nothing is moved"
SECONDS = 10


def check(change: RoleChange) -> str:
    """Say what the agent does then."""
    return f"the agent of {change.source} takes or keeps the lease"


def act(change: RoleChange) -> None:
    """Set the phase, and lead the names back."""
    change.change_record(f"taken back: {change.reason}", phase=Phase.STEADY)
    write_at_each(change.access, _at_rest(change))


def verify(change: RoleChange) -> bool:
    """The phase is set, and so are the names."""
    return change.ask_witness().phase is Phase.STEADY and shows(change.access, _at_rest(change))


def _at_rest(change: RoleChange) -> PairState:
    return PairState(change.epoch, change.source)
