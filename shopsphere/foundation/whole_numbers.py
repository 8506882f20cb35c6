"""Numbers as Pulumi hands them over."""

from __future__ import annotations

from typing import Any


def whole(value: Any) -> Any:
    """Return a value with whole numbers as such: Pulumi hands every number over as a float."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: whole(entry) for key, entry in value.items()}
        case list():
            return [whole(entry) for entry in value]
        case _:
            return value
