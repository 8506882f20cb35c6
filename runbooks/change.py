"""One change of a pair's active site: who moves what to where and why, and what the witness says of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from runbooks.engine.errors import BlockedError
from runbooks.engine.journal import Journal
from runbooks.operator_lock import OperatorLock
from runbooks.pair_access import PairAccess
from runbooks.site_database import SiteDatabase
from runbooks.source_look import SourceLook
from shopsphere.foundation.clock import SYSTEM_CLOCK, Clock
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import Pair
from shopsphere.witness import PairRecord, WitnessConflictError
from shopsphere.witness.record import FIRST_EPOCH
from shopsphere.witness.seen import Seen

PLANNED, UNPLANNED = "planned", "unplanned"
MOVE, STAY = "move", "stay"

Answer = TypeVar("Answer")


@dataclass
class RoleChange:
    """One change of the active site; what a step needs to know.

    Attributes:
        access: the ways to the pair.
        source: site that is active before.
        target: site that is active afterwards.
        epoch: epoch before; the change makes it one more.
        variant: of the runbook; empty when it has none.
        actor: who.
        reason: why.
        accept_data_loss: the operator has said that acknowledged payments may be lost.
        site_is_off: site, or further nodes of it with commas between, of which the operator has said that they are off
            and stay off; empty for none.
        whole: the operator wants a whole new copy, also where a rewind would do.
        journal: of this run; None in a dry run.
        lock: the operators' lock; None in a dry run, and where there is no witness to give one.
        clock: replaceable in tests.

    Raises:
        ShopSphereError: source and target are not the pair's two sites, or the epoch is none.
    """

    access: PairAccess
    source: str
    target: str
    epoch: int
    variant: str
    actor: str
    reason: str
    accept_data_loss: bool = False
    site_is_off: str = ""
    whole: bool = False
    journal: Journal | None = None
    lock: OperatorLock | None = None
    clock: Clock = SYSTEM_CLOCK
    _answer: tuple[Seen, PairRecord] | None = field(default=None, init=False, repr=False)
    _source_look: SourceLook | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse what is no change of this pair."""
        if {self.source, self.target} != set(self.pair.sites) or self.epoch < FIRST_EPOCH:
            raise ShopSphereError.build(
                f"{self.pair.name}: this is no change of its active site",
                expected=f"from one of {' and '.join(self.pair.sites)} to the other, in epoch {FIRST_EPOCH} or later",
                found=f"from {self.source!r} to {self.target!r} in epoch {self.epoch}",
                action="look at the journal that says so; move it away to begin anew from what the witness says",
            )

    @property
    def pair(self) -> Pair:
        """The pair that is moved."""
        return self.access.pair

    def is_off(self, name: str) -> bool:
        """Whether the operator has said that a site, or a further node of one, is off and stays off."""
        return name in self.site_is_off.split(",")

    def source_look(self) -> SourceLook:
        """Return the look at the agents of the source, which are asked from the first call on."""
        self._source_look = self._source_look or SourceLook(self.access, self.source, self.clock)
        return self._source_look

    def ask_source_anew(self) -> None:
        """Ask the agents of the source again, where they were asked: what they said first is old."""
        if self._source_look:
            self._source_look = SourceLook(self.access, self.source, self.clock)

    def at_source(self, action: Callable[[SiteDatabase], Answer]) -> list[Answer]:
        """Do something with both databases of the source at once."""
        return self.access.each_database(self.source, action)

    def at_target(self, action: Callable[[SiteDatabase], Answer]) -> list[Answer]:
        """Do something with both databases of the target at once."""
        return self.access.each_database(self.target, action)

    def counterpart(self, database: SiteDatabase) -> SiteDatabase:
        """Return the same database at the other site."""
        return self.access.database(self.pair.other_than(database.site), database.model)

    def require_lock(self) -> None:
        """Refuse to change anything when the operators' lock is lost.

        Raises:
            LockLostError: it is lost, or may be.
        """
        if self.lock:
            self.lock.require()

    def recall(self, key: str) -> Any:
        """Return what this run remembered; None in a dry run, or when it did not."""
        return self.journal.recall(key) if self.journal else None

    def remember(self, key: str, value: Any) -> None:
        """Keep a value over a kill of this run.

        Raises:
            BlockedError: this is a dry run, in which nothing may happen that has to be remembered.
        """
        if self.journal is None:
            raise BlockedError.because("a dry run has no journal", action="run it with --execute")
        self.journal.remember(key, value)

    def ask_witness(self) -> PairRecord:
        """Return the pair's record as the witness has it now.

        Raises:
            BlockedError: the pair has no record, or another change happened in between.
            WitnessUnreachableError: no quorum answered.
        """
        self._answer = self._own(self.access.witness.see())
        return self._answer[1]

    def last_record(self) -> PairRecord:
        """Return the pair's record as the witness gave it last: its voters may be far away, so it is not asked anew."""
        return self._last_answer()[1]

    def last_lease_holder(self) -> str:
        """Return which site held the lease to write when the witness was asked last; empty for none."""
        return self._last_answer()[0].lease_holder

    def last_holders(self) -> tuple[str, ...]:
        """Return who kept the next epoch from beginning when the witness was asked last: a site, and nodes."""
        return self._last_answer()[0].holders

    def _last_answer(self) -> tuple[Seen, PairRecord]:
        if self._answer is None:
            self._answer = self._own(self.access.witness.see())
        return self._answer

    def _own(self, seen: Seen) -> tuple[Seen, PairRecord]:
        """Return what was seen with its record, which has to be of the epoch that this change ends or begins."""
        record = seen.record
        if record is None:
            raise BlockedError.because(
                f"the witness has no record of {self.pair.name}", action="start the agent of a site"
            )
        if record.epoch != self.epoch and not self.is_made_in(record):
            raise BlockedError.because(
                f"{self.pair.name} is in epoch {record.epoch} with {record.active} active, not in epoch {self.epoch}:"
                f" {record.actor} moved it ({record.reason})",
                action="look at that change; then start a new run",
            )
        return seen, record

    def is_made_in(self, record: PairRecord) -> bool:
        """Whether the next epoch has begun, with the target active, when the witness gave this record."""
        return record.epoch == self.epoch + 1 and record.active == self.target

    def change_record(self, reason: str, **values: object) -> None:
        """Change the witness's record by compare-and-swap; once the target is active there is nothing to change.

        Raises:
            WitnessConflictError: the record was changed by others, also after it was read again.
            WitnessUnreachableError: no quorum answered.
        """
        if not self.try_to_change_record(reason, values) and not self.try_to_change_record(reason, values):
            raise WitnessConflictError(f"{self.pair.name}: others keep changing its record; repeat this command")

    def try_to_change_record(self, reason: str, values: Mapping[str, object], *, without_lease: bool = False) -> bool:
        """Change the record as it was given last; False where it is another one by now, or somebody holds the lease.

        What is there now is then what was given last.

        Raises:
            BlockedError: another change happened in between.
            LockLostError: the operators' lock is not this run's any more.
            WitnessUnreachableError: no quorum answered.
        """
        seen, record = self._last_answer()
        if self.is_made_in(record):
            return True
        signed = record.changed(actor=self.actor, reason=reason, **values)
        lock = self.lock.lock if self.lock else None
        done, now = self.access.witness.attempt(seen, signed, without_lease=without_lease, lock=lock)
        self._answer = self._own(now)
        return done
