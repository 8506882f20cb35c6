"""What the witnesses say of each pair's epoch, for the providers of the edge: they bound what DNS is believed."""

from __future__ import annotations

import json
from contextlib import closing, suppress

from shopsphere.estate.access import AccessError, WitnessAccess, witness_access
from shopsphere.estate.stack import EDGE, StackId
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.side_by_side import at_each
from shopsphere.names.believed import WITNESSED
from shopsphere.witness.access import witness_in


def witnessed_variables(stack: StackId) -> dict[str, str]:
    """Return the variable with the epochs that witnesses tell now; nothing for a site, or where none tells any.

    A witness that does not answer is left out: then authorities that differ much are refused, and none is copied.
    """
    if stack.label != EDGE:
        return {}
    try:
        access = witness_access(stack.environment)
    except AccessError:
        return {}
    pairs = list(access.witness)
    epochs = zip(pairs, at_each(pairs, lambda pair: _epoch(access, pair)), strict=True)
    known = {pair: epoch for pair, epoch in epochs if epoch}
    return {WITNESSED: json.dumps(known)} if known else {}


def _epoch(access: WitnessAccess, pair: str) -> int:
    with suppress(ShopSphereError), closing(witness_in(access, pair)) as witness:
        return witness.see().require_record(pair).epoch
    return 0
