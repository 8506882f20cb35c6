"""`shopsphere diagram`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from components.topology import load_topology
from shopsphere import diagram as picture


def diagram(
    *, write: Annotated[bool, typer.Option("--write", help="bring docs/architecture.svg up to date")] = False
) -> None:
    """Print the picture of the architecture, drawn from topology.yaml."""
    text = picture.draw(load_topology())
    if write:
        picture.PICTURE.write_text(text)
    else:
        sys.stdout.write(text)
