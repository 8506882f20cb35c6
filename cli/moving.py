"""The verbs that move a pair's active site, and that make a site which was left a copy again."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import (
    AcceptDataLoss,
    Execute,
    PairName,
    PlanAsJson,
    Reason,
    To,
    complete_sites,
    require_pair,
    require_pair_of,
    require_places,
    require_reason,
    require_site,
)
from cli.plans import go
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, UsageError, one_line
from shopsphere.foundation.process import run
from shopsphere.foundation.progress import say
from shopsphere.foundation.typed_commands import as_typed
from shopsphere.topology import load_topology

_CALL_SECONDS = 30.0
_WORDS = 4
"""Least number of words in a reason for break-glass."""


def failover(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    planned: Annotated[bool, typer.Option("--planned", help="the active site works: nothing is lost")] = False,
    unplanned: Annotated[bool, typer.Option("--unplanned", help="the active site is lost or must be left")] = False,
    abort: Annotated[
        bool, typer.Option("--abort", help="take back a failover that has not begun the next epoch")
    ] = False,
    execute: Execute = False,
    to: To = "",
    reason: Reason = "",
    accept_data_loss: AcceptDataLoss = False,
    as_json: PlanAsJson = False,
) -> None:
    """Make the other site of a pair the active one. A dry run unless --execute is given.

    With --to a site that is active already, its unfinished change is finished.
    """
    topology = load_topology(environment=environment)
    if planned + unplanned + abort != 1:
        raise UsageError("say which: --planned (the active site works), --unplanned (it is lost), or --abort")
    require_pair(topology, pair)
    require_site(topology, pair, to, "--to")
    require_reason(reason, execute=execute)
    from runbooks import operate  # noqa: PLC0415 - the Kubernetes client takes a second to import
    from runbooks.change import PLANNED, UNPLANNED  # noqa: PLC0415 - see above

    runbook = operate.ABORT if abort else operate.FAILOVER
    variant = None if abort else PLANNED if planned else UNPLANNED
    request = operate.Request(runbook, pair, environment, variant, to, reason, accept_data_loss)
    go(topology, request, verb="failover --abort" if abort else "failover", execute=execute, as_json=as_json)


def failback(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    execute: Execute = False,
    reason: Reason = "",
    as_json: PlanAsJson = False,
) -> None:
    """Make a pair's own primary site the active one again, planned. A dry run unless --execute is given.

    It is `failover --planned --to` that site, and so cannot lead away from it. At home there is nothing to do.
    """
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    require_reason(reason, execute=execute)
    from runbooks import operate  # noqa: PLC0415 - see above
    from runbooks.change import PLANNED  # noqa: PLC0415 - see above
    from runbooks.home import at_home  # noqa: PLC0415 - see above
    from shopsphere.witness.access import witness_of  # noqa: PLC0415 - see above

    home = topology.pairs[pair]
    with closing(witness_of(pair, environment)) as witness:
        nothing = at_home(home, witness, records_directory(environment))
    if nothing:
        sys.stdout.write(
            json.dumps({"verb": "failback", "pair": pair, "nothing_to_do": nothing}) if as_json else nothing
        )
        sys.stdout.write("\n")
        return
    request = operate.Request(
        operate.FAILOVER, pair, environment, PLANNED, home.primary, reason, accept_data_loss=False
    )
    go(topology, request, verb="failback", execute=execute, as_json=as_json)


def rebuild(
    site: Annotated[
        str,
        typer.Argument(
            metavar="SITE", help="the site that was left", show_default=False, autocompletion=complete_sites
        ),
    ],
    environment: In = Environment.LAB,
    *,
    execute: Execute = False,
    reason: Reason = "",
    accept_data_loss: AcceptDataLoss = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="make a whole new copy, also of a database that can be rewound")
    ] = False,
    as_json: PlanAsJson = False,
) -> None:
    """Make a site that was left a copy of the active one; what only it had is kept. A dry run without --execute.

    A database that follows and only has more than the active site is rewound, which takes seconds or minutes; every
    other one is copied anew.
    """
    topology = load_topology(environment=environment)
    pair = require_pair_of(topology, site)
    require_reason(reason, execute=execute)
    from runbooks import operate  # noqa: PLC0415 - see above

    request = operate.Request(
        operate.REBUILD, pair.name, environment, None, site, reason, accept_data_loss, whole=whole
    )
    go(topology, request, verb="rebuild", execute=execute, as_json=as_json)


def break_glass(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    execute: Execute = False,
    to: To = "",
    reason: Reason = "",
    accept_data_loss: AcceptDataLoss = False,
    site_is_off: Annotated[
        str,
        typer.Option(
            "--site-is-off",
            metavar="SITE",
            help="this site (or NODE,NODE of it) is off and stays off: somebody at the site confirmed it",
            autocompletion=complete_sites,
        ),
    ] = "",
    as_json: PlanAsJson = False,
) -> None:
    """Let a site of a pair write while the witness has no quorum. A dry run unless --execute is given."""
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    require_site(topology, pair, to, "--to")
    require_places(topology, pair, site_is_off, "--site-is-off")
    if execute and len(reason.split()) < _WORDS:
        raise UsageError(f"say why in {_WORDS} words or more: --reason; it is what the audit log will show")
    from runbooks import operate  # noqa: PLC0415 - see above

    request = operate.Request(operate.BREAK_GLASS, pair, environment, None, to, reason, accept_data_loss, site_is_off)
    go(topology, request, verb="break-glass", execute=execute, as_json=as_json)


def watch(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    execute: Annotated[bool, typer.Option("--execute", help="fail over unattended; without this, only report")] = False,
    call: Annotated[
        str,
        typer.Option("--call", metavar="COMMAND", help="calls a person; gets what there is to say as last argument"),
    ] = "",
) -> None:
    """Watch whether a site takes writes, until interrupted; with --execute, make the other one active if none does.

    Databases and shop of the active site are looked at, too. When they do not serve customers, or nobody knows, a
    person is called.
    """
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    from runbooks import operate  # noqa: PLC0415 - see above
    from runbooks.agent.loops import Loop  # noqa: PLC0415 - see above
    from runbooks.agent.rhythm import VOTERS_EVERY  # noqa: PLC0415 - see above
    from runbooks.beginning import MayBegin  # noqa: PLC0415 - see above
    from runbooks.change import UNPLANNED  # noqa: PLC0415 - see above
    from runbooks.pair_access import PairAccess  # noqa: PLC0415 - see above
    from runbooks.service import ServiceLook, look_at_service  # noqa: PLC0415 - see above
    from runbooks.watch import Watcher  # noqa: PLC0415 - see above
    from shopsphere.witness import WitnessUnreachableError  # noqa: PLC0415 - see above
    from shopsphere.witness.access import require_operator, witness_of  # noqa: PLC0415 - see above

    def move(reason: str, may_begin: MayBegin) -> None:
        request = operate.Request(operate.FAILOVER, pair, environment, UNPLANNED, "", reason, accept_data_loss=False)
        say(f"report: {operate.carry_out(topology, request, may_begin)}")

    def tell(line: str) -> None:
        say(f"{datetime.now(UTC):%H:%M:%S}  {line}")

    way = "moving it when no site takes writes and nothing would be lost" if execute else "only saying what there is"
    tell(f"watching {pair} ({environment}), {way}; Ctrl-C ends it")

    def call_person(line: str) -> None:
        tell(f"CALLING A PERSON: {line}")
        if not call:
            return
        try:
            run([*shlex.split(call), as_typed(f"{pair} ({environment}): {line}")], seconds=_CALL_SECONDS)
        except (ShopSphereError, ValueError, OSError) as error:
            tell(f"NOBODY WAS CALLED: {one_line(error)}")

    if execute:  # nobody is there to read why a move cannot begin
        try:
            require_operator(pair, environment)
        except WitnessUnreachableError as error:
            tell(f"whether this machine has an operator's keys is not known: {one_line(error)}")
    witness = witness_of(pair, environment)
    access = PairAccess(topology, topology.pair(pair), environment, witness_of(pair, environment), role=Role.WATCH)
    service = ServiceLook(lambda: look_at_service(access))
    service.start()
    Loop(witness.prefer_fastest, lambda: VOTERS_EVERY, tell).start()
    Watcher(witness, move if execute else None, tell, service.last, call_person).run()
