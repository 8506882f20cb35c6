"""The gateway of the site lets writes through."""

from runbooks.change import RoleChange
from runbooks.site_agents import agent_says, lets_writes_through
from runbooks.site_nodes import answering, leading_nodes

TITLE = "Wait until the site lets writes through"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Say what its agent says now; it reads the permit by itself."""
    shut = ", ".join(sorted(_shut(change)))
    return agent_says(change, change.target) + (f"; a database leads on {shut}, which is shut" if shut else "")


def verify(change: RoleChange) -> bool:
    """The agent says that writes are open, and the databases are open on the nodes where they lead."""
    return lets_writes_through(change, change.target) and not _shut(change)


def _shut(change: RoleChange) -> set[str]:
    """Return the further nodes on which a database leads that nobody reaches."""
    leading = leading_nodes(change.access, change.target)
    states = answering(change.access, change.target) if leading else {}
    return {node for node in leading if node not in states or not states[node]["databases"]}
