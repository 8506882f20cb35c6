"""The site is permitted to write: its agent opens the databases and the gateway without a lease."""

from runbooks.change import RoleChange
from runbooks.unwitnessed import lay_down

TITLE = "Permit the site to write without the witness"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say what the permit is bound to."""
    session = str(change.access.agent_state(change.target)["session"])
    return (
        f"{change.target} may write in epoch {change.epoch + 1} until its agent (start {session[:8]}) ends, "
        "or the witness is back and says otherwise"
    )


def act(change: RoleChange) -> None:
    """Lay the permit down at the site."""
    lay_down(change, change.target)


def verify(change: RoleChange) -> bool:
    """Its agent keeps to it, or the witness is back and in that epoch."""
    state = change.access.agent_state(change.target)
    return change.epoch + 1 in [(state.get(name) or {}).get("epoch") for name in ("permit", "record")]
