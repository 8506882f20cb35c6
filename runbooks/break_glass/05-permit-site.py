"""The site is permitted to write: its agent opens the databases and the gateway without a lease.

Time has passed since the other site was barred, and other operators may have acted in it: that it is still barred is
asked again, before the permit and after it.
"""

from runbooks.bar import knows_of, source_is_barred
from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
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
    if not source_is_barred(change):
        raise BlockedError.because(
            f"{change.source} is not barred any more from writing in epoch {change.epoch + 1}",
            action="look for somebody else who moves this pair; then repeat this command",
        )
    lay_down(change, change.target)


def verify(change: RoleChange) -> bool:
    """Its agent keeps to it, or the witness is back and in that epoch; and the other site is barred still."""
    state = change.access.agent_state(change.target)
    if state.get("refused"):
        raise BlockedError.because(
            f"the agent of {change.target} refused: {state['refused']}",
            action=f"`shopsphere failover {change.pair.name}` from a machine that reaches the witness",
        )
    return knows_of(change, state) and source_is_barred(change)
