"""Where in an object something is: fields, and elements of lists that are known by their own values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_STEP = re.compile(r'\["(?P<quoted>[^"]+)"\]|(?P<plain>[^.\[\]]+)')
_LIST_KEYS = (
    ("name",),
    ("mountPath",),
    ("containerPort", "protocol"),
    ("port", "protocol"),
    ("topologyKey", "whenUnsatisfiable"),
)
"""What tells elements of a list apart, the best first; a list whose elements have none of it is known by its order."""
_LEFT_OUT = {"protocol": "TCP"}
"""Values of such keys that manifests leave out, because the API server adds them."""


@dataclass(frozen=True)
class Element:
    """One element of a list.

    Attributes:
        at: its index: in the live list, or in the declared one where it is not live.
        keys: what tells it from the others; empty where only the index does.
        value: the element itself.
    """

    at: int
    keys: tuple[tuple[str, Any], ...] = ()
    value: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        """Return it as messages show it."""
        told = ",".join(f"{key}={value}" for key, value in self.keys)
        return f"[{told or self.at}]"


Path = tuple[str | Element, ...]
"""The way from the root of an object to a field of it."""


def text_of(path: Path) -> str:
    """Return a path as people write it, as in spec.containers[name=shop].image."""
    text = ""
    for step in path:
        if isinstance(step, Element):
            text += str(step)
        else:
            text += f'["{step}"]' if re.search(r"[./\[]", step) else f"{'.' if text else ''}{step}"
    return text


def pointer_of(path: Path) -> str:
    """Return a path as a JSON pointer (RFC 6901) into the live object."""
    steps = (str(step.at) if isinstance(step, Element) else step for step in path)
    return "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)


def parsed(text: str) -> tuple[str, ...]:
    """Return the fields of a path as Pulumi's `ignoreChanges` has it, as in metadata.annotations["cnpg.io/a"]."""
    return tuple(found["quoted"] or found["plain"] for found in _STEP.finditer(text))


def fields_of(path: Path) -> tuple[str, ...]:
    """Return the fields on a path; elements of lists are left out."""
    return tuple(step for step in path if isinstance(step, str))


def begins_with(path: Path, fields: Sequence[str]) -> bool:
    """Whether a path leads to a field, or below it."""
    return path[: len(fields)] == tuple(fields)


def list_keys(*lists: Sequence[Any]) -> tuple[str, ...]:
    """Return the keys that tell the elements of each of these lists apart; none where nothing does."""
    if not all(isinstance(each, Mapping) for entries in lists for each in entries):
        return ()
    for keys in _LIST_KEYS:
        identities = [[_identity(each, keys) for each in entries] for entries in lists]
        if all(None not in found and len(set(found)) == len(found) for found in identities):
            return keys
    return ()


def elements(entries: Sequence[Any], keys: Sequence[str]) -> Iterator[Element]:
    """Yield a list's elements with their places."""
    for at, each in enumerate(entries):
        yield Element(at, tuple(zip(keys, _identity(each, keys) or (), strict=False)), each)


def _identity(entry: Mapping[str, Any], keys: Sequence[str]) -> tuple[Any, ...] | None:
    found = tuple(entry.get(key, _LEFT_OUT.get(key)) for key in keys)
    return None if any(value is None or isinstance(value, dict | list) for value in found) else found
