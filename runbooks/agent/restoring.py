"""What an agent writes into a witness without a record: of a new pair, or the newest that this site has seen."""

from __future__ import annotations

from runbooks.agent.config import AgentConfig
from runbooks.agent.permits import Witnessed
from shopsphere.witness import PairRecord, Phase, Sync


def record_to_restore(found: PairRecord | None, known: Witnessed | None, config: AgentConfig) -> PairRecord | None:
    """Return the record that the witness lacks; None where it has the newest.

    An epoch never goes back: voters that lost their disks, or got older ones, have forgotten who was made active. A
    site that followed them could write on data that was left behind.

    Args:
        found: the witness's record.
        known: what this site has seen of the witness before.
        config: pair, this site, and which one is active when the pair is new.
    """
    actor = f"agent of {config.site}"
    record = found or PairRecord.first(config.pair, config.first_active, actor=actor)
    if known and record.epoch < known.epoch:
        reason = f"the witness had lost epoch {known.epoch}"
        lost = {"epoch": known.epoch, "active": known.active, "phase": Phase.STEADY, "sync": Sync.OFF}
        return record.changed(actor=actor, reason=reason, **lost)
    return None if found else record
