"""What pages show beside what they are about."""

from __future__ import annotations

from dataclasses import dataclass

from app.catalogue.model import Card
from app.recommendations.because import Because


@dataclass(frozen=True, slots=True)
class Suggested:
    """A product and why it is shown."""

    card: Card
    because: Because


@dataclass(frozen=True, slots=True)
class Rows:
    """What is shown beside what a page is about; empty where nothing is known.

    Attributes:
        suggested: what goes with it, the best one first.
        recently: what the visitor looked at before, the latest one first.
    """

    suggested: tuple[Suggested, ...] = ()
    recently: tuple[Card, ...] = ()


NO_ROWS = Rows()
