"""`shopsphere ready` and `drill`: whether a pair could fail over now; the rehearsal that shows it can."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from cli.common import In
from cli.hangup import go_on_without_terminal
from cli.pairs import Execute, PairName, PlanAsJson, Reason, require_pair, require_reason
from cli.plans import print_plan, require_clear
from shopsphere.estate.stack import Environment
from shopsphere.foundation.columns import terminal
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology


def ready(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a list")] = False,
) -> None:
    """Say whether a pair could fail over right now: thirteen checks, read-only, in a few seconds."""
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    # The Kubernetes client takes a second to import, so only this verb does.
    from runbooks.readiness import render  # noqa: PLC0415 - see above
    from runbooks.readiness.score import readiness_of  # noqa: PLC0415 - see above

    found = readiness_of(topology, pair, environment)
    text = render.as_json(found) if as_json else render.as_text(found, terminal().width)
    sys.stdout.write(f"{text}\n")
    if not found.is_ready:
        raise typer.Exit(ExitCode.FAILED)


def drill(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    execute: Execute = False,
    reason: Reason = "",
    as_json: PlanAsJson = False,
) -> None:
    """Fail a live pair over and back, planned, with checks after each move. A dry run unless --execute is given."""
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    require_reason(reason, execute=execute)
    from runbooks.drill import there_and_back  # noqa: PLC0415 - see above
    from runbooks.readiness import render  # noqa: PLC0415 - see above

    request = there_and_back.DrillRequest(pair, environment, reason)
    if execute:
        go_on_without_terminal()
        file = there_and_back.carry_out(topology, request)
        if as_json:
            sys.stdout.write(file.read_text())
        say(f"green; record: {file}")
        return
    outlook = there_and_back.look(topology, request)
    plan = outlook.failover
    next_step = f"would go on with {outlook.unfinished}" if outlook.unfinished else f"would begin a drill of {pair}"
    if as_json:
        document = {
            "verb": "drill",
            "pair": pair,
            "environment": environment,
            "next": next_step,
            "readiness": render.as_document(outlook.readiness),
            "plan": plan.as_document() if plan else None,
        }
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
    else:
        sys.stdout.write(f"{render.as_text(outlook.readiness, terminal().width)}\n\n")
        if plan:
            print_plan(plan, title=f"drill {pair} ({environment}), dry run: {next_step}:", head={}, as_json=False)
            sys.stdout.write("then the same way back, with all checks after each move\n")
        else:
            sys.stdout.write(f"{next_step}\n")
    if plan:
        require_clear(plan, f"drill {pair}")
    outlook.require_clear()
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")
