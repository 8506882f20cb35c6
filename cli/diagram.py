"""`shopsphere diagram`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from shopsphere.topology import load_topology


def diagram(
    *, write: Annotated[bool, typer.Option("--write", help="bring docs/architecture.svg up to date")] = False
) -> None:
    """Print the picture of the architecture, drawn from topology.yaml."""
    from shopsphere.topology import diagram as picture  # noqa: PLC0415 - Jinja is needed for nothing else

    text = picture.draw(load_topology())
    if write:
        picture.PICTURE.write_text(text)
    else:
        sys.stdout.write(text)
