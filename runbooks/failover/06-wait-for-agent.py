"""The agent of the site that is active now holds the lease, before its databases are promoted.

A site whose databases may take writes and which has no lease is shut off: readers would lose their connections in the
middle of the change, and writers find theirs again only as fast as TCP repeats what was dropped.
"""

from runbooks.change import RoleChange

TITLE = "Wait until the site that is active now holds the lease to write"
SECONDS = 30


def check(change: RoleChange) -> str:
    """Ask whether the agent is there at all."""
    return f"the agent of {change.target} takes the lease; now it says: {change.agent_state(change.target)['because']}"


def act(change: RoleChange) -> None:
    """Nothing: the agent reads the witness by itself."""


def verify(change: RoleChange) -> bool:
    """The agent says that it has the lease."""
    return float(change.agent_state(change.target)["lease_seconds_left"]) > 0
