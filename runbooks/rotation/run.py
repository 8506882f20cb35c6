"""`shopsphere rotate`: look ahead or carry out, under a lock of its own, with a journal and in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from runbooks.audit_trail import AuditTrail
from runbooks.engine import (
    DryRun,
    Journal,
    Runbook,
    RunFacts,
    RunRecord,
    Step,
    load_runbook,
    look_ahead,
    run_runbook,
    write_report,
)
from runbooks.operator_lock import operator_lock, owner_now
from runbooks.pair_access import PairAccess
from runbooks.recorded_run import REPORT, kept_or_said, noted, opened_journal, records_for_a_run
from runbooks.rotation.deployment import SiteDeployment
from runbooks.rotation.pair_stacks import PairStacks
from runbooks.rotation.records import ALL, ROTATIONS, renewed_at, rotations, step_name
from runbooks.rotation.renewal_run import Renewal, Rotation
from shopsphere.deploy.listening import Listener, Silent
from shopsphere.estate.paths import records_directory
from shopsphere.estate.renewal import KINDS, NOT_RENEWED, SESSION_KEYS, SecretKind
from shopsphere.estate.stack import Environment, site_stack
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.foundation.progress import say
from shopsphere.topology import Topology
from shopsphere.witness import Witness
from shopsphere.witness.access import operated_witness
from shopsphere.witness.operators import acting_as

FOLDER = Path(__file__).parent.parent / "rotate"
ROTATE = "rotate"
NUMBERS_OF_A_KIND = 20
"""Distance between the numbers of one step in two kinds; a kind has fewer steps."""


@dataclass(frozen=True)
class RotationRequest:
    """What an operator asks for.

    Attributes:
        pair: its name.
        environment: lab or prod.
        only: one kind of secret; empty for all.
        reason: why, in the operator's words.
        sign_out: customers with cookies of the key before the present one may be signed out.
    """

    pair: str
    environment: Environment
    only: str
    reason: str
    sign_out: bool = False

    @property
    def variant(self) -> str:
        """How the journal calls it."""
        return self.only or ALL


def require_renewable(kind: str) -> None:
    """Refuse what a rotation does not renew, and say what does.

    Raises:
        UsageError: it is another secret, or none at all.
    """
    if kind in KINDS:
        return
    known = ", ".join(KINDS)
    if kind in NOT_RENEWED:
        raise UsageError.build(
            f"{kind}: a rotation does not renew these",
            expected=f"one of {known}",
            found=kind,
            action=NOT_RENEWED[kind],
        )
    raise UsageError.build(
        f"no kind of secret {kind!r}", expected=f"one of {known}", found=repr(kind), action="name one of these"
    )


def steps_of(variant: str, without: frozenset[str] = frozenset()) -> Runbook:
    """Return the steps of every kind of a variant, one kind after the other.

    Args:
        variant: one kind's name, or all.
        without: kinds that the pair has none of.
    """
    base = load_runbook(FOLDER, variants=frozenset(KINDS))
    kinds = list(KINDS.values()) if variant == ALL else [KINDS[variant]]
    steps = [
        _step_of(step, kind, NUMBERS_OF_A_KIND * at + step.number)
        for at, kind in enumerate(kinds)
        if kind.name not in without
        for step in base.select(kind.name)
    ]
    return Runbook(ROTATE, FOLDER, tuple(steps), frozenset({variant}))


def _step_of(step: Step, kind: SecretKind, number: int) -> Step:
    """Return a step of the runbook as one kind's: its functions get that kind's part of the run."""

    def renewal(rotation: Rotation) -> Renewal:
        return rotation.of(kind)

    act = step.act
    return replace(
        step,
        number=number,
        name=step_name(kind.name, step.name),
        variants=None,
        check=lambda rotation: step.check(renewal(rotation)),
        act=(lambda rotation: act(renewal(rotation))) if act else None,
        verify=lambda rotation: step.verify(renewal(rotation)),
    )


def look(topology: Topology, request: RotationRequest) -> DryRun:
    """Say what would happen, without doing any of it."""
    left = unfinished(records_directory(request.environment), request)
    with closing(operated_witness(request.pair, request.environment)) as witness:
        rotation = _rotation(topology, request, witness, left, Silent())
        return look_ahead(steps_for(request, rotation), request.variant, rotation)


def unfinished(directory: Path, request: RotationRequest) -> RunRecord | None:
    """Return the pair's unfinished rotation, which has to be of what is asked for.

    Raises:
        ShopSphereError: it is of other kinds.
    """
    left = Journal.unfinished(directory / ROTATIONS, pair=request.pair)
    if left and left.facts.variant != request.variant:
        begun = left.facts.variant or ALL
        raise ShopSphereError.build(
            f"{request.pair}: an unfinished rotation is of other secrets",
            expected=f"`shopsphere rotate {request.pair}{'' if begun == ALL else f' --only {begun}'}`, to go on with "
            f"{left.run}",
            found=f"a rotation of {request.variant}",
            action="finish that one first",
        )
    return left


def carry_out(topology: Topology, request: RotationRequest, listener: Listener) -> Path:
    """Renew secrets, or go on where an earlier run stopped; returns the folder of the report.

    Raises:
        ShopSphereError: what stopped it; the same call goes on from there.
    """
    records = records_for_a_run(request.environment)
    directory = records / ROTATIONS
    with closing(operated_witness(request.pair, request.environment)) as witness:
        who = acting_as(witness.user)
        with operator_lock(witness, owner_now(who, f"rotation: {request.reason}"), rotation=True) as lock:
            left = unfinished(records, request)
            rotation = _rotation(topology, request, witness, left, listener)
            facts = RunFacts(ROTATE, request.variant, request.pair, who, request.reason)
            with opened_journal(directory, facts, left) as journal:
                rotation = replace(rotation, journal=journal, lock=lock)
                if journal.recall("sites") is None:
                    journal.remember("sites", list(rotation.sites))
                trail = AuditTrail(records, witness.audit)
                try:
                    _run(request, rotation, journal, trail, who)
                finally:
                    trail.settle()
            reports = directory / "reports" / journal.run
            kept_or_said(REPORT, lambda: write_report(journal.path, reports, {}))
            return reports


def _run(request: RotationRequest, rotation: Rotation, journal: Journal, trail: AuditTrail, who: str) -> None:
    def note(event: str) -> None:
        trail.note(
            {
                "event": event,
                "runbook": ROTATE,
                "pair": request.pair,
                "variant": request.variant,
                "sign_out": request.sign_out,
                "actor": who,
                "reason": request.reason,
            }
        )

    with noted(journal, who, note):
        run_runbook(steps_for(request, rotation), rotation, journal, may_act=rotation.require_lock)
    if request.environment is Environment.PROD:
        say("the stack files of both sites have new secrets: commit them")


def steps_for(request: RotationRequest, rotation: Rotation) -> Runbook:
    """Return the steps for what the pair has.

    Raises:
        ShopSphereError: it has nothing of the kind that was asked for.
    """
    without = frozenset(name for name, kind in KINDS.items() if not rotation.stacks.have(kind))
    if request.variant in without:
        raise ShopSphereError.build(
            f"{request.pair} has no {request.variant}",
            expected="a pair whose stacks hold them",
            found="none of these secrets in either stack",
            action=f"leave them out: {', '.join(name for name in KINDS if name not in without)}",
        )
    return steps_of(request.variant, without)


def _rotation(
    topology: Topology, request: RotationRequest, witness: Witness, left: RunRecord | None, listener: Listener
) -> Rotation:
    pair = topology.pair(request.pair)
    sites = _sites_of(left) if left else None
    if sites is None:
        active = witness.see().require_record(pair.name).active
        sites = (pair.other_than(active), active)
    return Rotation(
        access=PairAccess(topology, pair, request.environment, witness),
        stacks=PairStacks(tuple(site_stack(topology, site, request.environment) for site in sites)),
        deployment=SiteDeployment(topology, request.environment, listener),
        sites=sites,
        old_sessions_until=_old_sessions_until(topology, request),
        sign_out=request.sign_out,
    )


def _sites_of(left: RunRecord) -> tuple[str, str] | None:
    named: Sequence[str] = left.values.get("sites") or ()
    return (named[0], named[1]) if len(named) == 2 else None  # noqa: PLR2004 the sites of a pair


def _old_sessions_until(topology: Topology, request: RotationRequest) -> datetime | None:
    """Return when the last cookie of the key before the present one ends; None where no record says it."""
    with suppress(ShopSphereError):
        at = renewed_at(rotations(records_directory(request.environment), request.pair)).get(SESSION_KEYS.name)
        return at + timedelta(days=topology.retention.personal.session_days) if at else None
    return None
