"""`shopsphere drift`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.common import In, Target
from shopsphere.estate.stack import Environment, check_target
from shopsphere.foundation.columns import terminal
from shopsphere.topology import load_topology


def drift(
    target: Target,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a list")] = False,
) -> None:
    """Compare what is live with what is declared: changes, additions, losses, objects nobody declared; read-only."""
    topology = load_topology(environment=environment)
    check_target(topology, target)
    # The Kubernetes client takes a second to import, so only this verb does.
    from shopsphere.drift import looking, render  # noqa: PLC0415 - see above

    found = looking.compare(topology, target, environment)
    text = render.as_json(found) if as_json else render.as_text(found, terminal().width)
    sys.stdout.write(f"{text}\n")
    raise typer.Exit(found.exit_code)
