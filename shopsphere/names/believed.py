"""Which states that DNS authorities show may be true: names follow the witness, one epoch at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace

from shopsphere.names.pair_state import PairState

MOST_AHEAD = 1
"""Epochs by which DNS may be ahead of who knows the pair's state: a change may be under way."""
WITNESSED = "SHOPSPHERE_WITNESSED_EPOCHS"
"""Variable with the epoch of each pair as its witness told it, a JSON object: for providers, which ask no witness."""


def witnessed_epoch(pair: str) -> int:
    """Return a pair's epoch as the witness told whoever started this process; 0 where it told nothing."""
    try:
        told = json.loads(os.environ.get(WITNESSED, "{}"))
        return int(told.get(pair, 0))
    except (ValueError, TypeError, AttributeError):
        return 0


def believed(shown: Mapping[str, PairState], known: int, ahead: int = MOST_AHEAD) -> dict[str, PairState]:
    """Return the states that may be true.

    Where an epoch is known for certain, no authority is believed that is further ahead than a change under way.
    Otherwise the one that is that far ahead is outvoted, if two others at least agree; else nobody can tell, and all
    are returned.

    Args:
        shown: by the name of the authority that shows it.
        known: epoch of who knows; 0 for nobody.
        ahead: epochs by which DNS may be ahead of who knows.
    """
    if known:
        return {name: state for name, state in shown.items() if state.epoch <= known + ahead}
    highest = max((state.epoch for state in shown.values()), default=0)
    others = {name: state for name, state in shown.items() if state.epoch < highest}
    agreed = {replace(state, leaving=False) for state in others.values()}
    is_alone = len(others) == len(shown) - 1
    is_outvoted = is_alone and len(others) > 1 and len(agreed) == 1
    if is_outvoted and highest > next(iter(agreed)).epoch + MOST_AHEAD:
        return others
    return dict(shown)
