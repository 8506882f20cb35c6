"""The agent of the site that is active now holds the lease, before its databases are promoted.

A site whose databases may take writes and which has no lease is shut off: readers would lose their connections in the
middle of the change, and writers find theirs again only as fast as TCP repeats what was dropped. So it is with a
further node of the site on which a database leads: it has a lease of its own.
"""

from runbooks.change import RoleChange
from runbooks.site_agents import agent_says, has_lease
from runbooks.site_nodes import leading_nodes_have_lease
from shopsphere.foundation.side_by_side import at_each

TITLE = "Wait until the site that is active now holds the lease to write"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Ask whether the agent is there at all."""
    return f"its agent reads the witness and takes the lease; now {agent_says(change, change.target)}"


def verify(change: RoleChange) -> bool:
    """The agent says that it has the lease, and so do those of the nodes where databases lead; all at once."""
    asked = (lambda: has_lease(change, change.target), lambda: leading_nodes_have_lease(change.access, change.target))
    return all(at_each(asked, lambda ask: ask()))
