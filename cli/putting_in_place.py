"""`shopsphere put-in-place`: a restored database takes the place of the live one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import Execute, PairName, PlanAsJson, Reason, require_pair, require_reason
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.progress import say
from shopsphere.topology import load_topology


def put_in_place(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    database: Annotated[str, typer.Option("--database", help="commerce or ledger")],
    folder: Annotated[
        Path | None,
        typer.Option("--from", metavar="FOLDER", help="what `restore --beside` made: it becomes the live one"),
    ] = None,
    undo: Annotated[
        str, typer.Option("--undo", metavar="NAME", help="this database, which was live before, becomes live again")
    ] = "",
    drop: Annotated[
        str, typer.Option("--drop", metavar="NAME", help="remove this database, which was kept, for ever")
    ] = "",
    named: Annotated[
        str, typer.Option("--i-mean", metavar="NAME", help="what is lost was read; the plan says which name to type")
    ] = "",
    erasures_unknown: Annotated[
        bool, typer.Option("--erasures-unknown", help="the live database lost the record of who was erased: go on")
    ] = False,
    execute: Execute = False,
    reason: Reason = "",
    as_json: PlanAsJson = False,
) -> None:
    """Put a restored database in the place of the live one, which is kept. A dry run unless --execute is given.

    The live one takes orders until the names are swapped, which takes seconds. It can be stopped anywhere: the same
    command goes on. What would be lost is shown first, and the run waits there until its name is typed.
    """
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    models = {each.name: each for each in DATABASES}
    if database not in models:
        raise UsageError.build(
            "no such database", expected=" or ".join(models), found=database, action="name one of these"
        )
    require_reason(reason, execute=execute)
    from runbooks.putting_in_place import run  # noqa: PLC0415 - the Kubernetes client takes a second to import

    folder = folder.resolve() if folder else None
    request = run.ReplacementRequest(
        pair, environment, models[database], folder, undo, drop, named, reason, erasures_unknown
    )
    run.require_one(request)
    if execute:
        from cli.hangup import go_on_without_terminal  # noqa: PLC0415 - see above

        go_on_without_terminal()
        reports = run.carry_out(topology, request)
        if as_json:
            sys.stdout.write((reports / "report.json").read_text())
        say(f"done; report: {reports}")
        return
    from cli.plans import print_plan, require_clear  # noqa: PLC0415 - see above

    plan = run.look(topology, request)
    head = {"verb": "put-in-place", "pair": pair, "environment": environment, "database": database}
    title = f"put-in-place {pair} ({environment}, {database}, {request.variant}), dry run:"
    print_plan(plan, title=title, head=head, as_json=as_json)
    require_clear(plan, f"put-in-place {pair}")
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")
