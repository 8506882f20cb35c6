"""Moving a pair: find out from where to where, look ahead or carry out, and leave a record."""

from __future__ import annotations

import getpass
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from components.topology import Topology
from runbooks.change import PLANNED, UNPLANNED, RoleChange, witness_of
from runbooks.engine import audit
from runbooks.engine.journal import Journal
from runbooks.engine.loader import load_runbook
from runbooks.engine.plan import DryRun, look_ahead
from runbooks.engine.records import RunFacts, RunRecord
from runbooks.engine.report import write_report
from runbooks.engine.runner import run_runbook
from runbooks.engine.steps import Runbook
from runbooks.operator_lock import operator_lock
from runbooks.witness import Witness
from shopsphere.deploy.stack import Environment
from shopsphere.errors import ShopSphereError
from shopsphere.paths import lab_directory

FOLDER = Path(__file__).parent
FAILOVER, REBUILD = "failover", "rebuild"
_VARIANTS = {FAILOVER: frozenset({PLANNED, UNPLANNED}), REBUILD: frozenset[str]()}


@dataclass(frozen=True)
class Request:
    """What an operator asks for.

    Attributes:
        runbook: failover or rebuild.
        pair: name of the pair.
        environment: lab or prod.
        variant: planned or unplanned; None for a rebuild.
        target: site that it is done to; empty for the one that is not active.
        reason: why, in the operator's words.
        accept_data_loss: acknowledged payments may be lost.
    """

    runbook: str
    pair: str
    environment: Environment
    variant: str | None
    target: str
    reason: str
    accept_data_loss: bool


def runs_directory() -> Path:
    """Where journals, reports and the audit log are."""
    return lab_directory() / "runbooks"


def actor() -> str:
    """Who is at the keyboard, and where."""
    return f"{getpass.getuser()} at {socket.gethostname()}"


def steps_of(request: Request) -> Runbook:
    """Load the runbook that is asked for."""
    return load_runbook(FOLDER / request.runbook, variants=_VARIANTS[request.runbook])


def look(topology: Topology, request: Request) -> DryRun:
    """Say what would happen, without doing any of it."""
    witness = witness_of(request.pair, request.environment)
    try:
        change = _change(topology, request, witness, None)
        return look_ahead(steps_of(request), request.variant, change)
    finally:
        witness.close()


def carry_out(topology: Topology, request: Request) -> Path:
    """Move the pair, or go on where an earlier run stopped; returns the folder of the report.

    Raises:
        ShopSphereError: what stopped it; the same call goes on from there.
    """
    runbook, directory = steps_of(request), runs_directory()
    witness = witness_of(request.pair, request.environment)
    try:
        with operator_lock(witness, f"{actor()} since {time.strftime('%H:%M:%S')}: {request.reason}"):
            left = Journal.unfinished(directory, pair=request.pair)
            change = _change(topology, request, witness, left)
            with _journal(directory, request, left) as journal:
                journal.remember("source", change.source)
                journal.remember("target", change.target)
                journal.remember("epoch", change.epoch)
                change.journal = journal
                _note(directory, "begin", request, change)
                run_runbook(runbook, change, journal)
                _note(directory, "end", request, change)
            reports = directory / "reports" / journal.run
            write_report(journal.path, reports)
            return reports
    finally:
        witness.close()


def _journal(directory: Path, request: Request, left: RunRecord | None) -> Journal:
    if left is None:
        return Journal.start(
            directory, RunFacts(request.runbook, request.variant, request.pair, actor(), request.reason)
        )
    begun = (left.facts.runbook, left.facts.variant)
    if begun != (request.runbook, request.variant):
        raise ShopSphereError.build(
            f"{request.pair}: an unfinished run is of another kind",
            expected=f"{' '.join(filter(None, begun))}, to go on with {left.run}",
            found=f"{request.runbook} {request.variant or ''}".strip(),
            action="finish that run first",
        )
    return Journal.resume(left.path, actor=actor())


def _change(topology: Topology, request: Request, witness: Witness, left: RunRecord | None) -> RoleChange:
    pair = topology.pair(request.pair)
    known = left.values if left else {}
    if {"source", "target", "epoch"} <= known.keys():
        source, target, epoch = str(known["source"]), str(known["target"]), int(known["epoch"])
    else:
        record = witness.see().record
        if record is None:
            raise ShopSphereError.build(
                f"{request.pair}: the witness has no record of the pair",
                expected="a record, which a site's agent writes at its first start",
                found="none",
                action=f"`shopsphere up {request.pair}` first",
            )
        source, epoch = record.active, record.epoch
        target = next(site for site in pair.sites if site != source)
    if request.target and request.target != target:
        raise ShopSphereError.build(
            f"{request.pair}: {request.target} is not the site for a {request.runbook}",
            expected=f"{target}, because {source} is active in epoch {epoch}",
            found=request.target,
            action="`shopsphere status` shows the roles",
        )
    return RoleChange(
        topology=topology,
        pair=pair,
        environment=request.environment,
        source=source,
        target=target,
        epoch=epoch,
        variant=request.variant or "",
        actor=actor(),
        reason=request.reason,
        accept_data_loss=request.accept_data_loss,
        witness=witness,
    )


def _note(directory: Path, event: str, request: Request, change: RoleChange) -> None:
    audit.append(
        directory / "audit.jsonl",
        {
            "event": event,
            "runbook": request.runbook,
            "pair": request.pair,
            "variant": request.variant,
            "source": change.source,
            "target": change.target,
            "epoch_before": change.epoch,
            "actor": change.actor,
            "reason": request.reason,
            "accept_data_loss": request.accept_data_loss,
        },
    )
