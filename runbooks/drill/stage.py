"""Where a drill stands: read from the witness and the journals, so that a drill which was killed can go on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from runbooks.change import PLANNED
from runbooks.engine import RunRecord
from runbooks.operate import FAILOVER
from runbooks.readiness.drill_record import DrillRecord
from shopsphere.witness import PairRecord


class Stage(StrEnum):
    """What is next.

    `begin`: nothing was moved. `out`: the failover, which was begun. `back`: the failback, begun or not. `home`: both
    are done. `foreign`: somebody else moved the pair, so that the drill cannot go on.
    """

    BEGIN = "begin"
    OUT = "out"
    BACK = "back"
    HOME = "home"
    FOREIGN = "foreign"


def stage_of(drill: DrillRecord, record: PairRecord, runs: Sequence[RunRecord]) -> Stage:
    """Decide what is next.

    Args:
        drill: its record.
        record: the witness's.
        runs: those of the pair since the drill began. One that is unfinished comes first, also where the witness
            names the new site already.
    """
    left = unfinished(runs)
    if left is not None:
        begun_in = int(left.values.get("epoch", record.epoch))
        stages = {drill.epoch: Stage.OUT, drill.epoch + 1: Stage.BACK}
        return stages.get(begun_in, Stage.FOREIGN) if _is_own(drill, left) else Stage.FOREIGN
    if (record.epoch, record.active) == (drill.epoch, drill.home):
        return Stage.BEGIN
    if any(_is_own(drill, run) and run.values.get("epoch") == drill.epoch for run in runs):
        stands = {(drill.epoch + 1, drill.away): Stage.BACK, (drill.epoch + 2, drill.home): Stage.HOME}
        return stands.get((record.epoch, record.active), Stage.FOREIGN)
    return Stage.FOREIGN


def unfinished(runs: Sequence[RunRecord]) -> RunRecord | None:
    """Return the run without an end, if there is one."""
    return next((run for run in runs if run.end is None), None)


def _is_own(drill: DrillRecord, run: RunRecord) -> bool:
    facts = run.facts
    return (facts.runbook, facts.variant, facts.reason) == (FAILOVER, PLANNED, drill.run_reason)
