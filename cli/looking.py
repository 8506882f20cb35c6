"""`shopsphere status`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console

from cli.common import In, Target
from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, check_target, edge_stack, site_stack, sites_of
from shopsphere.topology import load_topology

PLAIN_WIDTH = 200  # a pipe has no width: wide enough that no cell is cut


def status(
    target: Target,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of tables")] = False,
) -> None:
    """Show what is there now: roles, pods, power, storage, replication and what public names answer."""
    topology = load_topology()
    check_target(topology, target)
    # The Kubernetes client takes a second to import, so only this verb does.
    from shopsphere.status import edge_names, pairs, render, sites  # noqa: PLC0415 - see above
    from shopsphere.status.model import Status  # noqa: PLC0415 - see above

    stacks = [site_stack(topology, site, environment) for site in sites_of(topology, target)]
    with_names = target in (EDGE, EVERYTHING) or target in topology.pairs
    found = Status(
        sites.site_statuses(topology, stacks),
        edge_names.ask_names(topology, edge_stack(environment), target) if with_names else (),
        pairs.ask_witnesses({stack.region for stack in stacks} & set(topology.pairs), environment),
    )
    if as_json:
        sys.stdout.write(f"{render.as_json(found)}\n")
    else:
        render.show(found, Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH, highlight=False))
    if not found.is_well:
        raise typer.Exit(1)
