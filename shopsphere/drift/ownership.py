"""Who set a field of a live object, and when: what the API server keeps in `metadata.managedFields`.

A manager is the name that a client gives itself, and not the person behind it: that stands in the audit log of the API
server, for the same time. Nobody can change a field without being recorded here, but whoever may write the object may
write this record too; so a value is compared with what is declared whoever owns it, and an object that lost the record
of its own deployment is a finding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shopsphere.drift.place import Element, Path

APPLY = "Apply"
_ITSELF = "."
"""Stands among the fields of a node for the node itself."""


@dataclass(frozen=True)
class Author:
    """A manager of fields.

    Attributes:
        manager: as the client calls itself, as in kubectl-patch.
        operation: Apply (server-side apply) or Update.
        at: when it last changed what it owns, as the API server has it; empty where it does not say.
        subresource: through which it wrote, as in status or scale; empty for the object itself.
    """

    manager: str
    operation: str
    at: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        """Return who and when."""
        through = f" through {self.subresource}" if self.subresource else ""
        return f"{self.manager}{through} at {self.at or 'an unknown time'}"

    def as_json(self) -> dict[str, str]:
        """Return it in plain values."""
        return {
            "manager": self.manager,
            "operation": self.operation,
            "subresource": self.subresource,
            "at": self.at,
        }


class Ownership:
    """What each manager owns of one live object."""

    def __init__(self, live: Mapping[str, Any]) -> None:
        entries = live.get("metadata", {}).get("managedFields") or []
        self._owned = [(_author(each), each.get("fieldsV1") or {}) for each in entries]

    @property
    def authors(self) -> list[Author]:
        """All managers, the latest first."""
        return sorted((author for author, _ in self._owned), key=lambda author: author.at, reverse=True)

    def of(self, path: Path) -> list[Author]:
        """Return the managers of a field, the latest first; none of a field that the API server filled in."""
        found = [author for author, tree in self._owned if _owns(tree, path)]
        return sorted(found, key=lambda author: author.at, reverse=True)

    def fields_of(self, author: Author) -> list[str]:
        """Return what a manager owns, as text that people can read."""
        return [field for owner, tree in self._owned if owner == author for field in _leaves(tree, "")]


def _author(entry: Mapping[str, Any]) -> Author:
    return Author(
        str(entry.get("manager", "")),
        str(entry.get("operation", "")),
        str(entry.get("time", "")),
        str(entry.get("subresource", "")),
    )


def _owns(tree: Mapping[str, Any], path: Path) -> bool:
    """Whether a tree of fields has a path, or a list or mapping around it that is owned as a whole."""
    node: Mapping[str, Any] = tree
    for depth, step in enumerate(path):
        if not node:
            return depth > 0
        child = _element(node, step) if isinstance(step, Element) else node.get(f"f:{step}")
        if child is None:
            return False
        node = child
    return True


def _element(node: Mapping[str, Any], element: Element) -> Mapping[str, Any] | None:
    for key, child in node.items():
        form, _, text = key.partition(":")
        if form == "i" and text == str(element.at):
            return dict(child)
        if form in {"k", "v"} and _is_meant(form, json.loads(text), element.value):
            return dict(child)
    return None


def _is_meant(form: str, told: Any, value: Any) -> bool:
    if form == "v":
        return bool(told == value)
    return isinstance(value, Mapping) and all(value.get(key) == part for key, part in told.items())


def _leaves(tree: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, child in tree.items():
        form, _, text = key.partition(":")
        if key == _ITSELF:
            continue
        place = f"{path}.{text}".removeprefix(".") if form == "f" else f"{path}[{text}]"
        below = [*_leaves(child, place)]
        yield from below or [place]
