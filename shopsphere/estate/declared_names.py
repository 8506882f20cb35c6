"""Whether a stack's configuration speaks of just what its site is declared to have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from shopsphere.estate.site_declaration import SiteDeclaration

TABLES = {
    "workloads": "shopsphere/estate/workloads.py",
    "databases": "shopsphere/estate/databases.py",
    "images": "shopsphere/estate/workloads.py",
}
"""Where the names under a key are declared."""


class Problem(NamedTuple):
    """A key of the configuration that is wrong, what is expected there and what was found."""

    key: str
    expected: str
    found: str


def wrong_names(site: SiteDeclaration, config: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is missing or unknown among a stack's workloads, databases, images and classes of volumes.

    Args:
        site: what the stack's site is declared to have.
        config: the stack's plain configuration; what is of the wrong shape is left to its model.
    """
    declared = {
        "workloads": [each.name for each in site.workloads],
        "databases": [each.name for each in site.databases],
        "images": [*site.images],
    }
    for key, names in declared.items():
        given = config.get(key)
        if names and isinstance(given, Mapping):
            yield from _compared(key, names, given)
    volumes = config.get("volumes")
    for index, volume in enumerate(volumes if isinstance(volumes, list) else []):
        found = volume.get("dataClass") if isinstance(volume, Mapping) else None
        if found is not None and found not in site.stored_classes:
            expected = f"a class of data that this site stores: {', '.join(site.stored_classes)}"
            yield Problem(f"volumes[{index}].dataClass", expected, repr(found))


def _compared(key: str, names: list[str], given: Mapping[str, Any]) -> Iterator[Problem]:
    for name in names:
        if name not in given:
            yield Problem(f"{key}.{name}", f"an entry, because {TABLES[key]} declares {name}", "nothing")
    for name in given:
        if name not in names:
            yield Problem(f"{key}.{name}", f"one of {', '.join(names)}, as {TABLES[key]} declares", repr(name))
