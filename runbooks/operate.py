"""Moving a pair: find out from where to where, look ahead or carry out, and leave a record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from runbooks.audit_trail import AuditTrail
from runbooks.beginning import Beginning, MayBegin
from runbooks.change import MOVE, PLANNED, STAY, UNPLANNED, RoleChange
from runbooks.clicks_left import clicks_left
from runbooks.cluster_change import mark_clusters
from runbooks.direction import Direction, require_not_begun, resumed, witnessed
from runbooks.engine import (
    DryRun,
    Journal,
    Runbook,
    RunFacts,
    RunRecord,
    StepFailedError,
    load_runbook,
    look_ahead,
    run_runbook,
    write_report,
)
from runbooks.operator_lock import OperatorLock, operator_lock, owner_now
from runbooks.outside import Outside
from runbooks.pair_access import PairAccess
from runbooks.permit import OtherPermitError
from runbooks.recorded_run import AUDIT_END, REPORT, kept_or_said, records_for_a_run
from runbooks.unwitnessed import direction_without_witness
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, one_line
from shopsphere.topology import Topology
from shopsphere.witness import Sync, Witness
from shopsphere.witness.access import operated_witness
from shopsphere.witness.operators import acting_as

FOLDER = Path(__file__).parent
FAILOVER, ABORT, REBUILD, BREAK_GLASS = "failover", "abort", "rebuild", "break_glass"
_MOVES = (FAILOVER, BREAK_GLASS)
_VARIANTS = {
    FAILOVER: frozenset({PLANNED, UNPLANNED}),
    ABORT: frozenset[str](),
    REBUILD: frozenset[str](),
    BREAK_GLASS: frozenset({MOVE, STAY}),
}


@dataclass(frozen=True)
class Request:
    """What an operator asks for.

    Attributes:
        runbook: failover, abort, rebuild or break_glass.
        pair: name of the pair.
        environment: lab or prod.
        variant: planned or unplanned for a failover; None for the others.
        target: site that it is done to; empty for the one that is not active.
        reason: why, in the operator's words.
        accept_data_loss: acknowledged payments may be lost.
        site_is_off: site that is off and stays off, as the operator says, or nodes of it with commas between.
        whole: a rebuild makes a whole new copy, also where a rewind would do.
    """

    runbook: str
    pair: str
    environment: Environment
    variant: str | None
    target: str
    reason: str
    accept_data_loss: bool
    site_is_off: str = ""
    whole: bool = False


def steps_of(request: Request) -> Runbook:
    """Load the runbook that is asked for."""
    return load_runbook(FOLDER / request.runbook, variants=_VARIANTS[request.runbook])


def look(topology: Topology, request: Request) -> DryRun:
    """Say what would happen, without doing any of it."""
    with closing(operated_witness(request.pair, request.environment)) as witness:
        change = _change(topology, request, witness, None)
        return look_ahead(steps_of(request), change.variant or None, change)


def carry_out(topology: Topology, request: Request, may_begin: MayBegin | None = None) -> Path:
    """Move the pair, or go on where an earlier run stopped; returns the folder of the report.

    Args:
        topology: that the pair is of.
        request: what is asked for.
        may_begin: called once, before the first change of the pair, when all has been looked at; raises what keeps the
            run from it, and then nothing was changed. Where there is an earlier run to go on with, it is called first:
            that one stays as it is until then. What it is given asks the agents of the site that is left anew.

    Raises:
        ShopSphereError: what stopped it; the same call goes on from there.
    """
    runbook, directory = steps_of(request), records_for_a_run(request.environment)
    with closing(operated_witness(request.pair, request.environment)) as witness:
        witness.prefer_fastest()
        with _alone(request, witness) as lock:
            left = _worth_going_on(directory, request, acting_as(witness.user))
            begins = Beginning(may_begin) if may_begin else None
            if left and begins:
                begins.wait()
            change = _change(topology, request, witness, left)
            with _journal(directory, request, change, left) as journal:
                change = replace(change, journal=journal, lock=lock)
                if (request.runbook, change.variant) == (FAILOVER, UNPLANNED):
                    change.source_look()  # a later step needs the answer
                for name in ("source", "target", "epoch"):
                    journal.remember(name, getattr(change, name))
                mark_clusters(change)
                trail = AuditTrail(directory, witness.audit)
                try:
                    with Outside(change.access) if request.runbook in _MOVES else nullcontext() as outside:
                        _run(runbook, change, journal, lambda event: trail.note(_facts(event, request, change)), begins)
                finally:
                    trail.settle()
                measured = {**outside.report(), **_loss(change), **clicks_left(change)} if outside else {}
            reports = directory / "reports" / journal.run
            kept_or_said(REPORT, lambda: write_report(journal.path, reports, measured))
            return reports


def _run(
    runbook: Runbook,
    change: RoleChange,
    journal: Journal,
    note: Callable[[str], None],
    begins: Beginning | None,
) -> None:
    def may_act() -> None:
        if begins and not journal.touched:
            begins.wait(change.ask_source_anew)
        change.require_lock()

    note("begin")
    try:
        run_runbook(runbook, change, journal, may_act=may_act)
    except StepFailedError as error:
        note("stop")
        if not journal.touched:  # a refusal is no unfinished change
            journal.abandon(actor=change.actor, reason=f"this run changed nothing: {one_line(error)}")
        elif isinstance(error.__cause__, OtherPermitError):  # its epoch is used up: the next one begins anew
            journal.abandon(actor=change.actor, reason=f"this run can never end: {one_line(error.__cause__)}")
        raise
    kept_or_said(AUDIT_END, lambda: note("end"))


def _worth_going_on(directory: Path, request: Request, actor: str) -> RunRecord | None:
    """Return the unfinished run of a pair; one that changed nothing is ended: what it knows is old."""
    left = Journal.unfinished(directory, pair=request.pair)
    if left is None or left.touched:
        return left
    with Journal.resume(left.path, actor=actor) as earlier:
        earlier.abandon(actor=actor, reason=f"it was ended before it changed anything; begun anew: {request.reason}")
    return None


def _loss(change: RoleChange) -> dict[str, str]:
    """Return what the report says of lost rows; how many orders those were, a rebuild finds out."""
    if change.variant == PLANNED:
        return {"payments_lost": "none: the last row was waited for", "orders_lost": "none: as payments"}
    known = change.recall("sync")
    payments = "none: the witness said sync on" if known == Sync.ON else "perhaps: accepted by the operator"
    return {"payments_lost": payments, "orders_lost": "those of the last moments; a rebuild shows how much"}


def _alone(request: Request, witness: Witness) -> AbstractContextManager[OperatorLock | None]:
    """Keep other operators away; without the witness only those at this machine, by the journal."""
    if request.runbook == BREAK_GLASS:
        return nullcontext()
    return operator_lock(witness, owner_now(acting_as(witness.user), request.reason))


def _journal(directory: Path, request: Request, change: RoleChange, left: RunRecord | None) -> Journal:
    variant = change.variant or None
    if left is None:
        return Journal.start(directory, RunFacts(request.runbook, variant, request.pair, change.actor, request.reason))
    begun, wanted = (left.facts.runbook, left.facts.variant), (request.runbook, variant)
    if _takes_over(begun, wanted):
        if request.runbook == ABORT:
            require_not_begun(change)  # or nobody would know any more that it has to be finished
        with Journal.resume(left.path, actor=change.actor) as earlier:
            earlier.abandon(actor=change.actor, reason=f"goes on as {' '.join(filter(None, wanted))}: {request.reason}")
        facts = RunFacts(request.runbook, variant, request.pair, change.actor, request.reason)
        # One that takes the change back finds its way anew; it must not be what keeps a lost site from being left. Nor
        # must one that leaves a site from which the other one was being rebuilt: where it is refused, nothing is begun.
        is_midway = left.touched and left.facts.runbook == request.runbook == FAILOVER
        return Journal.start(directory, facts, goes_on=left if is_midway else None)
    if begun != wanted:
        raise ShopSphereError.build(
            f"{request.pair}: an unfinished run is of another kind",
            expected=f"{' '.join(filter(None, begun))}, to go on with {left.run}",
            found=f"{request.runbook} {variant or ''}".strip(),
            action="finish that run first",
        )
    return Journal.resume(left.path, actor=change.actor)


def _takes_over(begun: tuple[str, str | None], wanted: tuple[str, str | None]) -> bool:
    """Whether a run may begin, or go on in the same direction, where one of another kind stopped.

    A site may be lost while it is being left in order, or copied from: a rebuild without it never ends. And what has
    not passed the point of no return can be taken back.
    """
    if wanted == (ABORT, None):
        return begun[0] == FAILOVER
    if begun[0] == REBUILD:
        return wanted == (FAILOVER, UNPLANNED) or wanted[0] == BREAK_GLASS
    return begun == (FAILOVER, PLANNED) and wanted == (FAILOVER, UNPLANNED)


def _change(topology: Topology, request: Request, witness: Witness, left: RunRecord | None) -> RoleChange:
    access = PairAccess(topology, topology.pair(request.pair), request.environment, witness)
    direction = _direction(request, access, left)
    if request.target and request.target != direction.target:
        raise ShopSphereError.build(
            f"{request.pair}: {request.target} is not the site for a {request.runbook}",
            expected=f"{direction.target}, because {direction.source} is active in epoch {direction.epoch}",
            found=request.target,
            action="`shopsphere status` shows the roles",
        )
    return RoleChange(
        access=access,
        source=direction.source,
        target=direction.target,
        epoch=direction.epoch,
        variant=direction.variant,
        actor=acting_as(witness.user),
        reason=request.reason,
        accept_data_loss=request.accept_data_loss,
        site_is_off=request.site_is_off,
        whole=request.whole,
    )


def _direction(request: Request, access: PairAccess, left: RunRecord | None) -> Direction:
    unwitnessed = request.runbook == BREAK_GLASS
    if left and (request.runbook == REBUILD or left.facts.runbook != REBUILD):  # a rebuild moves nothing
        begun = left.facts.variant if unwitnessed else request.variant
        if found := resumed(left, begun or ""):
            return found
    if unwitnessed:
        return direction_without_witness(access, request.target)
    return witnessed(access.pair, access.witness, request.variant or "", finish=_finished(request))


def _finished(request: Request) -> str:
    """Return the site that a change is to be finished for when it is active already.

    The journal may be lost with the machine that began it, or a DNS authority may have been away.
    """
    return request.target if request.runbook == FAILOVER else ""


def _facts(event: str, request: Request, change: RoleChange) -> dict[str, object]:
    return {
        "event": event,
        "runbook": request.runbook,
        "pair": request.pair,
        "variant": change.variant,
        "source": change.source,
        "target": change.target,
        "epoch_before": change.epoch,
        "actor": change.actor,
        "reason": request.reason,
        "accept_data_loss": request.accept_data_loss,
        "site_is_off": request.site_is_off,
        "whole": request.whole,
    }
