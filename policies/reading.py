"""Reads properties of a resource; what has the wrong shape is an error, never silently empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Node = Mapping[str, Any]


class MalformedError(Exception):
    """A property has another shape than its kind requires."""

    def __init__(self, path: str, expected: str, found: object) -> None:
        self.path = path
        self.expected = expected
        self.found = f"a {type(found).__name__}" if found is not None else "missing"
        super().__init__(f"{path}: expected {expected}, found {self.found}")


def mapping(node: Node, *path: str) -> Node:
    """Return the mapping at a path; empty where it or a parent of it is missing."""
    for at, key in enumerate(path):
        value = node.get(key)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise MalformedError(".".join(path[: at + 1]), "a mapping", value)
        node = value
    return node


def items(node: Node, *path: str) -> Sequence[Any]:
    """Return the list at a path; empty where it or a parent of it is missing."""
    value: Any = mapping(node, *path[:-1]).get(path[-1])
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise MalformedError(".".join(path), "a list", value)
    return list(value)


def nodes(node: Node, *path: str) -> Sequence[Node]:
    """Return the list of mappings at a path."""
    entries = list(items(node, *path))
    for at, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise MalformedError(f"{'.'.join(path)}[{at}]", "a mapping", entry)
    return entries


def text(node: Node, *path: str) -> str:
    """Return the text at a path; empty where it or a parent of it is missing."""
    value = mapping(node, *path[:-1]).get(path[-1])
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedError(".".join(path), "text", value)
    return value


def whole_number(node: Node, *path: str, default: int) -> int:
    """Return the whole number of at least 0 at a path; `default` where it is missing."""
    value = mapping(node, *path[:-1]).get(path[-1])
    if value is None:
        return default
    # Numbers arrive as floats: the engine's wire format knows no others.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value) or value < 0:
        raise MalformedError(".".join(path), "a whole number of at least 0", value)
    return int(value)
