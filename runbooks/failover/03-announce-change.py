"""The witness says that the pair is about to move; from now on no lease is given for it."""

from runbooks.change import PLANNED, RoleChange
from runbooks.witness import Phase

TITLE = "Tell the witness, and with it the active site's agent"
SECONDS = 10


def check(change: RoleChange) -> str:
    """Say what the agent of the active site would do."""
    if change.variant == PLANNED:
        return f"{change.source} answers writes with 503 and Retry-After, and still answers reads"
    return f"{change.source}, if it lives, takes its databases off the network and gives its lease back"


def act(change: RoleChange) -> None:
    """Set the phase."""
    change.change(change.reason, phase=_phase(change))


def verify(change: RoleChange) -> bool:
    """The phase is set, or the change is past it."""
    _, record = change.see()
    return change.is_moved(record) or record.phase is _phase(change)


def _phase(change: RoleChange) -> Phase:
    return Phase.DRAINING if change.variant == PLANNED else Phase.FENCING
