"""`shopsphere trace-event`."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from cli.common import In
from cli.pairs import PairName, require_pair
from shopsphere.estate.stack import Environment
from shopsphere.foundation.columns import columns, table, terminal
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.topology import load_topology


def trace_event(
    pair: PairName,
    environment: In = Environment.LAB,
    *,
    product: Annotated[str, typer.Option("--product", help="whose page was looked at; else one of the home page")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a table")] = False,
) -> None:
    """Send one click through a pair's public name, and show when it came to each place on its way."""
    topology = load_topology(environment=environment)
    require_pair(topology, pair)
    from runbooks.event_trace import trace_event as trace  # noqa: PLC0415 - loads the Kubernetes client
    from runbooks.pair_access import PairAccess  # noqa: PLC0415 - see above
    from shopsphere.witness.access import witness_of  # noqa: PLC0415 - see above

    access = PairAccess(topology, topology.pair(pair), environment, witness_of(pair, environment))
    found = trace(access, product)
    if as_json:
        sys.stdout.write(f"{json.dumps(found.document(), indent=2)}\n")
    else:
        sys.stdout.write(f"a look at {found.product} in tab {found.tab}, at {found.pair}\n\n")
        rows = [
            (
                each.place,
                each.site,
                "did not come" if each.milliseconds is None else f"{each.milliseconds:.0f} ms",
                f"{each.size} B" if each.size else "",
                each.data_class,
                each.says,
                each.kept,
            )
            for each in found.hops
        ]
        screen = terminal()
        for line in table(columns("hop", "site", "#after", "#size", "class", "found", "kept"), rows, screen.width):
            screen.print(line)
    if not found.is_whole:
        raise typer.Exit(ExitCode.FAILED)
