"""The gateway of the site lets writes through."""

from runbooks.change import RoleChange
from runbooks.site_agents import agent_says, lets_writes_through

TITLE = "Wait until the site lets writes through"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say what its agent says now; it reads the permit by itself."""
    return agent_says(change, change.target)


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open."""
    return lets_writes_through(change, change.target)
