"""The witness has no quorum: as long as it has one, there is a safe way."""

from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
from shopsphere.witness import WitnessUnreachableError

TITLE = "Make sure that the witness has no quorum"
SECONDS = 20


def check(change: RoleChange) -> str:
    """Say what is known without the witness; refuse while it answers."""
    try:
        record = change.ask_witness()
    except WitnessUnreachableError:
        return f"no quorum answers; DNS says epoch {change.epoch}; this would begin epoch {change.epoch + 1}"
    if change.is_made_in(record):
        return "the witness is back, and knows of this change"
    raise BlockedError.because(
        f"the witness answers: epoch {record.epoch}, {record.active} is active",
        action=f"`shopsphere failover {change.pair.name}`: it cannot give two sites the right to write, this can",
    )


def verify(change: RoleChange) -> bool:
    """What `check` says holds."""
    check(change)
    return True
