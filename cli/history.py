"""`shopsphere history`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.common import Of
from cli.pairs import require_pair
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import EVERYTHING, Environment
from shopsphere.foundation.columns import terminal
from shopsphere.topology import load_topology
from shopsphere.topology.completion import completing, pairs


def history(
    pair: Annotated[
        str,
        typer.Argument(
            metavar="[PAIR]",
            help="show only what concerns this pair",
            show_default=False,
            autocompletion=completing(pairs),
        ),
    ] = "",
    environment: Of = Environment.LAB,
    *,
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="number of entries to show, the newest ones")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a table")] = False,
) -> None:
    """Show what was done: deployments, failovers, rebuilds, drills; when, by whom, with what result and report."""
    topology = load_topology(environment=environment)
    if pair:
        require_pair(topology, pair)
    wanted = (pair, *topology.pairs[pair].sites, EVERYTHING) if pair else ()
    from runbooks.history import listing  # noqa: PLC0415 - not every verb needs the runbooks

    found = listing.listing(records_directory(environment), wanted)
    found = listing.Listing(found.entries[-last:], found.unreadable)
    if as_json:
        sys.stdout.write(f"{listing.as_json(found)}\n")
        return
    console = terminal()
    for line in listing.as_lines(found, console.width):
        console.print(line)
