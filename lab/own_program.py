"""Programs of this repository that hosts run: other code is another component, so `lab up` restarts it.

What runs would else go on with the code of the checkout as it was, beside commands that are of today.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lab.component import Component
from lab.images.archive import files_digest
from shopsphere.foundation.paths import REPOSITORY, cache_directory

SOURCES = "SHOPSPHERE_SOURCES"
"""Variable of such a program, with the digest of its code."""


def own_program(
    name: str,
    module: str,
    *arguments: str,
    packages: tuple[str, ...],
    files: tuple[Path, ...] = (),
    environment: Mapping[str, str] | None = None,
    priority: int = 100,
) -> Component:
    """Return a component that runs a module of this repository.

    Args:
        name: of the component.
        module: what `python -m` runs.
        arguments: what it is given.
        packages: top-level packages that it imports from.
        files: of this repository that it reads once, when it starts.
        environment: variables beside those that each of these programs has.
        priority: as of every component.
    """
    given = {
        "PYTHONPYCACHEPREFIX": str(cache_directory() / "pycache"),
        SOURCES: sources_of(packages, files),
        **(environment or {}),
    }
    return Component(name, (sys.executable, "-m", module, *arguments), given, REPOSITORY, priority)


@cache
def sources_of(packages: tuple[str, ...], files: tuple[Path, ...] = ()) -> str:
    """Return a digest of the packages' code, and of the files that exist, as it is when it is asked for first."""
    code = [file for package in packages for file in sorted((REPOSITORY / package).rglob("*.py"))]
    return files_digest([*code, *(file for file in files if file.exists())], REPOSITORY)
