"""Reads properties of a resource; what has the wrong shape is an error, never silently empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shopsphere.topology.quantities import QuantityError, parse_quantity

Node = Mapping[str, Any]


class MalformedError(Exception):
    """A property has another shape than its kind requires."""

    def __init__(self, path: str, expected: str, found: object, *, told: str = "") -> None:
        self.path = path
        self.expected = expected
        self.found = told or shape_of(found)
        super().__init__(f"{path}: expected {expected}, found {self.found}")


def shape_of(value: object) -> str:
    """Name what a value is; never the classes that stand for a document's mappings and lists."""
    if value is None:
        return "missing"
    if isinstance(value, Mapping):
        return "a mapping"
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return "a list" if is_list else f"a {type(value).__name__}"


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


def texts(node: Node, *path: str) -> Sequence[str]:
    """Return the list of texts at a path."""
    entries = list(items(node, *path))
    for at, entry in enumerate(entries):
        if not isinstance(entry, str):
            raise MalformedError(f"{'.'.join(path)}[{at}]", "text", entry)
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
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or value < 0 or not float(value).is_integer():  # infinity and what is no number among them
        raise MalformedError(".".join(path), "a whole number of at least 0", value)
    return int(value)


def quantity(value: Any, place: str) -> Decimal:
    """Return a Kubernetes quantity in its base unit; `place` names it in errors.

    Raises:
        MalformedError: it is no quantity.
    """
    expected = "a Kubernetes quantity, as in 250m or 512Mi"
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise MalformedError(place, expected, value)
    try:
        return parse_quantity(value)
    except QuantityError as error:
        raise MalformedError(place, expected, value, told=repr(value)) from error
