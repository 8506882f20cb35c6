"""The active site takes orders again."""

from runbooks.change import RoleChange
from runbooks.site_agents import agent_says, lets_writes_through

TITLE = "Wait until the active site lets writes through"
SECONDS = 40


def check(change: RoleChange) -> str:
    """Say what its agent says now; it reads the witness by itself."""
    return agent_says(change, change.source)


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open."""
    return lets_writes_through(change, change.source)
