"""Values in CEL whose parts are of several types."""

from __future__ import annotations

from collections.abc import Mapping

from policies.admission.language import literal


def loose(value: object) -> str:
    """Return CEL of a value whose parts may be of several types: CEL wants one type in a list or mapping."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: dyn({loose(part)})" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(f"dyn({loose(part)})" for part in value) + "]"
    return literal(value)
