"""From a file to a validated Topology, or to an error that names every problem."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shopsphere.foundation.document_problem import Problem
from shopsphere.foundation.paths import TOPOLOGY_FILE
from shopsphere.topology.checks import problems_of
from shopsphere.topology.document import Document
from shopsphere.topology.errors import TopologyError
from shopsphere.topology.model import Topology
from shopsphere.topology.overlay import NAMED_SECTIONS, laid_over, read_overlay
from shopsphere.topology.translation import problem_from

DERIVED_KEYS = ("name", "jurisdiction")


def load_topology(path: Path = TOPOLOGY_FILE, *, environment: str = "") -> Topology:
    """Read and validate a topology file, with what differs in an environment.

    Args:
        path: the file that holds for every environment.
        environment: `topology.<environment>.yaml` beside it is laid over it where there is one; empty: it alone.

    Raises:
        TopologyError: with file, place in the document, what was expected and what was found, for every problem.
    """
    base, overlay = Document.read(path), read_overlay(path, environment)
    if overlay is None:
        return _validated(base.values, (base,))
    return _validated(laid_over(base, overlay), (overlay, base))


def parse_topology(text: str, file: str = "topology.yaml") -> Topology:
    """Validate the text of a topology document; `file` is the name used in messages.

    Raises:
        TopologyError: as `load_topology`.
    """
    document = Document(text, file)
    return _validated(document.values, (document,))


def _validated(written: dict[str, Any], sources: tuple[Document, ...]) -> Topology:
    """Validate values; a problem is shown in the first of their sources that has its place."""
    forbidden = list(_written_derived_keys(written))
    values = copy.deepcopy(written)
    _derive(values)
    try:
        topology = Topology.model_validate(values)
    except ValidationError as error:
        problems = [*forbidden, *(problem_from(detail, values) for detail in error.errors())]
    else:
        problems = [*forbidden, *problems_of(topology)]
        if not problems:
            return topology
    source = next((each for each in sources if any(each.has(problem.path) for problem in problems)), sources[-1])
    numbered = [Problem(each.path, each.expected, each.found, source.line_of(each.path)) for each in problems]
    raise TopologyError(source.file, tuple(sorted(numbered, key=lambda each: each.line or 0)))


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
