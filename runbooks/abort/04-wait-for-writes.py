"""The active site takes orders again."""

from runbooks.change import RoleChange
from runbooks.site_agents import agent_says, lets_writes_through
from runbooks.site_nodes import leading_nodes_are_open

TITLE = "Wait until the active site lets writes through"
SECONDS = 40


def check(change: RoleChange) -> str:
    """Say what its agent says now; it reads the witness by itself."""
    return agent_says(change, change.source)


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open, and the databases are open on the nodes where they lead."""
    return lets_writes_through(change, change.source) and leading_nodes_are_open(change.access, change.source)
