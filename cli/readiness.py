"""`shopsphere ready` and `drill`: whether a pair could fail over now; the rehearsal that shows it can."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.common import In
from cli.moving import Execute, PairName, Reason, require_pair, require_reason
from shopsphere.estate.stack import Environment
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology


def ready(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a list")] = False,
) -> None:
    """Say whether a pair could fail over right now: ten checks, read-only, in a few seconds."""
    topology = load_topology()
    require_pair(topology, pair)
    # The Kubernetes client takes a second to import, so only this verb does.
    from runbooks.readiness import render  # noqa: PLC0415 - see above
    from runbooks.readiness.score import readiness_of  # noqa: PLC0415 - see above

    found = readiness_of(topology, pair, environment)
    sys.stdout.write(f"{render.as_json(found) if as_json else render.as_text(found)}\n")
    if not found.is_ready:
        raise typer.Exit(1)


def drill(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    execute: Execute = False,
    reason: Reason = "",
) -> None:
    """Fail a live pair over and back, planned, with checks after each move. A dry run unless --execute is given."""
    topology = load_topology()
    require_pair(topology, pair)
    require_reason(reason, execute=execute)
    from runbooks.drill import there_and_back  # noqa: PLC0415 - see above
    from runbooks.readiness import render  # noqa: PLC0415 - see above

    request = there_and_back.DrillRequest(pair, environment, reason)
    if execute:
        say(f"green; record: {there_and_back.carry_out(topology, request)}")
        return
    outlook = there_and_back.look(topology, request)
    say(render.as_text(outlook.readiness))
    say(f"would go on with {outlook.unfinished}" if outlook.unfinished else f"would begin a drill of {pair}:")
    if outlook.failover:
        outlook.failover.show()
        say("then the same way back, with all checks after each move")
    outlook.require_clear()
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")
