"""Reads a YAML document strictly: duplicate keys are refused, and every place knows its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from shopsphere.topology.errors import Problem, TopologyError

DEPTH_LIMIT = 20
"""Nesting of a topology document; a deeper one holds an alias to itself or is no topology."""


class Document:
    """A YAML document as plain values, with the line of each place.

    Attributes:
        file: name of the file, for messages.
        values: the document as dicts, lists and scalars.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self._lines: dict[str, int] = {}
        self._problems: list[Problem] = []
        try:
            self.values: Any = self._read(text, yaml.CSafeLoader)
        except yaml.YAMLError:
            # libyaml is ten times as fast, but the Python parser says more exactly what is wrong: its message is shown.
            try:
                self.values = self._read(text, yaml.SafeLoader)
            except yaml.YAMLError as error:
                raise TopologyError(file, (_syntax_problem(error),)) from error
        if self._problems:
            raise TopologyError(file, tuple(self._problems))
        if not isinstance(self.values, dict):
            found = "an empty file" if self.values is None else f"a {type(self.values).__name__}"
            raise TopologyError(file, (Problem("", "a mapping with the keys version, sites, pairs, …", found),))

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a file; a missing or unreadable one raises TopologyError."""
        try:
            return cls(path.read_text(encoding="utf-8"), str(path))
        except FileNotFoundError as error:
            problem = Problem("", "a topology file", "no such file")
            raise TopologyError(str(path), (problem,), "create the file, or name another one") from error
        except (OSError, UnicodeDecodeError) as error:
            raise TopologyError(str(path), (Problem("", "a readable text file", str(error)),)) from error

    def has(self, path: str) -> bool:
        """Whether something is written at exactly this place."""
        return path in self._lines

    def line_of(self, path: str) -> int | None:
        """Return the line (from 1) of a place, or of its nearest parent; None for the document as a whole."""
        while path and path not in self._lines:
            path = path.rpartition(".")[0]
        return self._lines.get(path) if path else None

    def _read(self, text: str, loader: type[yaml.CSafeLoader | yaml.SafeLoader]) -> Any:
        self._lines, self._problems = {}, []
        reader = loader(text)
        try:
            root = reader.get_single_node()
            if root is None:
                return None
            self._walk(root, "", DEPTH_LIMIT)
            return reader.construct_document(root)  # type: ignore[no-untyped-call]  # its stub has no types
        finally:
            reader.dispose()

    def _walk(self, node: yaml.Node, path: str, depth: int) -> None:
        if depth == 0:
            raise TopologyError(self.file, (Problem(path, f"at most {DEPTH_LIMIT} levels", "more levels"),))
        if isinstance(node, yaml.MappingNode):
            seen: dict[str, int] = {}
            for key, value in node.value:
                name = str(key.value)
                line = key.start_mark.line + 1
                place = f"{path}.{name}" if path else name
                if name in seen:
                    expected = "each key once"
                    self._problems.append(Problem(place, expected, f"the key again, first on line {seen[name]}", line))
                seen.setdefault(name, line)
                self._lines[place] = line
                self._walk(value, place, depth - 1)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                place = f"{path}.{index}"
                self._lines[place] = value.start_mark.line + 1
                self._walk(value, place, depth - 1)


def _syntax_problem(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error)
    return Problem("", "YAML", said, mark.line + 1 if mark else None)
