"""Which images a lab has to have: those of every lab, and those that a committed stack of it names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from lab.images.catalogue import IMAGES
from shopsphere.estate.stack_files import NAMESPACE
from shopsphere.foundation.paths import STACKS


def wanted_images(stacks: Path = STACKS) -> list[str]:
    """Return the short names, in the catalogue's order."""
    named = {reference for file in sorted(stacks.glob("*/lab-*.base.yaml")) for reference in _references(file)}
    return [name for name, image in IMAGES.items() if not image.on_demand or image.reference in named]


def _references(file: Path) -> Iterator[str]:
    config = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
    yield from map(str, (config.get(f"{NAMESPACE}:images") or {}).values())
