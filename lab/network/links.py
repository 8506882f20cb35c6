"""What the WAN does to a frame on its way from one host to another."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Links:
    """One-way delays in seconds, cuts and losses, each per direction (source, destination).

    A pair of hosts without an entry has delay 0, no loss and no cut.
    """

    delays: dict[tuple[str, str], float] = field(default_factory=dict)
    cuts: set[tuple[str, str]] = field(default_factory=set)
    losses: dict[tuple[str, str], float] = field(default_factory=dict)

    def delay(self, source: str, destination: str) -> float | None:
        """Return the seconds a frame takes, or None when it is lost on the way."""
        way = (source, destination)
        if way in self.cuts:
            return None
        loss = self.losses.get(way)
        if loss and random.random() * 100 < loss:  # noqa: S311 - loss of frames, no secret
            return None
        return self.delays.get(way, 0.0)

    def to_document(self) -> dict[str, Any]:
        """Return cuts and losses as JSON values; delays come from the configuration at each start."""
        return {
            "cuts": sorted(map(list, self.cuts)),
            "losses": [
                [source, destination, percent] for (source, destination), percent in sorted(self.losses.items())
            ],
        }

    def apply_document(self, document: dict[str, Any]) -> None:
        """Take cuts and losses from what `to_document` returned."""
        self.cuts = {(source, destination) for source, destination in document.get("cuts", [])}
        self.losses = {(source, destination): percent for source, destination, percent in document.get("losses", [])}
