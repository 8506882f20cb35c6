"""Names that the shell completes: read from topology.yaml as plain data, because a person waits after each Tab."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.foundation.yaml_text import read_yaml_file

_HEADQUARTERS, _EDGE, _EVERYTHING = "hq", "edge", "all"


def pairs() -> list[str]:
    """The pairs."""
    return list(plain(TOPOLOGY_FILE).get("pairs", {}))


def sites() -> list[str]:
    """The sites."""
    return list(plain(TOPOLOGY_FILE).get("sites", {}))


def jurisdictions() -> list[str]:
    """The jurisdictions."""
    return list(plain(TOPOLOGY_FILE).get("jurisdictions", {}))


def regions() -> list[str]:
    """The pairs and headquarters, and `all`."""
    return [*pairs(), _HEADQUARTERS, _EVERYTHING]


def targets() -> list[str]:
    """What can be deployed and looked at."""
    return [*pairs(), _HEADQUARTERS, *sites(), _EDGE, _EVERYTHING]


def completing(names: Callable[[], Iterable[str]]) -> Callable[[str], Iterator[str]]:
    """Return what the shell's completion calls with the beginning of a word."""

    def complete(incomplete: str) -> Iterator[str]:
        return (name for name in names() if name.startswith(incomplete))

    return complete


@cache
def plain(file: Path) -> dict[str, Any]:
    """Return a document; an unreadable one completes nothing, and the verb itself says why."""
    try:
        found = read_yaml_file(file)
    except ShopSphereError:
        return {}
    return found if isinstance(found, dict) else {}
