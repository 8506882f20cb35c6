"""Whoever held the lease when the witness was lost has shut itself off by the end of this step."""

import time

from runbooks.agent.config import Margins
from runbooks.change import RoleChange

TITLE = "Wait until a lease from before has run out"
SECONDS = 3 * Margins().lease
_MARGIN = 2.0


def check(change: RoleChange) -> str:
    """Say how long it takes."""
    return f"{Margins().lease + _MARGIN:.0f} s from now nobody at {change.source} can write on an old lease"


def act(change: RoleChange) -> None:
    """Note when the waiting began, once."""
    if change.recall("since") is None:
        change.remember("since", time.time())


def verify(change: RoleChange) -> bool:
    """The time is over."""
    since = change.recall("since")
    return since is not None and time.time() - since >= Margins().lease + _MARGIN
