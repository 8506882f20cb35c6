"""Reads a topology document strictly, and knows the line of every place in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shopsphere.foundation.document_problem import Problem
from shopsphere.foundation.yaml_text import YamlError, read_yaml
from shopsphere.topology.errors import TopologyError


class Document:
    """A YAML document as plain values, with the line of each place.

    Attributes:
        file: name of the file, for messages.
        values: the document as dicts, lists and scalars.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        try:
            read = read_yaml(text)
        except YamlError as error:
            raise TopologyError(file, error.problems) from error
        self.values: Any = read.value
        self._lines = read.lines
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
