"""How a listed type describes its fields, and how a resource is compared with that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from policies.reading import MalformedError, Node, items


@dataclass(frozen=True)
class Only:
    """A field that may have these values alone.

    Attributes:
        reason: why it is listed, and why no other value is.
        values: what it may be.
    """

    reason: str
    values: tuple[str | bool | int, ...]


@dataclass(frozen=True)
class Named:
    """A mapping whose keys are names that its author chooses.

    Attributes:
        reason: why any name will do.
    """

    reason: str


Shape: TypeAlias = "str | Only | Named | Mapping[str, Shape] | tuple[Shape]"
"""A reason stands for a value of any kind, a tuple of one for a list of such entries."""


@dataclass(frozen=True)
class ListedType:
    """A resource type that stacks may declare.

    Attributes:
        reason: what it is for, and why it lets no data out.
        fields: its fields; names that somebody else chooses where the engine hands it a configuration.
    """

    reason: str
    fields: Mapping[str, Shape] | Named


@dataclass(frozen=True)
class Stranger:
    """A field, or a value of one, that is not listed.

    Attributes:
        path: where it is, as in spec.template.spec.hostNetwork.
        field: its own name.
        value: its value where the field is listed and the value is not; None where the field is not.
        allowed: what there may be in its place.
    """

    path: str
    field: str
    value: object
    allowed: tuple[str, ...]


def strangers(node: Node, fields: Mapping[str, Shape], path: str = "") -> Iterator[Stranger]:
    """Yield what a mapping has and its shape does not list. A listed value is touched only where few are allowed."""
    for key in node:
        place = f"{path}.{key}" if path else key
        if key not in fields:
            yield Stranger(place, key, None, tuple(sorted(fields)))
            continue
        yield from _below(node, key, fields[key], place)


def _below(node: Node, key: str, shape: Shape, place: str) -> Iterator[Stranger]:
    match shape:
        case str():
            return
        case Named():
            _mapping(node[key], place)
        case Only():
            value = node[key]
            if value is not None and not isinstance(value, (str, bool, int, float)):
                raise MalformedError(place, f"one of {', '.join(map(str, shape.values))}", value)
            if value is not None and not _is_one_of(value, shape.values):
                yield Stranger(place, key, value, tuple(map(str, shape.values)))
        case tuple():
            for at in range(len(items(node, key))):
                yield from _entry(node, key, at, shape[0], f"{place}[{at}]")
        case _:
            yield from strangers(_mapping(node[key], place), shape, place)


def _entry(node: Node, key: str, at: int, shape: Shape, place: str) -> Iterator[Stranger]:
    if not isinstance(shape, str):
        yield from _below({key: node[key][at]}, key, shape, place)


def _is_one_of(value: object, values: tuple[str | bool | int, ...]) -> bool:
    # True equals 1 in Python, and a number of the engine's is a float.
    return any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in values)


def _mapping(value: object, place: str) -> Node:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise MalformedError(place, "a mapping", value)
    return value
