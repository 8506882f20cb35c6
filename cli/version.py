"""`shopsphere --version`."""

from __future__ import annotations

import sys
import tomllib

import typer

from shopsphere.foundation.paths import REPOSITORY


def version() -> str:
    """Return the version of this checkout, as pyproject.toml has it."""
    with (REPOSITORY / "pyproject.toml").open("rb") as source:
        return str(tomllib.load(source)["project"]["version"])


def show_version(wanted: bool) -> None:  # noqa: FBT001 - the shape that typer calls
    """Print it and end, when it is wanted."""
    if wanted:
        sys.stdout.write(f"shopsphere {version()}\n")
        raise typer.Exit
