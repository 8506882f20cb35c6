"""The point of no return: one compare-and-swap, which fails while anyone holds the lease, or if the pair was moved.

The old site has given its lease back, or the lease has run out: nobody may write any more when this succeeds, and
nothing is promoted before. The quorum is not asked before it is tried: its voters are far apart, and the transaction
asks them the same.

In an unplanned move nothing is tried either while an agent of the old site answers and says that it has the lease: then
the voters say something else than the truth. In a planned one its databases have been demoted before.
"""

from itertools import count

from runbooks.agent.config import Margins
from runbooks.change import UNPLANNED, RoleChange
from shopsphere.foundation.clock import wait_until
from shopsphere.witness import Phase, Sync
from shopsphere.witness.gateway import VOTER_SECONDS

TITLE = "Begin the next epoch with the other site active, as soon as nobody holds the lease to write"
SECONDS = 3 * Margins().lease
_GLANCE_EVERY, _TRY_EVERY = 0.05, 10


def check(change: RoleChange) -> str:
    """Say what would be written, and how long it takes until it may be."""
    return (
        f"epoch {change.epoch + 1}, active {change.target}; from here on the change cannot be taken back. "
        f"{change.source} gives the lease back when it has shut itself off, within about 3 s; if it is dead the lease "
        f"runs out within {Margins().lease} s of its last sign. At a site of several nodes each node has a lease of "
        "its own, and all of them are waited for"
    )


def act(change: RoleChange) -> None:
    """Begin it. No peer follows yet, so that sync is off until one does."""
    if change.recall("sync") is None:
        change.remember("sync", change.last_record().sync)
    begun = {"epoch": change.epoch + 1, "active": change.target, "phase": Phase.STEADY, "sync": Sync.OFF}
    looks, told = count(), [""]

    def begin() -> bool:
        """Try when a voter says that nobody holds the lease, and now and then whatever it says: it may be behind."""
        if next(looks) % _TRY_EVERY and change.access.witness.glance().holders:
            return False
        if change.variant == UNPLANNED and (says := change.source_look().who_may_write()):
            told[0] = says
            return False
        return change.try_to_change_record(f"{change.variant}: {change.reason}", begun, without_lease=True)

    wait_until(
        begin,
        what="the lease to be given back, or to run out",
        seconds=SECONDS - 2 * VOTER_SECONDS,  # the last try has to end in time too
        interval=_GLANCE_EVERY,
        explain=lambda: told[0] or f"{', '.join(change.last_holders()) or 'nobody'} holds it",
    )


def verify(change: RoleChange) -> bool:
    """The witness says so, or has just taken it from us."""
    return change.is_made_in(change.last_record())
