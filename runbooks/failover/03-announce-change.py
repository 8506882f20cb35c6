"""The witness says that the pair is about to move; from now on no lease is given for it.

From now on the names lead readers to the other site: the active one is about to lose its databases, if it still has
them, and by the time when the other one takes writes, resolvers know the way.
"""

from runbooks.change import PLANNED, RoleChange
from runbooks.names import write_at_each
from shopsphere.names.pair_state import PairState
from shopsphere.witness import Phase

TITLE = "Tell the witness, and with it the active site's agent; lead readers away"
SECONDS = 10


def check(change: RoleChange) -> str:
    """Say what the agent of the active site would do."""
    if change.variant == PLANNED:
        site = f"{change.source} answers writes with 503 and Retry-After"
    else:
        site = f"{change.source}, if it lives, takes its databases off the network and gives its lease back"
    return f"{site}; names lead readers to {change.target}"


def act(change: RoleChange) -> None:
    """Set the phase, then the names; an authority that does not answer is not waited for."""
    change.change_record(change.reason, phase=_phase(change))
    if not change.is_made_in(change.last_record()):
        write_at_each(change.access, PairState(change.epoch, change.source, leaving=True))


def verify(change: RoleChange) -> bool:
    """The phase is set, or the change is past it; as the witness said when it was told, or asked a step before."""
    record = change.last_record()
    return change.is_made_in(record) or record.phase is _phase(change)


def _phase(change: RoleChange) -> Phase:
    return Phase.DRAINING if change.variant == PLANNED else Phase.FENCING
