"""`shopsphere up|preview|destroy`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.asking import require_terminal, require_yes
from cli.common import In, Refresh, Target
from shopsphere.estate.stack import Environment, StackId, check_target
from shopsphere.foundation.actor import actor
from shopsphere.foundation.errors import ShopSphereError

if TYPE_CHECKING:
    from shopsphere.deploy.outcomes import PlanOutcome
    from shopsphere.deploy.runner import Work
    from shopsphere.deploy.waves import Plan

VERIFY_SECONDS = 420.0  # a first deployment on two cores: initdb, base backup, migrations and rollouts take about half

Verify = Annotated[
    float, typer.Option("--verify-seconds", min=0, help="bound on the wait until all is ready; 0 does not wait")
]
Diff = Annotated[bool, typer.Option("--diff", help="name each property that changes, old and new; secrets are masked")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask")]
Meant = Annotated[
    list[str] | None,
    typer.Option(
        "--i-mean",
        metavar="STACK/NAME",
        help="what may be deleted or replaced although it holds data or a name",
    ),
]
# Pulumi's libraries take seconds to import, so they are imported by the verbs that need them.


def up(
    target: Target,
    environment: In = Environment.LAB,
    *,
    refresh: Refresh = False,
    verify_seconds: Verify = VERIFY_SECONDS,
    yes: Yes = False,
    plan_file: Annotated[
        Path | None,
        typer.Option("--plan", help="apply what this file of `preview --save-plan` shows, and refuse anything else"),
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="where it asks: show each property that changes, as `preview --diff`")
    ] = False,
    i_mean: Meant = None,
) -> None:
    """Deploy: recovery sites first, then primaries, then the edge; the policy pack judges every stack.

    In the lab it does not ask. In production it shows a preview of all stacks and asks; without a terminal it refuses
    unless --yes or --plan is given. What is applied to a stack is then what was shown: it is previewed once more right
    before, and refused when other resources, operations or values of inputs would change. Not compared are values of
    secrets and what is known only after a resource exists; a change within the seconds between is not seen.

    What holds data or a name is not deleted or replaced unless --i-mean names it, and at an active site not even then.
    In production nothing is deployed to a pair whose witness, or to a site whose agent, does not answer.
    """
    from shopsphere.deploy.filling_in import topology_for  # noqa: PLC0415 - see above

    topology = topology_for(target, environment)
    check_target(topology, target)
    if environment is Environment.PROD and not yes and plan_file is None:
        require_terminal("`up` in production", otherwise="give --plan FILE of a saved preview, or --yes")
    from cli import deployment_record  # noqa: PLC0415 - see above
    from shopsphere.deploy import attended, plans, taking, verbs, waves  # noqa: PLC0415 - see above

    plan = waves.deployment_plan(topology, target, environment)
    meant = taking.meant_of(i_mean or (), plan.stacks)
    saved = None
    if plan_file is not None:
        saved = plans.load(plan_file)
        saved.require(target, environment, plan.stacks)
    _require_armed_pack(plan.stacks)
    attended.require_attended(topology, plan.stacks)
    approved: Mapping[str, str] | None = None
    digest = ""
    if saved is not None:
        approved, digest, refresh = saved.outcome.fingerprints, saved.digest, saved.refresh
    elif environment is Environment.PROD and not yes:
        preview_work = verbs.preview_work(topology, refresh=refresh, meant=meant)
        approved = _approved(plan, preview_work, target, environment, diff=diff)
    work = verbs.up_work(
        topology, target, refresh=refresh, verify_seconds=verify_seconds, approved=approved, meant=meant
    )
    _require_success(deployment_record.carry_out(plan, work, target, environment, digest))


def preview(
    target: Target,
    environment: In = Environment.LAB,
    *,
    refresh: Refresh = False,
    diff: Diff = False,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of lines")] = False,
    save_plan: Annotated[
        Path | None, typer.Option("--save-plan", help="write what is shown to this file, for `up --plan`")
    ] = None,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="exit with 7 when anything would change")
    ] = False,
    i_mean: Meant = None,
) -> None:
    """Say what `up` would change, resource by resource, judged by the policy pack.

    It writes nothing: no secrets, no stack, no configuration. A stack that was never set up is previewed from nothing,
    with throw-away values in place of the secrets that `up` makes.
    """
    from shopsphere.deploy.filling_in import topology_for  # noqa: PLC0415 - see above

    topology = topology_for(target, environment)
    check_target(topology, target)
    from cli import changes  # noqa: PLC0415 - see above
    from shopsphere.deploy import plans, taking, verbs, waves  # noqa: PLC0415 - see above

    plan = waves.deployment_plan(topology, target, environment)
    meant = taking.meant_of(i_mean or (), plan.stacks)
    inputs = plans.inputs_of(plan.stacks) if save_plan else {}
    _require_armed_pack(plan.stacks)
    outcome = _previewed(plan, verbs.preview_work(topology, refresh=refresh, meant=meant))
    if as_json:
        sys.stdout.write(f"{changes.as_json(outcome, target, environment)}\n")
    else:
        changes.show(outcome, diff=diff)
    _require_success(outcome)
    if save_plan:
        saved = plans.SavedPlan(
            target=target,
            environment=environment,
            refresh=refresh,
            made=datetime.now(UTC),
            by=actor(),
            inputs=inputs,
            outcome=outcome,
        )
        plans.save(save_plan, saved)
    if expect_no_changes:
        verbs.require_no_changes(outcome)


def destroy(
    target: Target,
    environment: In = Environment.LAB,
    *,
    yes: Yes = False,
    i_mean: Annotated[
        str, typer.Option("--i-mean", metavar="TARGET", help="the target again, since it holds data or names")
    ] = "",
    leave_ds: Annotated[
        bool, typer.Option("--leave-ds", help="remove the edge although the parent zone shows the DS of its keys")
    ] = False,
) -> None:
    """Remove every resource of the target, the primary site first; the edge only with `edge` or `all`.

    It wants the target named twice, shows what it removes and, unless --yes is given, asks. Refused are a site that the
    witness calls active, the edge while pairs are served, and both while the witness does not answer. Refused is also
    the edge while the parent zone vouches for its keys.
    """
    from shopsphere.deploy.filling_in import topology_for  # noqa: PLC0415 - see above

    topology = topology_for(target, environment)
    check_target(topology, target)
    if not yes and environment is Environment.PROD:
        require_terminal("`destroy` in production", otherwise="run it at a terminal, or give --yes")
    from shopsphere.deploy.removal import require_removable  # noqa: PLC0415 - see above
    from shopsphere.deploy.vouched import require_unvouched  # noqa: PLC0415 - see above

    def check() -> None:
        require_removable(topology, target, environment, i_mean)
        if not leave_ds:
            require_unvouched(topology, target, environment)

    check()
    from cli import changes, deployment_record  # noqa: PLC0415 - see above
    from cli.display import Display  # noqa: PLC0415 - see above
    from shopsphere.deploy import runner, verbs, waves  # noqa: PLC0415 - see above

    plan = waves.removal_plan(topology, target, environment)
    with Display().showing() as display:
        shown = runner.run_plan(plan, verbs.destroy_preview_work(topology), display)
    changes.show(shown)
    _require_success(shown)
    if not any(stack.is_set_up for stack in shown.stacks):
        return
    if not yes:
        require_yes(_removal_question(shown, environment))
    _require_success(deployment_record.carry_out(plan, verbs.destroy_work(check), target, environment))


def _require_armed_pack(stacks: Iterable[StackId]) -> None:
    """Show that every rule of the policy pack refuses what it has to, before stacks are judged by it.

    Raises:
        UnfilledError: files of production have placeholders; said first, as it takes no time.
        PackNotArmedError: a rule does not refuse.
    """
    from cli.display import Display  # noqa: PLC0415 - see above
    from shopsphere.deploy import arming  # noqa: PLC0415 - see above
    from shopsphere.deploy.filling_in import require_filled_in  # noqa: PLC0415 - see above
    from shopsphere.deploy.listening import step  # noqa: PLC0415 - see above

    require_filled_in(stacks)
    with Display().showing() as display, step(display, "policy pack", "canary") as progress:
        progress.note = f"{arming.require_armed_pack()} rules refuse it"


def _require_success(outcome: PlanOutcome) -> None:
    """Accept only an outcome without a failure; a fault of the program comes first, so that its traceback is kept."""
    for region in outcome.regions:
        if region.cause is not None and not isinstance(region.cause, ShopSphereError):
            raise region.cause
    outcome.require_success()


def _removal_question(shown: PlanOutcome, environment: Environment) -> str:
    """Ask with the number of resources of each site: `all` and a slip of the finger look the same until then."""
    parts = [f"{stack.stack} ({stack.planned.changed if stack.planned else 0})" for stack in shown.stacks]
    return f"Remove {_resources(shown)} of {', '.join(parts)} in {environment}, databases included?"


def _resources(outcome: PlanOutcome) -> str:
    count = sum(outcome.changed.values())
    return "1 resource" if count == 1 else f"{count} resources"


def _previewed(plan: Plan, work: Work) -> PlanOutcome:
    from cli.display import Display  # noqa: PLC0415 - see above
    from shopsphere.deploy import runner  # noqa: PLC0415 - see above

    with Display().showing() as display:
        return runner.run_plan(plan, work, display)


def _approved(plan: Plan, work: Work, target: str, environment: Environment, *, diff: bool) -> Mapping[str, str]:
    """Show a preview, ask, and return the fingerprints of what was approved."""
    from cli import changes  # noqa: PLC0415 - see above
    from shopsphere.deploy.summary import counted  # noqa: PLC0415 - see above

    outcome = _previewed(plan, work)
    changes.show(outcome, diff=diff)
    _require_success(outcome)
    if outcome.changed:
        found = counted(change for stack in outcome.stacks if stack.planned for change in stack.planned.changes)
        require_yes(f"Change {_resources(outcome)} of {target} in {environment} ({found}), as shown?")
    return outcome.fingerprints
