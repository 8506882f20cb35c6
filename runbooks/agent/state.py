"""What an agent knows at a moment, and what follows from it: one pure function, so that every case can be tested."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runbooks.agent.databases import Role
from runbooks.permit import Permit
from shopsphere.witness import PairRecord, Phase


@dataclass(frozen=True)
class Knowledge:
    """What is known; None where it is not.

    Attributes:
        record: the witness's record as last read.
        lease_until: monotonic time until which this site may write; 0 without a lease.
        role: of this site's databases as last read.
        permit: the newest that was laid down here.
        promoting: the databases have not been seen to take writes since they were replicas or the agent started.
    """

    record: PairRecord | None = None
    lease_until: float = 0.0
    role: Role | None = None
    permit: Permit | None = None
    promoting: bool = False

    @property
    def standing_permit(self) -> Permit | None:
        """The permit, unless the witness is known to be in its epoch or a later one."""
        witnessed = self.record.epoch if self.record else None
        return self.permit if self.permit and self.permit.counts(witnessed) else None

    @property
    def moves(self) -> bool:
        """Whether a runbook is moving the pair."""
        return self.record is not None and self.record.phase is not Phase.STEADY


@dataclass(frozen=True)
class Doors:
    """What is open.

    Attributes:
        databases: clients reach the databases; those of a replica are open for reading without a lease.
        writes: the gateway lets requests through that change something.
        because: one line for people.
        until: monotonic time at which the databases are shut off whatever happens.
    """

    databases: bool
    writes: bool
    because: str
    until: float = math.inf


def doors(site: str, known: Knowledge, now: float) -> Doors:
    """Decide what is open at `now`: whatever is not known counts against opening."""
    record, permit = known.record, known.standing_permit
    if known.role is Role.REPLICA:
        return Doors(databases=True, writes=False, because="the databases follow the other site: reading only")
    if permit:
        open_here = permit.active == site
        return Doors(open_here, open_here, f"{permit.active} may write without the witness: {permit.reason}")
    if known.lease_until <= now or record is None:
        return Doors(databases=False, writes=False, because="no lease: this site may not write")
    if record.active != site or record.phase is Phase.FENCING:
        because = f"{record.phase}, active is {record.active}: {record.reason}"
        return Doors(databases=False, writes=False, because=because)
    shut = "the databases are being promoted" if known.promoting else ""
    if known.role is None:
        shut = "nothing is known of the databases yet"
    if record.phase is Phase.DRAINING:
        shut = f"draining: {record.reason}"
    because = shut or f"lease held in epoch {record.epoch}"
    return Doors(databases=True, writes=not shut, because=because, until=known.lease_until)
