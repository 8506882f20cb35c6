"""The witness says that the pair is at rest; the agent of the active site may have its lease again."""

from runbooks.change import RoleChange
from runbooks.witness import Phase

TITLE = "Tell the witness that nothing is moved"
SECONDS = 10


def check(change: RoleChange) -> str:
    """Say what the agent does then."""
    return f"the agent of {change.source} takes or keeps the lease"


def act(change: RoleChange) -> None:
    """Set the phase."""
    change.change(f"taken back: {change.reason}", phase=Phase.STEADY)


def verify(change: RoleChange) -> bool:
    """The phase is set."""
    return change.see()[1].phase is Phase.STEADY
