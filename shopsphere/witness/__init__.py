"""The witness: three voters outside a pair that hold its epoch, its active site and the lease to take writes."""

from shopsphere.witness.client import Witness
from shopsphere.witness.record import PairRecord, Phase, Sync
from shopsphere.witness.store import LockLostError, Voter, WitnessConflictError, WitnessUnreachableError

__all__ = [
    "LockLostError",
    "PairRecord",
    "Phase",
    "Sync",
    "Voter",
    "Witness",
    "WitnessConflictError",
    "WitnessUnreachableError",
]
