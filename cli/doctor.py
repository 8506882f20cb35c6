"""`shopsphere doctor`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cli.common import In, Target
from shopsphere.estate.stack import Environment, check_target
from shopsphere.foundation.columns import terminal


def doctor(
    target: Target,
    environment: In = Environment.LAB,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="a JSON document instead of a list")] = False,
) -> None:
    """Find what would make a deployment fail, before anything is deployed; read-only, in under 10 s."""
    # The Kubernetes client takes a second to import, so only this verb does.
    from shopsphere.deploy.filling_in import topology_for  # noqa: PLC0415 - see above
    from shopsphere.doctor import examination, render  # noqa: PLC0415 - see above
    from shopsphere.doctor.question import ask_all  # noqa: PLC0415 - see above

    topology = topology_for(target, environment)
    check_target(topology, target)
    found = ask_all(examination.questions(topology, target, environment))
    text = render.as_json(target, environment, found) if as_json else render.as_text(found, terminal().width)
    sys.stdout.write(f"{text}\n")
    raise typer.Exit(render.exit_code(found))
