"""`shopsphere --version`."""

from __future__ import annotations

import sys

import typer

from app import __version__


def version() -> str:
    """Return the version of this checkout: the shop's image has the same one."""
    return __version__


def show_version(wanted: bool) -> None:  # noqa: FBT001 - the shape that typer calls
    """Print it and end, when it is wanted."""
    if wanted:
        sys.stdout.write(f"shopsphere {version()}\n")
        raise typer.Exit
