"""`shopsphere rotate`: new secrets for a pair while it works."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import Execute, PairName, PlanAsJson, Reason, require_pair, require_reason
from shopsphere.estate.stack import Environment
from shopsphere.foundation.columns import terminal
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.progress import say
from shopsphere.topology import Topology, load_topology


def rotate(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    only: Annotated[
        str, typer.Option("--only", metavar="KIND", help="one kind of secret; --list names them. Without it: all")
    ] = "",
    listed: Annotated[
        bool, typer.Option("--list", help="show every kind, when it was renewed and when it ends")
    ] = False,
    sign_out: Annotated[
        bool,
        typer.Option("--sign-out", help="customers with cookies of the key before the present one may be signed out"),
    ] = False,
    execute: Execute = False,
    reason: Reason = "",
    as_json: PlanAsJson = False,
) -> None:
    """Renew keys, passwords and certificates of a pair, one kind after the other. A dry run unless --execute is given.

    Old and new are believed at both sites before the new one is used, so that customers notice nothing. It can be
    stopped anywhere: the same command goes on. A failover does not wait for it.
    """
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    if listed:
        if only or execute or sign_out:
            raise UsageError("--list shows everything and changes nothing: leave the other options out")
        _show(topology, pair, environment, as_json=as_json)
        return
    from runbooks.rotation import run  # noqa: PLC0415 - Pulumi's libraries take seconds to import

    if only:
        run.require_renewable(only)
    require_reason(reason, execute=execute)
    request = run.RotationRequest(pair, environment, only, reason, sign_out)
    if execute:
        from cli.display import Display  # noqa: PLC0415 - see above
        from cli.hangup import go_on_without_terminal  # noqa: PLC0415 - see above

        go_on_without_terminal()
        reports = run.carry_out(topology, request, Display())
        if as_json:
            sys.stdout.write((reports / "report.json").read_text())
        say(f"done; report: {reports}")
        return
    from cli.plans import print_plan, require_clear  # noqa: PLC0415 - see above

    plan = run.look(topology, request)
    head = {"verb": "rotate", "pair": pair, "environment": environment, "only": only or None}
    title = f"rotate {pair} ({environment}, {request.variant}), dry run:"
    print_plan(plan, title=title, head=head, as_json=as_json)
    require_clear(plan, f"rotate {pair}")
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")


def _show(topology: Topology, pair: str, environment: Environment, *, as_json: bool) -> None:
    from runbooks.rotation import listing  # noqa: PLC0415 - see above
    from runbooks.rotation.records import renewed_at, rotations  # noqa: PLC0415 - see above
    from shopsphere.deploy.secrets import read_secrets  # noqa: PLC0415 - see above
    from shopsphere.estate.paths import records_directory  # noqa: PLC0415 - see above
    from shopsphere.estate.stack import site_stack  # noqa: PLC0415 - see above

    secrets = read_secrets(site_stack(topology, topology.pair(pair).primary, environment))
    found = listing.rows(secrets, renewed_at(rotations(records_directory(environment), pair)))
    if as_json:
        sys.stdout.write(f"{listing.as_json(pair, found)}\n")
        return
    console = terminal()
    for line in listing.as_lines(found, datetime.now(UTC), console.width):
        console.print(line)
