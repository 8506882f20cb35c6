"""What the WAN does to a frame on its way from one host to another."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Links:
    """One-way delays in seconds, cuts, losses in percent and detours, each per direction (source, destination).

    A detour is the time (s) that a frame takes beyond its usual delay. A direction without an entry has no delay, cut,
    loss or detour.
    """

    delays: dict[tuple[str, str], float] = field(default_factory=dict)
    cuts: set[tuple[str, str]] = field(default_factory=set)
    losses: dict[tuple[str, str], float] = field(default_factory=dict)
    detours: dict[tuple[str, str], float] = field(default_factory=dict)

    def delay(self, source: str, destination: str) -> float | None:
        """Return the seconds a frame takes, or None when it is lost on the way."""
        way = (source, destination)
        if way in self.cuts:
            return None
        loss = self.losses.get(way)
        if loss and random.random() * 100 < loss:  # noqa: S311 - loss of frames, no secret
            return None
        return self.delays.get(way, 0.0) + self.detours.get(way, 0.0)

    def to_document(self) -> dict[str, Any]:
        """Return what was done to the links as JSON values; delays come from the configuration at each start."""
        return {
            "cuts": sorted(map(list, self.cuts)),
            "losses": _rows(self.losses),
            "detours": _rows(self.detours),
        }

    def apply_document(self, document: dict[str, Any]) -> None:
        """Take what `to_document` returned."""
        self.cuts = {(source, destination) for source, destination in document.get("cuts", [])}
        self.losses, self.detours = _table(document.get("losses", [])), _table(document.get("detours", []))

    def heal(self, way: tuple[str, str]) -> None:
        """Undo all that was done to a direction."""
        self.cuts.discard(way)
        self.losses.pop(way, None)
        self.detours.pop(way, None)


def _rows(values: dict[tuple[str, str], float]) -> list[list[Any]]:
    return [[source, destination, value] for (source, destination), value in sorted(values.items())]


def _table(rows: list[list[Any]]) -> dict[tuple[str, str], float]:
    return {(source, destination): value for source, destination, value in rows}
