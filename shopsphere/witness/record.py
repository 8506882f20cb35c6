"""What the witness holds of a pair. No personal data: names of sites, numbers, and who changed them why."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from enum import StrEnum

from pydantic import Field

from shopsphere.foundation.exchanged import Epoch, Exchanged, Name, Words
from shopsphere.foundation.signing import Signature, Statement

FIRST_EPOCH = 1
LAST_SERIAL = 2**53


class Phase(StrEnum):
    """What a pair is doing.

    `steady`: the active site takes writes while it holds the lease. `draining`: a planned change; its gateway refuses
    writes, its databases stay open. `fencing`: an unplanned change; the active site shuts its databases off and gives
    its lease back, or loses it. While a pair is `draining` or `fencing`, no site takes the lease.
    """

    STEADY = "steady"
    DRAINING = "draining"
    FENCING = "fencing"


class Sync(StrEnum):
    """Whether the ledger's acknowledged rows are known to be at the recovery site too.

    `on`: every one of them. `off`: perhaps not; promoting the other site may lose some.
    """

    ON = "on"
    OFF = "off"


class PairRecord(Exchanged):
    """The record of one pair, replaced as a whole and only by compare-and-swap."""

    pair: Name
    epoch: Epoch = Field(description="Grows by one at each change of the active site.")
    active: Name = Field(description="The site that takes writes.")
    phase: Phase = Phase.STEADY
    sync: Sync = Sync.OFF
    actor: Words = Field(description="Who made this change.")
    reason: Words = Field(description="Why.")
    changed_at: datetime = Field(description="When (UTC), by the actor's clock; orders nothing.")
    change: Name = Field(description="Unique, so that a writer recognises its own change after a lost answer.")
    serial: int = Field(
        default=0,
        ge=0,
        le=LAST_SERIAL,
        strict=True,
        description="Of a signed record: grows with each change. The writer's clock in ms, or one more than before.",
    )
    after: int = Field(
        default=0,
        ge=0,
        le=LAST_SERIAL,
        strict=True,
        description="Serial of the last record by another writer that this one knows: what the change was built on.",
    )
    writer: Name = Field(default="", description="Random, of the start of the program that wrote it.")
    decision: Statement | None = Field(
        default=None, description="That this epoch is the active site's: a `Decision`, signed by an operator."
    )
    signature: Signature | None = Field(
        default=None, description="Of everything else in the record, by whoever wrote it."
    )

    @classmethod
    def first(cls, pair: str, active: str, *, actor: str) -> PairRecord:
        """Return the record of a pair whose role never changed."""
        said = {"pair": pair, "epoch": FIRST_EPOCH, "active": active}
        return cls.model_validate({**said, **_made(actor, "the pair is new")})

    def changed(self, *, actor: str, reason: str, **values: object) -> PairRecord:
        """Return a copy with these values, not signed yet; what a newer version wrote into the record stays in it.

        Raises:
            ValueError: a value has a name that this version does not know, or is out of bounds.
        """
        self.require_known(values)
        return PairRecord.model_validate({**self.model_dump(), **values, **_made(actor, reason)})


class Decision(Exchanged):
    """That an epoch of a pair is a site's: what an operator signs once, and every later record of the epoch carries."""

    pair: Name
    epoch: Epoch
    active: Name
    actor: Words
    at: datetime = Field(description="When (UTC), by the operator's clock; orders nothing.")

    def is_of(self, record: PairRecord) -> bool:
        """Whether it is what this record says."""
        return (self.pair, self.epoch, self.active) == (record.pair, record.epoch, record.active)


def _made(actor: str, reason: str) -> dict[str, object]:
    made = {"actor": actor, "reason": reason, "changed_at": datetime.now(UTC), "change": uuid.uuid4().hex}
    return {**made, "signature": None}  # that of another content
