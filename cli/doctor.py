"""`shopsphere doctor`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.common import In, Target
from shopsphere.estate.stack import Environment, check_target
from shopsphere.foundation.columns import terminal
from shopsphere.topology import load_topology


def doctor(
    target: Target,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a list")] = False,
) -> None:
    """Find what would make a deployment fail, before anything is deployed; read-only, in under 10 s."""
    topology = load_topology(environment=environment)
    check_target(topology, target)
    # The Kubernetes client takes a second to import, so only this verb does.
    from shopsphere.doctor import examination, render  # noqa: PLC0415 - see above
    from shopsphere.doctor.question import ask_all  # noqa: PLC0415 - see above

    found = ask_all(examination.questions(topology, target, environment))
    text = render.as_json(target, environment, found) if as_json else render.as_text(found, terminal().width)
    sys.stdout.write(f"{text}\n")
    raise typer.Exit(render.exit_code(found))
