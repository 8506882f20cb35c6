"""A metric and its samples, as plain values."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

PREFIX = "shopsphere_"
PAIR = "pair"
"""Label that every sample has."""
_NAME = re.compile(rf"{PREFIX}[a-z]+(_[a-z]+)*")


@dataclass(frozen=True)
class Metric:
    """One figure about a pair: a gauge in base units, whose name ends with the unit.

    Attributes:
        name: with the project's prefix.
        meaning: one sentence with the unit.
        labels: beside `pair`, each with few values: sites, databases, voters, doors, phases.
        awaited: no source has it yet; rules may name it all the same and are silent without it.
    """

    name: str
    meaning: str
    labels: tuple[str, ...] = ()
    awaited: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no name of a metric of this project")

    def sample(self, value: float, **labels: str) -> Sample:
        """Return a value of it.

        Raises:
            ValueError: other labels than its own, or no number.
        """
        if set(labels) != set(self.labels):
            raise ValueError(f"{self.name} has the labels {', '.join(self.labels) or 'none'}, not {sorted(labels)}")
        if math.isnan(value):
            raise ValueError(f"{self.name}: no number; what is not known has no sample")
        return Sample(self, tuple(labels[label] for label in self.labels), float(value))


@dataclass(frozen=True)
class Sample:
    """One value of a metric, with the values of its labels in their order."""

    metric: Metric
    labels: tuple[str, ...]
    value: float
