"""A signed pair two of whose operators have a key of their own."""

from __future__ import annotations

from pathlib import Path

from present import present
from signed_pair import SignedPair

from shopsphere.witness.keys import make_keys
from shopsphere.witness.operators import acting_as
from shopsphere.witness.record import PairRecord

ANNA, BERT = "operator-anna", "operator-bert"
WITHDRAWN = "/shopsphere/rdc-a/withdrawn"
"""Where voters keep who has left."""


def with_operators(base: Path) -> SignedPair:
    """In epoch 1."""
    made = SignedPair(base)
    make_keys(made.keys, "rdc-a", {}, (ANNA, BERT))
    made.first()
    return made


def move_as(pair: SignedPair, user: str, to: str, actor: str = "") -> PairRecord:
    """An operator begins the next epoch; `actor` is what his program says of who it is."""
    operator = pair.witness(user)
    seen = operator.see()
    record = present(seen.record)
    moved = record.changed(actor=actor or acting_as(user), reason="flood", epoch=record.epoch + 1, active=to)
    return present(operator.change(seen, moved).record)
