"""`shopsphere up|preview|destroy`."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.common import In, Refresh, Target
from shopsphere.estate.stack import Environment, check_target
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology

VERIFY_SECONDS = 420.0  # a first deployment on two cores: initdb, base backup, migrations and rollouts take about half

Verify = Annotated[
    float, typer.Option("--verify-seconds", min=0, help="bound on the wait until all is ready; 0 does not wait")
]
# Pulumi's libraries take seconds to import, so they are imported by the verbs that need them.


def up(
    target: Target,
    environment: In = Environment.LAB,
    *,
    refresh: Refresh = False,
    verify_seconds: Verify = VERIFY_SECONDS,
) -> None:
    """Deploy: recovery sites first, then primaries, then the edge; the policy pack judges every stack."""
    topology = load_topology()
    check_target(topology, target)
    from shopsphere.deploy import display, runner, verbs, waves  # noqa: PLC0415 - see above

    plan = waves.deployment_plan(topology, target, environment)
    work = verbs.up_work(topology, target, refresh=refresh, verify_seconds=verify_seconds)
    runner.run_plan(plan, work, display.Display())


def preview(
    target: Target,
    environment: In = Environment.LAB,
    *,
    refresh: Refresh = False,
    expect_no_changes: Annotated[
        bool, typer.Option("--expect-no-changes", help="exit with 7 when anything would change")
    ] = False,
) -> None:
    """Say what `up` would change, judged by the policy pack."""
    topology = load_topology()
    check_target(topology, target)
    from shopsphere.deploy import display, runner, verbs, waves  # noqa: PLC0415 - see above

    changes = verbs.Changes({})
    plan = waves.deployment_plan(topology, target, environment)
    runner.run_plan(plan, verbs.preview_work(topology, changes, refresh=refresh), display.Display())
    if expect_no_changes:
        changes.require_none()


def destroy(
    target: Target,
    environment: In = Environment.LAB,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
) -> None:
    """Remove every resource of the target, the primary site first; the edge only with `edge` or `all`."""
    topology = load_topology()
    check_target(topology, target)
    from shopsphere.deploy import display, runner, verbs, waves  # noqa: PLC0415 - see above

    plan = waves.removal_plan(topology, target, environment)
    names = ", ".join(stack.label for stack in plan.stacks)
    if not yes and not typer.confirm(f"Remove everything of {names} in {environment}, databases included?"):
        raise ShopSphereError("nothing was removed")
    runner.run_plan(plan, verbs.destroy_work(), display.Display())
