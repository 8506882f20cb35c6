"""What differs in one environment: `topology.<environment>.yaml` beside topology.yaml, laid over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopsphere.foundation.document_problem import Problem
from shopsphere.topology.document import Document
from shopsphere.topology.errors import TopologyError

PLACEHOLDER = "REPLACE_ME"
NAMED_SECTIONS = ("jurisdictions", "data_classes", "currencies", "pairs", "sites")
"""Sections whose keys are names: an environment has the names of topology.yaml, all of them and no others."""


class NotFilledInError(TopologyError):
    """The differences of an environment have placeholders that nobody replaced."""


def overlays(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield each environment that has differences, with their file."""
    for file in sorted(path.parent.glob(f"{path.stem}.*{path.suffix}")):
        yield file.name.removeprefix(f"{path.stem}.").removesuffix(path.suffix), file


def overlay_file(path: Path, environment: str) -> Path:
    """Return where the differences of an environment are written, if there are any."""
    return path.with_name(f"{path.stem}.{environment}{path.suffix}")


def read_overlay(path: Path, environment: str) -> Document | None:
    """Return the differences of an environment; None where it has none.

    Raises:
        NotFilledInError: the file has placeholders that nobody replaced.
        TopologyError: it cannot be read.
    """
    file = overlay_file(path, environment)
    if not environment or not file.exists():
        return None
    document = Document.read(file)
    left = tuple(
        Problem(place, "your own value", PLACEHOLDER, document.line_of(place)) for place in _unfilled(document.values)
    )
    if left:
        raise NotFilledInError(str(file), left, f"replace each {PLACEHOLDER}; README.md, “Your own clusters”, says how")
    return document


def laid_over(base: Document, overlay: Document) -> dict[str, Any]:
    """Return the values of `base` with those of `overlay` in their place.

    Mappings are joined key by key; anything else, lists too, is replaced.

    Raises:
        TopologyError: the overlay names a site, pair, currency, jurisdiction or data class that the base does not have.
    """
    unknown = tuple(
        Problem(f"{section}.{name}", "a name of topology.yaml", f"{name!r}", overlay.line_of(f"{section}.{name}"))
        for section in NAMED_SECTIONS
        for name in _keys(overlay.values.get(section))
        if name not in _keys(base.values.get(section))
    )
    if unknown:
        raise TopologyError(overlay.file, unknown, "add it to topology.yaml first, or remove it here")
    return _joined(base.values, overlay.values)


def _joined(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    joined = dict(base)
    for key, value in changes.items():
        old = joined.get(key)
        joined[key] = _joined(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return joined


def _keys(section: object) -> list[str]:
    return [str(key) for key in section] if isinstance(section, dict) else []


def _unfilled(value: object, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _unfilled(part, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _unfilled(part, f"{path}.{index}")
    elif PLACEHOLDER in str(value):
        yield path
