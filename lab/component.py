"""One supervised program of a host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Component:
    """A program that runs in the foreground and is started again when it ends.

    Attributes:
        name: its name in `shopsphere lab logs HOST NAME`.
        command: program and arguments.
        environment: variables beside the host's own.
        directory: folder it runs in.
        priority: programs with lower numbers are started first.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    priority: int = 100
