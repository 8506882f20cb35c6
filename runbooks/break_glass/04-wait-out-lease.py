"""Whoever held the lease when the witness was lost has shut itself off by the end of this step.

Only a length of time counts, by the monotonic clock: a clock that is set must not shorten it. A length that another
process measured proves nothing to this one, so a resumed run waits for all of it again.
"""

import uuid

from runbooks.agent.config import Margins
from runbooks.change import RoleChange

TITLE = "Wait until a lease from before has run out"
SECONDS = 3 * Margins().lease
_MARGIN = 2.0
_WAIT = Margins().lease + _MARGIN
_SESSION = uuid.uuid4().hex  # of this process


def check(change: RoleChange) -> str:
    """Say how long it takes."""
    return f"{_WAIT:.0f} s from now nobody at {change.source} can write on an old lease"


def act(change: RoleChange) -> None:
    """Wait, then note that this process did."""
    end = change.clock.monotonic() + _WAIT
    while (left := end - change.clock.monotonic()) > 0:
        change.clock.sleep(left)
    change.remember("waited", _SESSION)


def verify(change: RoleChange) -> bool:
    """This process has waited."""
    return bool(change.recall("waited") == _SESSION)
