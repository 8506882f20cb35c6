"""`shopsphere put-in-place`: look ahead or carry out, under a lock of its own, with a journal and in the audit log."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from runbooks.audit_trail import AuditTrail
from runbooks.engine import (
    DryRun,
    Journal,
    Runbook,
    RunFacts,
    RunRecord,
    load_runbook,
    look_ahead,
    run_runbook,
    write_report,
)
from runbooks.operator_lock import operator_lock, owner_now
from runbooks.pair_access import PairAccess
from runbooks.putting_in_place.copy import Copy
from runbooks.putting_in_place.records import REPLACEMENTS
from runbooks.putting_in_place.replacement import DROP, REPLACE, RUNBOOK, UNDO, VARIANTS, Replacement
from runbooks.putting_in_place.swapping import COMING
from runbooks.recorded_run import REPORT, kept_or_said, noted, opened_journal, records_for_a_run
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.kept_databases import KeptDatabase, before_name, restored_name
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.topology import Topology
from shopsphere.witness.access import operated_witness
from shopsphere.witness.operators import acting_as

FOLDER = Path(__file__).parent.parent / RUNBOOK
LOOK_SECONDS = 120.0
"""Bound on a dry run (s): rows of both databases are counted."""


@dataclass(frozen=True)
class ReplacementRequest:
    """What an operator asks for.

    Attributes:
        pair: its name.
        environment: lab or prod.
        model: commerce or ledger.
        folder: of the copy that is to be put in place; None for nothing to load.
        undo: name of the database that is to be live again; empty for none.
        drop: name of the database that is to be removed; empty for none.
        named: name that was typed to say that the losses were read.
        reason: why, in the operator's words.
        erasures_unknown: it is accepted that nobody knows who was erased.
    """

    pair: str
    environment: Environment
    model: DatabaseModel
    folder: Path | None = None
    undo: str = ""
    drop: str = ""
    named: str = ""
    reason: str = ""
    erasures_unknown: bool = False

    @property
    def variant(self) -> str:
        """How the journal calls it."""
        return UNDO if self.undo else DROP if self.drop else REPLACE


def require_one(request: ReplacementRequest) -> None:
    """Refuse words that ask for nothing, for two things, or for what has another name.

    Raises:
        UsageError: they do.
    """
    asked = [each for each in (request.folder, request.undo, request.drop) if each]
    if len(asked) != 1:
        raise UsageError.build(
            "which database is meant is not clear",
            expected="one of --from FOLDER (put it in place), --undo NAME (take that back), --drop NAME (remove one)",
            found=f"{len(asked)} of them",
            action="name one; `shopsphere drift` names the databases that were kept",
        )
    name = request.undo or request.drop
    kept = KeptDatabase.of(name)
    if name and (kept is None or kept.database != request.model.name):
        raise UsageError.build(
            f"{name!r} is no database that was kept of {request.model.name}",
            expected=f"a name as {before_name(request.model.name, datetime.now(UTC))}",
            found=repr(name),
            action="`shopsphere drift` names the databases that were kept",
        )


def steps_of() -> Runbook:
    """Load the runbook."""
    return load_runbook(FOLDER, variants=VARIANTS)


def look(topology: Topology, request: ReplacementRequest) -> DryRun:
    """Say what would happen, without doing any of it."""
    with closing(operated_witness(request.pair, request.environment)) as witness:
        run = replacement(
            PairAccess(topology, topology.pair(request.pair), request.environment, witness), request, None
        )
        return look_ahead(steps_of(), request.variant, run, seconds=LOOK_SECONDS)


def carry_out(topology: Topology, request: ReplacementRequest) -> Path:
    """Do it, or go on where an earlier run stopped; returns the folder of the report.

    Raises:
        ShopSphereError: what stopped it; the same call goes on from there.
    """
    records = records_for_a_run(request.environment)
    with closing(operated_witness(request.pair, request.environment)) as witness:
        owner = owner_now(acting_as(witness.user), f"put {request.model.name} in place: {request.reason}")
        with operator_lock(witness, owner, rotation=True) as lock:
            access = PairAccess(topology, topology.pair(request.pair), request.environment, witness)
            left = Journal.unfinished(records / REPLACEMENTS, pair=request.pair)
            run = replacement(access, request, left)
            with journal_of(records / REPLACEMENTS, run, left) as journal:
                run = replace(run, journal=journal, lock=lock)
                trail = AuditTrail(records, witness.audit)
                try:
                    drive(run, journal, trail)
                finally:
                    trail.settle()
            reports = records / REPLACEMENTS / "reports" / journal.run
            losses = "; ".join(journal.recall("losses") or ["none were asked for"])
            kept_or_said(REPORT, lambda: write_report(journal.path, reports, {"losses": losses}))
            return reports


def replacement(access: PairAccess, request: ReplacementRequest, left: RunRecord | None) -> Replacement:
    """Return what is asked for, with the names of an unfinished run of the same.

    Raises:
        ShopSphereError: the folder holds no copy, or the database that is to be live again does not say what it was.
    """
    copy = Copy.of(request.folder, request.model.name) if request.folder else None
    run = Replacement(
        access=access,
        model=request.model,
        variant=request.variant,
        coming=copy.name if copy else request.undo or request.drop,
        copy=copy,
        named=request.undo or request.named,
        erasures_unknown=request.erasures_unknown,
        actor=acting_as(access.witness.user),
        reason=request.reason,
    )
    if left and is_same(left, run):
        run.aside = str(left.values["aside"])
    elif request.variant == REPLACE:
        run.aside = before_name(run.live, datetime.now(UTC))
    elif request.variant == UNDO:
        run.aside = _aside_again(run)
    return run


def _aside_again(run: Replacement) -> str:
    """Return the name that the live database gets when the one before is live again: that which it had."""
    there = run.leading().databases()
    known = str(there[run.coming].note.get(COMING, "")) if run.coming in there else ""
    if KeptDatabase.of(known) and known not in there:
        return known
    return restored_name(run.live, datetime.now(UTC))


def is_same(left: RunRecord, run: Replacement) -> bool:
    """Whether an unfinished run is of what is asked for."""
    wanted = {"database": run.live, "coming": run.coming}
    return left.facts.variant == run.variant and all(left.values.get(key) == value for key, value in wanted.items())


def journal_of(directory: Path, run: Replacement, left: RunRecord | None) -> Journal:
    """Return the journal of the unfinished run of the same, or of a new one in the place of another that was left.

    What was loaded and not swapped is given up. What was swapped is finished, or taken back.

    Raises:
        ShopSphereError: an unfinished run has swapped names already, and this is not what takes that back.
    """
    facts = RunFacts(RUNBOOK, run.variant, run.pair.name, run.actor, run.reason)
    if left is not None:
        if is_same(left, run):
            return opened_journal(directory, facts, left)
        _give_up(left, run)
    journal = opened_journal(directory, facts, None)
    try:
        for key, value in (("database", run.live), ("coming", run.coming), ("aside", run.aside)):
            journal.remember(key, value)
    except BaseException:
        journal.close()
        raise
    return journal


def _give_up(left: RunRecord, run: Replacement) -> None:
    names = {key: str(left.values.get(key, "")) for key in ("database", "coming", "aside")}
    model = next((each for each in DATABASES if each.name == names["database"]), run.model)
    before = replace(run, model=model, coming=names["coming"], aside=names["aside"])
    swapped = left.facts.variant in {REPLACE, UNDO} and before.is_swapped()
    takes_back = run.variant == UNDO and run.coming == names["aside"]
    if swapped and not takes_back:
        raise ShopSphereError.build(
            f"{run.pair.name}: an unfinished run is not at its end yet",
            expected=f"{left.run} to be finished: {names['database']} and {names['coming']}",
            found=f"{run.variant} of {run.live} and {run.coming}",
            action="call the command that started it again; or take it back with --undo "
            f"{names['aside'] or 'NAME'} --database {names['database'] or 'NAME'}",
        )
    with Journal.resume(left.path, actor=run.actor) as earlier:
        earlier.abandon(actor=run.actor, reason=f"given up for {run.variant} of {run.coming}: {run.reason}")


def drive(run: Replacement, journal: Journal, trail: AuditTrail) -> None:
    """Carry the steps out, and note it in the audit log.

    Raises:
        StepFailedError: names the step; the run can be resumed, or has ended where it changed nothing.
    """

    def note(event: str) -> None:
        trail.note(
            {
                "event": event,
                "runbook": RUNBOOK,
                "pair": run.pair.name,
                "variant": run.variant,
                "database": run.live,
                "coming": run.coming,
                "aside": run.aside,
                "actor": run.actor,
                "reason": run.reason,
            }
        )

    with noted(journal, run.actor, note):
        run_runbook(steps_of(), run, journal, may_act=run.require_lock)
