"""`shopsphere failover` and `shopsphere rebuild`: a pair's active site moves; a site that was left becomes a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from components.topology import load_topology
from shopsphere.commands.common import In
from shopsphere.deploy.stack import Environment
from shopsphere.errors import UsageError
from shopsphere.progress import say

if TYPE_CHECKING:
    from runbooks.operate import Request

PairName = Annotated[str, typer.Argument(metavar="PAIR", help="rdc-a, rdc-b or rdc-c", show_default=False)]

Execute = Annotated[bool, typer.Option("--execute", help="do it; without this, only say what would happen")]
Reason = Annotated[str, typer.Option("--reason", help="why; goes to the witness and the audit log")]


def failover(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    planned: Annotated[bool, typer.Option("--planned", help="the active site lives: nothing is lost")] = False,
    unplanned: Annotated[bool, typer.Option("--unplanned", help="the active site is lost or must be left")] = False,
    execute: Execute = False,
    to: Annotated[str, typer.Option("--to", metavar="SITE", help="refuse unless this is the other site")] = "",
    reason: Reason = "",
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
    _require_reason(reason, execute=execute)
    from runbooks import operate  # noqa: PLC0415 - the Kubernetes client takes a second to import
    from runbooks.change import PLANNED, UNPLANNED  # noqa: PLC0415 - see above

    variant = PLANNED if planned else UNPLANNED
    _go(operate.Request(operate.FAILOVER, pair, environment, variant, to, reason, accept_data_loss), execute=execute)


def rebuild(
    site: Annotated[str, typer.Argument(metavar="SITE", help="the site that was left", show_default=False)],
    environment: In = Environment.LAB,
    *,
    execute: Execute = False,
    reason: Reason = "",
) -> None:
    """Make a site that was left a copy of the active one; what only it had is kept. A dry run without --execute."""
    topology = load_topology()
    pair = topology.pair_of(topology.site(site).name)
    if pair is None:
        raise UsageError(f"{site} belongs to no pair: expected a site of {', '.join(sorted(topology.pairs))}")
    _require_reason(reason, execute=execute)
    from runbooks import operate  # noqa: PLC0415 - see above

    _go(
        operate.Request(operate.REBUILD, pair.name, environment, None, site, reason, accept_data_loss=False),
        execute=execute,
    )


def _require_reason(reason: str, *, execute: bool) -> None:
    if execute and not reason:
        raise UsageError('say why: --reason "power loss in Frankfurt, incident 4711"')


def _go(request: Request, *, execute: bool) -> None:
    from runbooks import operate  # noqa: PLC0415 - see above

    topology = load_topology()
    if execute:
        say(f"done; report: {operate.carry_out(topology, request)}")
        return
    found = operate.look(topology, request)
    found.show()
    found.require_clear()
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")
