"""Whether a pair is at home and at rest, so that nothing is left for a failback."""

from __future__ import annotations

from pathlib import Path

from runbooks.engine import Journal
from shopsphere.topology import Pair
from shopsphere.witness import Phase, Witness


def at_home(pair: Pair, witness: Witness, runs: Path) -> str:
    """Return a sentence that says so; empty when something is to be done, or to be finished.

    Args:
        pair: the pair.
        witness: its own.
        runs: folder of the journals.

    Raises:
        ShopSphereError: the witness has no record of the pair.
        WitnessUnreachableError: no quorum answered.
    """
    seen = witness.see()
    record = seen.require_record(pair.name)
    is_at_rest = record.phase is Phase.STEADY and seen.lease_holder == record.active
    if record.active != pair.primary or not is_at_rest or Journal.unfinished(runs, pair=pair.name):
        return ""
    return f"{pair.name}: nothing to do: {pair.primary} is active already, in epoch {record.epoch}"
