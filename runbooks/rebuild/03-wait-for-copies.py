"""Both databases stream from the active site."""

from runbooks.change import RoleChange
from runbooks.databases import all_follow

TITLE = "Wait until both databases are copied and stream"
SECONDS = 420  # the copy waits for a checkpoint of the active site, which takes its time


def check(change: RoleChange) -> str:
    """Say who streams from whom."""
    return f"{change.target} streams both databases from {change.source}"


def act(change: RoleChange) -> None:
    """Nothing: the operator of the site copies."""


def verify(change: RoleChange) -> bool:
    """They do."""
    return all_follow(change, change.source, change.target)
