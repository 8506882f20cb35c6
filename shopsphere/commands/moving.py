"""`shopsphere failover`: the active site of a pair moves, planned or not."""

from __future__ import annotations

from typing import Annotated

import typer

from components.topology import load_topology
from shopsphere.commands.common import In
from shopsphere.deploy.stack import Environment
from shopsphere.errors import UsageError
from shopsphere.progress import say

PairName = Annotated[str, typer.Argument(metavar="PAIR", help="rdc-a, rdc-b or rdc-c", show_default=False)]


def failover(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    planned: Annotated[bool, typer.Option("--planned", help="the active site lives: nothing is lost")] = False,
    unplanned: Annotated[bool, typer.Option("--unplanned", help="the active site is lost or must be left")] = False,
    execute: Annotated[bool, typer.Option("--execute", help="do it; without this, only say what would happen")] = False,
    to: Annotated[str, typer.Option("--to", metavar="SITE", help="refuse unless this is the other site")] = "",
    reason: Annotated[str, typer.Option("--reason", help="why; goes to the witness and the audit log")] = "",
    accept_data_loss: Annotated[
        bool, typer.Option("--accept-data-loss", help="go on where the witness says that payments may be lost")
    ] = False,
) -> None:
    """Make the other site of a pair the active one. A dry run unless --execute is given."""
    topology = load_topology()
    if planned == unplanned:
        raise UsageError("say which: --planned (the active site lives) or --unplanned (it is lost)")
    if pair not in topology.pairs:
        raise UsageError(f"no pair {pair!r}: expected one of {', '.join(sorted(topology.pairs))}")
    if execute and not reason:
        raise UsageError('say why: --reason "power loss in Frankfurt, incident 4711"')
    # The Kubernetes client takes a second to import, so only this verb does.
    from runbooks import operate  # noqa: PLC0415 - see above
    from runbooks.change import PLANNED, UNPLANNED  # noqa: PLC0415 - see above

    variant = PLANNED if planned else UNPLANNED
    request = operate.Request(pair, environment, variant, to, reason or "dry run", accept_data_loss)
    if execute:
        reports = operate.carry_out(topology, request)
        say(f"done; report: {reports}")
        return
    found = operate.look(topology, request)
    found.show()
    found.require_clear()
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")
