"""The witness says that the pair is about to move; from now on no lease is given for it.

In an unplanned move the names lead readers to the other site from now on: the active one is about to lose its
databases, if it still has them. In a planned one they do in the next step, while the databases end.
"""

from runbooks.change import PLANNED, RoleChange
from runbooks.moving_names import lead_readers_away
from shopsphere.witness import Phase

TITLE = "Tell the witness, and with it the active site's agent"
SECONDS = 10


def check(change: RoleChange) -> str:
    """Say what the agent of the active site would do."""
    if change.variant == PLANNED:
        return f"{change.source} answers writes with 503 and Retry-After"
    return (
        f"{change.source}, if it lives, takes its databases off the network and gives its lease back; "
        f"names lead readers to {change.target}"
    )


def act(change: RoleChange) -> None:
    """Set the phase, then the names where no step does it later."""
    change.change_record(change.reason, phase=_phase(change))
    if change.variant != PLANNED:
        lead_readers_away(change)


def verify(change: RoleChange) -> bool:
    """The phase is set, or the change is past it; as the witness said when it was told, or asked a step before."""
    record = change.last_record()
    return change.is_made_in(record) or record.phase is _phase(change)


def _phase(change: RoleChange) -> Phase:
    return Phase.DRAINING if change.variant == PLANNED else Phase.FENCING
