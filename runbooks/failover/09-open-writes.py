"""The gateway of the site that is active now lets writes through, as its agent has seen that its databases lead."""

from runbooks.change import RoleChange

TITLE = "Wait until the site that is active now lets writes through"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Ask whether the agent is there at all."""
    return (
        f"the agent of {change.target} lets writes through; now it says: {change.agent_state(change.target)['because']}"
    )


def act(change: RoleChange) -> None:
    """Nothing: the agent reads the witness by itself."""


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open."""
    return bool(change.agent_state(change.target)["writes"])
