"""One run that puts a database in the place of the live one, takes that back, or removes one: what it knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runbooks.engine import BlockedError, Journal
from runbooks.operator_lock import OperatorLock, operator_lock, owner_now
from runbooks.pair_access import PairAccess
from runbooks.putting_in_place.copy import Copy
from runbooks.putting_in_place.instance import IS, KEPT, Database, Instance
from runbooks.putting_in_place.loading import OF_COPY, STAGE, STAGES
from runbooks.putting_in_place.swapping import Swap, is_swapped
from runbooks.site_database import SiteDatabase
from shopsphere.clients.postgres import leading_pod
from shopsphere.estate.databases import DatabaseModel
from shopsphere.estate.kept_databases import KeptDatabase
from shopsphere.topology import Pair
from shopsphere.witness import PairRecord, Sync
from shopsphere.witness.record import Phase
from shopsphere.witness.seen import Seen

REPLACE, UNDO, DROP = "replace", "undo", "drop"
VARIANTS = frozenset({REPLACE, UNDO, DROP})
RUNBOOK = "put_in_place"


@dataclass
class Replacement:
    """One run.

    Attributes:
        access: the ways to the pair.
        model: commerce or ledger.
        variant: REPLACE, UNDO or DROP.
        coming: name of the database that takes the place of the live one; for DROP, of the one that goes.
        aside: name that the live one gets; empty for DROP.
        copy: what is to be loaded; None where nothing is.
        named: what the operator typed to say that all that is shown was read; empty for nothing.
        erasures_unknown: the operator accepts that nobody knows who was erased.
        actor: who.
        reason: why.
        journal: of this run; None in a dry run.
        lock: of rotations, which keeps nobody from moving the pair; None in a dry run.
    """

    access: PairAccess
    model: DatabaseModel
    variant: str
    coming: str
    aside: str = ""
    copy: Copy | None = None
    named: str = ""
    erasures_unknown: bool = False
    actor: str = ""
    reason: str = ""
    journal: Journal | None = None
    lock: OperatorLock | None = None

    @property
    def pair(self) -> Pair:
        """The pair whose database it is."""
        return self.access.pair

    @property
    def live(self) -> str:
        """Name of the live database."""
        return self.model.name

    @property
    def held_copy(self) -> Copy:
        """The copy that is to be loaded.

        Raises:
            BlockedError: this run has none.
        """
        if self.copy is None:
            raise BlockedError.because("this run loads nothing", action="name a folder: --from")
        return self.copy

    @property
    def at_time(self) -> datetime:
        """The time that the database is of which takes the place of the live one (UTC).

        Raises:
            BlockedError: nothing says it.
        """
        if self.copy:
            return self.copy.to
        kept = KeptDatabase.of(self.coming)
        if kept is None:
            raise BlockedError.because(f"{self.coming} is no name of a kept database", action="name one that was kept")
        return kept.at

    @property
    def moment(self) -> str:
        """The same, as SQL reads it."""
        return self.at_time.astimezone(UTC).isoformat(sep=" ")

    @property
    def verb(self) -> str:
        """How the command of this database begins."""
        return f"shopsphere put-in-place {self.pair.name} --database {self.live}"

    def recall(self, key: str) -> Any:
        """Return what this run remembered; None in a dry run, or when it did not."""
        return self.journal.recall(key) if self.journal else None

    def remember(self, key: str, value: object) -> None:
        """Keep a value over a kill of this run."""
        if self.journal:
            self.journal.remember(key, value)

    def require_lock(self) -> None:
        """Refuse to change anything when the lock of rotations is lost.

        Raises:
            LockLostError: it is lost, or may be.
        """
        if self.lock:
            self.lock.require()

    def require_steady(self, *, own: bool = False) -> PairRecord:
        """Return the pair's record, asked now; refuse while the pair could not bear a fault.

        Args:
            own: this run has the operators' lock itself.

        Raises:
            BlockedError: somebody moves the pair, its active site has no lease, or its ledger is at one site only.
            WitnessUnreachableError: no quorum answered.
        """
        name = self.pair.name
        seen: Seen = self.access.witness.see()
        record = seen.require_record(name)
        mover = None if own else self.access.witness.locked_by()
        if record.phase is not Phase.STEADY or mover:
            raise BlockedError.because(
                f"{name} is being moved: {mover.value if mover else record.reason}",
                action="wait until that is over; then call the same command again, it goes on where it stopped",
            )
        if seen.lease_holder != record.active:
            raise BlockedError.because(
                f"the lease to write is held by {seen.lease_holder or 'nobody'}, not by {record.active}",
                action=f"look at the agent of {record.active}: without the lease that site takes no writes",
            )
        if record.sync is not Sync.ON:
            raise BlockedError.because(
                f"the ledger of {name} is at one site only (sync off)",
                action=f"`shopsphere ready {name}` says why; begin when it passes",
            )
        return record

    def at(self, site: str) -> SiteDatabase:
        """Return the database's cluster at a site."""
        return self.access.database(site, self.model)

    def leading(self) -> Instance:
        """Return the instance that takes writes: that of the site which the witness calls active now.

        Raises:
            ShopSphereError: the witness or the site's API does not answer.
        """
        active = self.access.witness.see().require_record(self.pair.name).active
        return self.leading_at(active)

    def leading_at(self, site: str) -> Instance:
        """Return the instance that leads at a site."""
        cluster, namespace, pod = self.at(site).leader()
        return Instance(cluster, namespace, pod)

    def instances(self) -> list[Instance]:
        """Return all instances of both sites.

        Raises:
            ClusterError: a site's API does not answer.
        """
        found = []
        for site in self.pair.sites:
            document = self.at(site).document()
            names = document.get("status", {}).get("instanceNames") or [leading_pod(document)]
            found += [Instance(self.access.cluster(site), self.model.namespace.name, str(name)) for name in names]
        return found

    def swap(self) -> Swap:
        """Return what is renamed to what."""
        return Swap(self.live, self.aside, self.coming)

    def is_swapped(self, there: dict[str, Database] | None = None) -> bool:
        """Whether the names are those of after the swap."""
        return is_swapped(self.swap(), self.leading().databases() if there is None else there)

    def has_come_to(self, stage: str) -> bool:
        """Whether the database that is to take the place of the live one is as far, or has taken it."""
        there = self.leading().databases()
        if self.is_swapped(there):
            return True
        note = there[self.coming].note if self.coming in there else {}
        if note.get(IS) == KEPT or note.get(OF_COPY) != self.held_copy.id:
            return False
        come = note.get(STAGE)
        return come in STAGES and STAGES.index(come) >= STAGES.index(stage)

    @contextmanager
    def alone(self) -> Iterator[OperatorLock | None]:
        """Keep everybody else from moving the pair, for as long as names are changed.

        Raises:
            WitnessConflictError: somebody moves it.
            WitnessUnreachableError: no quorum answered.
        """
        with operator_lock(self.access.witness, owner_now(self.actor, self.reason)) as lock:
            yield lock
