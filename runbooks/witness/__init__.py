"""The witness: three voters outside a pair that hold its epoch, its active site and the lease to take writes."""

from runbooks.witness.client import Witness
from runbooks.witness.record import PairRecord, Phase, Sync
from runbooks.witness.store import Voter, WitnessConflictError, WitnessUnreachableError

__all__ = ["PairRecord", "Phase", "Sync", "Voter", "Witness", "WitnessConflictError", "WitnessUnreachableError"]
