"""From where to where a pair is moved: as an unfinished run remembers it, or as the witness says."""

from __future__ import annotations

from dataclasses import dataclass

from runbooks.change import RoleChange
from runbooks.engine import BlockedError, RunRecord
from shopsphere.topology import Pair
from shopsphere.witness import Witness
from shopsphere.witness.record import FIRST_EPOCH


@dataclass(frozen=True)
class Direction:
    """What a change begins with.

    Attributes:
        source: site that is active before; for a rebuild, the one that is copied.
        target: the other site.
        epoch: before the change.
        variant: of the runbook; empty when it has none.
    """

    source: str
    target: str
    epoch: int
    variant: str


def resumed(left: RunRecord, variant: str) -> Direction | None:
    """Return what an unfinished run remembers; None when it ended before it knew."""
    known = left.values
    if not {"source", "target", "epoch"} <= known.keys():
        return None
    return Direction(str(known["source"]), str(known["target"]), int(known["epoch"]), variant)


def witnessed(pair: Pair, witness: Witness, variant: str, *, finish: str) -> Direction:
    """Return the way from the active site to the other one.

    Args:
        pair: the pair.
        witness: its own.
        variant: of the runbook.
        finish: when this site is the active one already, the change that made it so is what is returned.

    Raises:
        ShopSphereError: the witness has no record of the pair.
        WitnessUnreachableError: no quorum answered.
    """
    record = witness.see().require_record(pair.name)
    if finish == record.active and record.epoch > FIRST_EPOCH:
        return Direction(pair.other_than(finish), finish, record.epoch - 1, variant)
    return Direction(record.active, pair.other_than(record.active), record.epoch, variant)


def require_not_begun(change: RoleChange) -> None:
    """Refuse when the next epoch has begun.

    Raises:
        BlockedError: the next epoch has begun, so that the change can only be finished.
    """
    record = change.ask_witness()
    if change.is_made_in(record):
        raise BlockedError.because(
            f"epoch {record.epoch} has begun and {record.active} is active: from here on it cannot be taken back",
            action="finish the failover with the command that began it; then fail back, planned",
        )
