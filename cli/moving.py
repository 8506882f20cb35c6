"""The verbs that move a pair's active site, and that make a site which was left a copy again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import In
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import UsageError
from shopsphere.foundation.progress import say
from shopsphere.topology import Topology, load_topology
from shopsphere.topology.completion import completing, pairs, sites

if TYPE_CHECKING:
    from runbooks.operate import Request

_SITES = completing(sites)
PairName = Annotated[
    str,
    typer.Argument(metavar="PAIR", help="as in rdc-a", show_default=False, autocompletion=completing(pairs)),
]

Execute = Annotated[bool, typer.Option("--execute", help="do it; without this, only say what would happen")]
Reason = Annotated[str, typer.Option("--reason", help="why; goes to the witness and the audit log")]

_WORDS = 4
"""That a reason for breaking the glass has at least."""


def failover(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    planned: Annotated[bool, typer.Option("--planned", help="the active site lives: nothing is lost")] = False,
    unplanned: Annotated[bool, typer.Option("--unplanned", help="the active site is lost or must be left")] = False,
    abort: Annotated[bool, typer.Option("--abort", help="take back one that has not begun the next epoch")] = False,
    execute: Execute = False,
    to: Annotated[
        str,
        typer.Option(
            "--to", metavar="SITE", help="to be active; if it is, its change is finished", autocompletion=_SITES
        ),
    ] = "",
    reason: Reason = "",
    accept_data_loss: Annotated[
        bool, typer.Option("--accept-data-loss", help="go on where the witness says that payments may be lost")
    ] = False,
) -> None:
    """Make the other site of a pair the active one. A dry run unless --execute is given."""
    topology = load_topology()
    if planned + unplanned + abort != 1:
        raise UsageError("say which: --planned (the active site lives), --unplanned (it is lost), or --abort")
    require_pair(topology, pair)
    require_reason(reason, execute=execute)
    from runbooks import operate  # noqa: PLC0415 - the Kubernetes client takes a second to import
    from runbooks.change import PLANNED, UNPLANNED  # noqa: PLC0415 - see above

    runbook = operate.ABORT if abort else operate.FAILOVER
    variant = None if abort else PLANNED if planned else UNPLANNED
    _go(topology, operate.Request(runbook, pair, environment, variant, to, reason, accept_data_loss), execute=execute)


def failback(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    execute: Execute = False,
    reason: Reason = "",
) -> None:
    """Make a pair's own primary site the active one again, planned. A dry run unless --execute is given.

    It is `failover --planned --to` that site, and so cannot lead away from it: where it is active already, every step
    is found done, or the move is refused because the pair was never moved.
    """
    topology = load_topology()
    require_pair(topology, pair)
    failover(pair, environment, planned=True, execute=execute, to=topology.pairs[pair].primary, reason=reason)


def rebuild(
    site: Annotated[
        str,
        typer.Argument(metavar="SITE", help="the site that was left", show_default=False, autocompletion=_SITES),
    ],
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
    require_reason(reason, execute=execute)
    from runbooks import operate  # noqa: PLC0415 - see above

    _go(
        topology,
        operate.Request(operate.REBUILD, pair.name, environment, None, site, reason, accept_data_loss=False),
        execute=execute,
    )


def break_glass(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    execute: Execute = False,
    to: Annotated[
        str,
        typer.Option("--to", metavar="SITE", help="that is to write; else the passive one", autocompletion=_SITES),
    ] = "",
    reason: Reason = "",
    accept_data_loss: Annotated[
        bool, typer.Option("--accept-data-loss", help="payments of the other site's last moments may be lost")
    ] = False,
    site_is_off: Annotated[
        str,
        typer.Option(
            "--site-is-off",
            metavar="SITE",
            help="it is off and stays off: I have it from the place",
            autocompletion=_SITES,
        ),
    ] = "",
) -> None:
    """Let a site of a pair write while the witness has no quorum. A dry run unless --execute is given."""
    topology = load_topology()
    require_pair(topology, pair)
    for site in filter(None, (to, site_is_off)):
        if site not in topology.pairs[pair].sites:
            raise UsageError(f"no site {site!r} of {pair}: expected {' or '.join(topology.pairs[pair].sites)}")
    if execute and len(reason.split()) < _WORDS:
        raise UsageError(f"say why in {_WORDS} words or more: --reason; it is what the audit log will show")
    from runbooks import operate  # noqa: PLC0415 - see above

    request = operate.Request(operate.BREAK_GLASS, pair, environment, None, to, reason, accept_data_loss, site_is_off)
    _go(topology, request, execute=execute)


def watch(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    execute: Annotated[bool, typer.Option("--execute", help="fail over unattended; without this, only say so")] = False,
) -> None:
    """Watch whether a site takes writes, until interrupted; with --execute, make the other one active if none does."""
    topology = load_topology()
    require_pair(topology, pair)
    from runbooks import operate  # noqa: PLC0415 - see above
    from runbooks.change import UNPLANNED  # noqa: PLC0415 - see above
    from runbooks.watch import Watcher  # noqa: PLC0415 - see above
    from shopsphere.witness.access import witness_of  # noqa: PLC0415 - see above

    def move(reason: str) -> None:
        request = operate.Request(operate.FAILOVER, pair, environment, UNPLANNED, "", reason, accept_data_loss=False)
        say(f"report: {operate.carry_out(topology, request)}")

    def tell(line: str) -> None:
        say(f"{datetime.now(UTC):%H:%M:%S}  {line}")

    Watcher(witness_of(pair, environment), move if execute else None, tell).run()


def require_pair(topology: Topology, pair: str) -> None:
    """Refuse a word that names no pair."""
    if pair not in topology.pairs:
        raise UsageError(f"no pair {pair!r}: expected one of {', '.join(sorted(topology.pairs))}")


def require_reason(reason: str, *, execute: bool) -> None:
    """Refuse to change anything without a reason."""
    if execute and not reason:
        raise UsageError('say why: --reason "power loss in Frankfurt, incident 4711"')


def _go(topology: Topology, request: Request, *, execute: bool) -> None:
    from runbooks import operate  # noqa: PLC0415 - see above

    if execute:
        say(f"done; report: {operate.carry_out(topology, request)}")
        return
    found = operate.look(topology, request)
    found.show()
    found.require_clear()
    say("dry run: nothing was changed; repeat with --execute and --reason to do it")
