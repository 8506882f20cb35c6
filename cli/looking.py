"""`shopsphere status`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.common import In, Target
from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, check_target, edge_stack, site_stack, sites_of
from shopsphere.foundation.clock import SYSTEM_CLOCK
from shopsphere.foundation.columns import terminal
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.topology import Topology, load_topology

if TYPE_CHECKING:
    from runbooks.restore.restorable import Archives
    from shopsphere.status.model import Status

WATCH_SECONDS = 5.0


def status(
    target: Target,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of tables")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="again every 5 s, until interrupted")] = False,
) -> None:
    """Show what is there now: roles, pods, power, storage, replication, restorable times, what public names answer."""
    topology = load_topology(environment=environment)
    check_target(topology, target)
    # The Kubernetes client takes a second to import, so only this verb does.
    from runbooks.restore.restorable import Archives  # noqa: PLC0415 - see above
    from shopsphere.status import render  # noqa: PLC0415 - see above

    archives = Archives(topology, environment)
    while True:
        found = _look(topology, target, environment, archives)
        if watch and sys.stdout.isatty():
            typer.echo("\x1b[H\x1b[2J", nl=False)
        if as_json:
            sys.stdout.write(f"{render.as_json(found)}\n")
        else:
            render.show(found, terminal())
        if not watch:
            break
        SYSTEM_CLOCK.sleep(WATCH_SECONDS)
    if not found.is_well:
        raise typer.Exit(ExitCode.FAILED)


def _look(topology: Topology, target: str, environment: Environment, archives: Archives) -> Status:
    from shopsphere.status import edge_names, pairs, sites  # noqa: PLC0415 - see above
    from shopsphere.status.disagreement import disagreements  # noqa: PLC0415 - see above
    from shopsphere.status.model import Status  # noqa: PLC0415 - see above

    stacks = [site_stack(topology, site, environment) for site in sites_of(topology, target)]
    with_names = target in (EDGE, EVERYTHING) or target in topology.pairs
    asked = {stack.region for stack in stacks} & set(topology.pairs)
    archives.ask(asked)  # they answer while the others are asked
    at_sites = sites.site_statuses(topology, stacks)
    names = edge_names.ask_names(topology, edge_stack(environment), target) if with_names else ()
    at_witnesses = pairs.ask_witnesses(asked, environment)
    between = tuple(disagreements(at_sites, at_witnesses))
    return Status(at_sites, names, at_witnesses, between, archives.told(asked))
