"""Carries a plan out in front of a person, and notes in the history that it was."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from cli.display import Display
from shopsphere.deploy import history
from shopsphere.deploy.outcomes import PlanOutcome
from shopsphere.deploy.runner import Work, run_plan
from shopsphere.deploy.waves import Plan
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.actor import actor
from shopsphere.foundation.progress import say


def carry_out(
    plan: Plan, work: Work, target: str, environment: Environment, digest: str = "", records: Path | None = None
) -> PlanOutcome:
    """Carry a plan out, show its progress and add it to the history, however it ends.

    Args:
        plan: the stacks.
        work: what is done to them.
        target: what the person asked for.
        environment: where.
        digest: of the saved plan that is applied.
        records: folder of the history.
    """
    began, start, who = datetime.now(UTC), time.monotonic(), actor()
    outcome: PlanOutcome | None = None
    try:
        with Display().showing() as display:
            outcome = run_plan(plan, work, display)
    finally:
        record = history.record_of(
            outcome,
            verb=work.verb,
            target=target,
            environment=environment,
            who=who,
            began=began,
            seconds=time.monotonic() - start,
            plan=digest,
        )
        _remember(records or records_directory(environment), record)
    return outcome


def _remember(folder: Path, record: history.DeploymentRecord) -> None:
    try:
        history.append(folder, record)
    except OSError as error:
        # What was deployed is deployed: its result does not depend on the history, but the person has to know.
        say(f"warning: {folder / history.FILE}: this {record.verb} is not in the history ({error.strerror or error})")
