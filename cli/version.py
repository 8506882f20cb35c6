"""`shopsphere --version`."""

from __future__ import annotations

import re
import sys

import typer

from shopsphere.foundation.paths import REPOSITORY


def version() -> str:
    """Return the version of this checkout: app/__init__.py has it, and is read, for the shop is imported nowhere."""
    text = (REPOSITORY / "app" / "__init__.py").read_text()
    found = re.search(r'^__version__ = "([^"]+)"', text, re.MULTILINE)
    return found[1] if found else "unknown"


def show_version(wanted: bool) -> None:  # noqa: FBT001 - the shape that typer calls
    """Print it and end, when it is wanted."""
    if wanted:
        sys.stdout.write(f"shopsphere {version()}\n")
        raise typer.Exit
