"""Nobody moves the pair, and both its sites have both databases."""

from runbooks.databases import all_follow
from runbooks.engine.errors import BlockedError
from runbooks.putting_in_place.replacement import Replacement

TITLE = "Check that nobody moves the pair, and that both sites have both databases"
SECONDS = 60


def check(run: Replacement) -> str:
    """Say what leads; refuse while the pair could not bear a fault."""
    record = run.require_steady()
    other = run.pair.other_than(record.active)
    if not all_follow(run.access, record.active, other):
        raise BlockedError.because(
            f"{other} does not stream both databases", action=f"`shopsphere ready {run.pair.name}`"
        )
    return f"{run.live} leads at {record.active} (epoch {record.epoch}), and {other} streams it"


def verify(run: Replacement) -> bool:
    """All is so, also when a run goes on; the swap looks anew."""
    return bool(check(run))
