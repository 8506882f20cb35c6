"""The programs that the lab runs: used from PATH when the version is right, else built from the Go module proxy."""

from __future__ import annotations

from pathlib import Path

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import tools_directory


class ToolMissingError(ShopSphereError):
    """A program of the lab is not there yet."""


def program(name: str) -> Path:
    """Return the path of one of the lab's programs.

    Raises:
        ToolMissingError: it was not built yet.
    """
    path = tools_directory() / name
    if not path.exists():
        raise ToolMissingError.build(
            f"program {name} is not there",
            expected=str(path),
            found="nothing",
            action="shopsphere lab tools",
        )
    return path
