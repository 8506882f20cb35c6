"""The active site takes orders again."""

from runbooks.change import RoleChange

TITLE = "Wait until the active site lets writes through"
SECONDS = 40


def check(change: RoleChange) -> str:
    """Say what its agent says now."""
    return f"the agent of {change.source} says: {change.agent_state(change.source)['because']}"


def act(change: RoleChange) -> None:
    """Nothing: the agent reads the witness by itself."""


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open."""
    return bool(change.agent_state(change.source)["writes"])
