"""`shopsphere --version`."""

from __future__ import annotations

import re
import sys

import typer

from shopsphere.foundation.paths import REPOSITORY


def version() -> str:
    """Return the version of this checkout, as app/__init__.py has it; "unknown" when that says none.

    It is read, not imported: the command stands beside the shop, not on it.
    """
    found = re.search(r'^__version__ = "([^"]+)"', (REPOSITORY / "app/__init__.py").read_text(), re.MULTILINE)
    return found[1] if found else "unknown"


def show_version(wanted: bool) -> None:  # noqa: FBT001 - the shape that typer calls
    """Print it and end, when it is wanted."""
    if wanted:
        sys.stdout.write(f"shopsphere {version()}\n")
        raise typer.Exit
