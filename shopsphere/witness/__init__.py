"""The witness: three voters outside a pair that hold its epoch, its active site and the lease to take writes."""

from shopsphere.witness.client import Witness
from shopsphere.witness.gateway import NOT_HEARD, WitnessUnreachableError
from shopsphere.witness.record import PairRecord, Phase, Sync
from shopsphere.witness.store import LockLostError, WitnessConflictError
from shopsphere.witness.voter import Voter

__all__ = [
    "NOT_HEARD",
    "LockLostError",
    "PairRecord",
    "Phase",
    "Sync",
    "Voter",
    "Witness",
    "WitnessConflictError",
    "WitnessUnreachableError",
]
