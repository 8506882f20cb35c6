"""From a file to a validated Topology, or to an error that names every problem."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology.checks import problems_of
from shopsphere.topology.document import Document
from shopsphere.topology.errors import Problem, TopologyError
from shopsphere.topology.model import Topology
from shopsphere.topology.translation import problem_from

NAMED_SECTIONS = ("jurisdictions", "data_classes", "pairs", "sites")
DERIVED_KEYS = ("name", "jurisdiction")


def load_topology(path: Path = TOPOLOGY_FILE) -> Topology:
    """Read and validate a topology file.

    Raises:
        TopologyError: with file, place in the document, what was expected and what was found, for every problem.
    """
    return _validated(Document.read(path))


def parse_topology(text: str, file: str = "topology.yaml") -> Topology:
    """Validate the text of a topology document; `file` is the name used in messages.

    Raises:
        TopologyError: as `load_topology`.
    """
    return _validated(Document(text, file))


def _validated(document: Document) -> Topology:
    written = list(_written_derived_keys(document.values))
    values = copy.deepcopy(document.values)
    _derive(values)
    try:
        topology = Topology.model_validate(values)
    except ValidationError as error:
        problems = [*written, *(problem_from(detail, values) for detail in error.errors())]
    else:
        problems = [*written, *problems_of(topology)]
        if not problems:
            return topology
    numbered = [Problem(each.path, each.expected, each.found, document.line_of(each.path)) for each in problems]
    raise TopologyError(document.file, tuple(sorted(numbered, key=lambda each: each.line or 0)))


def _entries(values: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for section in NAMED_SECTIONS:
        entries = values.get(section)
        if isinstance(entries, dict):
            yield from ((section, str(key), entry) for key, entry in entries.items() if isinstance(entry, dict))


def _written_derived_keys(values: dict[str, Any]) -> Iterator[Problem]:
    for section, key, entry in _entries(values):
        for derived in DERIVED_KEYS:
            if derived in entry:
                yield Problem(
                    f"{section}.{key}.{derived}", "only known keys", f"unknown key {derived!r} (it is derived)"
                )


def _derive(values: dict[str, Any]) -> None:
    for section, key, entry in _entries(values):
        entry["name"] = key
        if section == "pairs":
            entry["jurisdiction"] = _jurisdiction_of(values, entry.get("primary"))


def _jurisdiction_of(values: dict[str, Any], site: object) -> str:
    """Return the jurisdiction that lists `site`; empty when none does, which the checks then report."""
    for section, key, entry in _entries(values):
        if section == "jurisdictions" and isinstance(entry.get("sites"), list) and site in entry["sites"]:
            return key
    return ""
