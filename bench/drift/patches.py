"""Changes of a live object as JSON patches (RFC 6902), and the patch that takes one back, made before it is sent."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Step = str | int | Mapping[str, str]
"""A field, an index, or what an element of a list is known by."""
Operation = dict[str, Any]
END = "-"
"""Behind the last element of a list."""


class NoSuchPlaceError(Exception):
    """A path leads nowhere in the live object."""


@dataclass(frozen=True)
class Edit:
    """One change.

    Attributes:
        path: where.
        value: what is put there; a function gets what is there now; None takes it away.
    """

    path: tuple[Step, ...]
    value: Any | Callable[[Any], Any] = None

    @property
    def removes(self) -> bool:
        """Whether it takes something away."""
        return self.value is None


@dataclass(frozen=True)
class Change:
    """All edits of one object, as they are sent.

    Attributes:
        there: the patch.
        back: the patch that takes it back, if what it expects is still there.
    """

    there: tuple[Operation, ...]
    back: tuple[Operation, ...]

    def holds(self, document: Any) -> bool:
        """Whether a live object has all that was put into it, and nothing that was taken away."""
        return all(_holds(each, document) for each in self.there)


def change_of(edits: Sequence[Edit], document: Any) -> Change:
    """Return the patches for a live object.

    Raises:
        NoSuchPlaceError: a path leads nowhere, or something that is to be taken away is not there.
    """
    now = copy.deepcopy(document)
    there: list[Operation] = []
    back: list[list[Operation]] = []
    for edit in edits:
        forward, backward = _patches(edit, now)
        _apply(forward, now)
        there.append(forward)
        back.append(backward)
    return Change(tuple(there), tuple(each for some in reversed(back) for each in some))


def _patches(edit: Edit, document: Any) -> tuple[Operation, list[Operation]]:
    path, value = _resolved(edit, document)
    found, parent = copy.deepcopy(_at(document, path)), _at(document, path[:-1])
    exists = _at(document, path) is not _MISSING
    if edit.removes:
        if not exists:
            raise NoSuchPlaceError(f"{pointer(path)} is not there, so it cannot be taken away")
        return {"op": "remove", "path": pointer(path)}, [{"op": "add", "path": pointer(path), "value": found}]
    if exists:
        back = {"op": "replace" if isinstance(parent, list) else "add", "path": pointer(path), "value": found}
        return {"op": "replace", "path": pointer(path), "value": value}, [back]
    tests = [{"op": "test", "path": pointer((*path, *below)), "value": leaf} for below, leaf in _leaves(value)]
    return {"op": "add", "path": pointer(path), "value": value}, [*tests, {"op": "remove", "path": pointer(path)}]


def _resolved(edit: Edit, document: Any) -> tuple[tuple[str | int, ...], Any]:
    """Return the way as far as it is there with the next step, and what to put there: what is missing around it too."""
    value, done = edit.value, tuple[str | int, ...]()
    node = document
    for number, step in enumerate(edit.path):
        at = _index(node, step) if isinstance(node, list) else step
        if isinstance(at, Mapping):
            raise NoSuchPlaceError(f"{pointer(done)} is no list, so nothing in it is known by {dict(at)}")
        done = (*done, at)
        below = edit.path[number + 1 :]
        node = _at(document, done)
        if node is _MISSING and not edit.removes:
            if callable(value):
                raise NoSuchPlaceError(f"{pointer(done)} is not there, so it cannot be changed")
            for each in reversed(below):
                if not isinstance(each, str):
                    raise NoSuchPlaceError(f"{pointer(done)} is not there")
                value = [value] if each == END else {each: value}
            return done, value
    return done, value(node) if callable(value) else value


def _index(entries: Sequence[Any], step: Step) -> int:
    if step == END:
        return len(entries)
    if isinstance(step, Mapping):
        for at, each in enumerate(entries):
            if isinstance(each, Mapping) and step.items() <= each.items():
                return at
        raise NoSuchPlaceError(f"no element of the list has {dict(step)}")
    return int(step)


_MISSING = object()


def _at(node: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        if isinstance(node, Mapping) and step in node:
            node = node[str(step)]
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return _MISSING
    return node


def _apply(operation: Operation, document: Any) -> None:
    path, value = _steps(operation["path"], document), copy.deepcopy(operation.get("value"))
    parent, last = _at(document, path[:-1]), path[-1]
    match operation["op"], parent:
        case "remove", _:
            del parent[last]
        case "add", list():
            parent.insert(int(last), value)
        case _:
            parent[last] = value


def _holds(operation: Operation, document: Any) -> bool:
    found = _at(document, _steps(operation["path"], document))
    if operation["op"] == "remove":
        return found is _MISSING
    return found is not _MISSING and _covers(found, operation["value"])


def _covers(found: Any, wanted: Any) -> bool:
    """Whether a live value has all of a wanted one; servers fill in the rest."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        return all(key in found and _covers(found[key], value) for key, value in wanted.items())
    return bool(found == wanted)


def pointer(path: Sequence[str | int]) -> str:
    """Return a path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _steps(text: str, document: Any) -> tuple[str | int, ...]:
    """Return a pointer as steps into a document."""
    steps, node = tuple[str | int, ...](), document
    for part in text.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        step: str | int = int(name) if isinstance(node, list) else name
        steps, node = (*steps, step), _at(node, (step,))
    return steps


def _leaves(value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the plain values of what is put somewhere: a server adds to mappings, and changes none of these."""
    if isinstance(value, Mapping) and value:
        for key, part in value.items():
            yield from (((key, *below), leaf) for below, leaf in _leaves(part))
    elif isinstance(value, list) and value:
        for at, part in enumerate(value):
            yield from (((at, *below), leaf) for below, leaf in _leaves(part))
    else:
        yield (), value
