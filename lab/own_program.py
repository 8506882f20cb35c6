"""Programs of this repository that hosts run: other code is another component, so `lab up` restarts it.

What runs would else go on with the code of the checkout as it was, beside commands that are of today.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache

from lab.component import Component
from lab.images.archive import files_digest
from shopsphere.foundation.paths import REPOSITORY, cache_directory


def own_program(
    name: str,
    module: str,
    *arguments: str,
    packages: tuple[str, ...],
    environment: Mapping[str, str] | None = None,
    priority: int = 100,
) -> Component:
    """Return a component that runs a module of this repository.

    Args:
        name: of the component.
        module: what `python -m` runs.
        arguments: what it is given.
        packages: top-level packages that it imports from.
        environment: variables beside those that each of these programs has.
        priority: as of every component.
    """
    given = {
        "PYTHONPYCACHEPREFIX": str(cache_directory() / "pycache"),
        "SHOPSPHERE_SOURCES": sources_of(packages),
        **(environment or {}),
    }
    return Component(name, (sys.executable, "-m", module, *arguments), given, REPOSITORY, priority)


@cache
def sources_of(packages: tuple[str, ...]) -> str:
    """Return a digest of the packages' code as it is when it is asked for first."""
    files = [file for package in packages for file in sorted((REPOSITORY / package).rglob("*.py"))]
    return files_digest(files, REPOSITORY)
