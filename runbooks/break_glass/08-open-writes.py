"""The gateway of the site lets writes through."""

from runbooks.change import RoleChange

TITLE = "Wait until the site lets writes through"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say what its agent says now."""
    return f"the agent of {change.target} says: {change.agent_state(change.target)['because']}"


def act(change: RoleChange) -> None:
    """Nothing: the agent reads the permit by itself."""


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open."""
    return bool(change.agent_state(change.target)["writes"])
