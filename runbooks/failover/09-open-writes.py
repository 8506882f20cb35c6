"""The gateway of the site that is active now lets writes through, as its agent has seen that its databases lead."""

from runbooks.change import RoleChange
from runbooks.site_agents import agent_says, lets_writes_through
from runbooks.site_nodes import leading_nodes_are_open

TITLE = "Wait until the site that is active now lets writes through"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Ask whether the agent is there at all."""
    return f"its agent lets writes through by itself; now {agent_says(change, change.target)}"


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open, and the databases are open on the nodes where they lead."""
    return lets_writes_through(change, change.target) and leading_nodes_are_open(change.access, change.target)
