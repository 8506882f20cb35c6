"""The site is permitted to write: its agent opens the databases and the gateway without a lease.

Time has passed since the other site was barred, and other operators may have acted in it: that it is still barred is
asked again, before the permit and after it.
"""

from runbooks.bar import knows_of, source_is_barred
from runbooks.change import RoleChange
from runbooks.engine.errors import BlockedError
from runbooks.site_nodes import answering, further_agents
from runbooks.unwitnessed import lay_down

TITLE = "Permit the site to write without the witness"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say what the permit is bound to."""
    session = str(change.access.agent_state(change.target)["session"])
    silent = [node for node, state in further_agents(change.access, change.target).items() if state is None]
    shut = f"; {', '.join(silent)} does not answer and stays shut" if silent else ""
    return (
        f"{change.target} may write in epoch {change.epoch + 1} until its agent (start {session[:8]}) ends, "
        f"or the witness is back and says otherwise{shut}"
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
    """Its agents keep to it, or the witness is back and in that epoch; and the other site is barred still.

    A node that does not answer was not permitted, and stays shut.
    """
    states = {change.target: change.access.agent_state(change.target), **answering(change.access, change.target)}
    for host, state in states.items():
        if state.get("refused"):
            raise BlockedError.because(
                f"the agent of {host} refused: {state['refused']}",
                action=f"`shopsphere failover {change.pair.name}` from a machine that reaches the witness",
            )
    return all(knows_of(change, state) for state in states.values()) and source_is_barred(change)
