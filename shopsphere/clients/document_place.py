"""Where an object is, as messages name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def place_of(document: Mapping[str, Any]) -> str:
    """Return `namespace/name` of an object."""
    return f"{document['metadata']['namespace']}/{document['metadata']['name']}"
