"""What the witness says of pairs: which site may write, in which epoch, and what a failover would cost."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.foundation.side_by_side import at_each
from shopsphere.status.model import PairStatus
from shopsphere.witness import PairRecord, Phase
from shopsphere.witness.access import see_once

NO_RECORD = (
    "the witness has no record: no agent of the pair has started yet, or the voters lost it and none has written it "
    "anew (docs/witness.md, “A witness without a record”)"
)


def ask_witnesses(pairs: Iterable[str], environment: Environment) -> tuple[PairStatus, ...]:
    """Return what the witness of each pair says, asked side by side."""
    names = sorted(pairs)
    return tuple(at_each(names, partial(_ask, environment=environment)))


def _ask(pair: str, *, environment: Environment) -> PairStatus:
    try:
        seen = see_once(pair, environment)
    except ShopSphereError as error:
        return PairStatus(pair, problem=one_line(error))
    if seen.record is None:
        return PairStatus(pair, problem=NO_RECORD)
    return pair_status(seen.record, seen.lease_holder)


def pair_status(record: PairRecord, lease_holder: str) -> PairStatus:
    """Return what a record and the holder of the lease say together."""
    problem = ""
    if record.phase is not Phase.STEADY:
        problem = f"a change is under way or was left unfinished ({record.phase}): {record.reason}"
    elif lease_holder != record.active:
        problem = f"{record.active} is active and does not hold the lease: nobody takes writes"
    return PairStatus(
        record.pair,
        epoch=record.epoch,
        active=record.active,
        phase=record.phase,
        lease_holder=lease_holder,
        sync=record.sync,
        last_change=f"{record.reason} ({record.actor}, {record.changed_at:%Y-%m-%d %H:%M:%S} UTC)",
        problem=problem,
    )
