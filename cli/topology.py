"""`shopsphere topology check|schema`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology import report as actions

app = typer.Typer(no_args_is_help=True, suggest_commands=False, help="The one source: topology.yaml.")


@app.command()
def check(file: Annotated[Path, typer.Argument(help="the document to validate")] = TOPOLOGY_FILE) -> None:
    """Validate the topology, and what differs in each environment."""
    sys.stdout.write(f"{actions.check(file)}\n")


@app.command()
def schema(
    *, write: Annotated[bool, typer.Option("--write", help="bring docs/topology.schema.json up to date")] = False
) -> None:
    """Print the JSON Schema of the topology."""
    sys.stdout.write(actions.schema(write=write))
