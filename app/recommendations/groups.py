"""Groups of an experiment: who is shown what, the same at each visit and at each site, with nothing stored.

A visitor's group follows from the random id of the session and the experiment's name alone. So two experiments do not
share their groups, and an order's group can be told from its session later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec

PERCENT = 100
MOST_EXPERIMENTS, MOST_GROUPS = 10, 10
NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is tried, and how many visitors are in which group; ValueError for other names and shares than these.

    Attributes:
        name: at most 40 letters such as with-pictures; also decides who is in which group, so another name deals all
            visitors anew.
        shares: percent of the visitors by group, 100 in all, 1 to MOST_GROUPS groups. While an experiment runs,
            visitors stay where they are only as long as these stay.
    """

    name: str
    shares: Mapping[str, int]

    def __post_init__(self) -> None:
        """Refuse names that two readers could take for different ones, and shares that are not everybody."""
        for each in (self.name, *self.shares):
            if not NAME.fullmatch(each):
                raise ValueError(f"expected names of experiments and groups such as with-pictures, found {each[:50]!r}")
        few, shares = 1 <= len(self.shares) <= MOST_GROUPS, self.shares.values()
        if not few or min(shares) < 0 or sum(shares) != PERCENT:
            told = f"{dict(self.shares)}"[:200]
            raise ValueError(f"{self.name}: expected 1 to {MOST_GROUPS} groups with 100 percent in all, found {told}")

    def group_of(self, visitor: UUID) -> str:
        """Return the group of a visitor, by a random id."""
        digest = hashlib.sha256(f"experiment {self.name}\n".encode() + visitor.bytes).digest()
        place = int.from_bytes(digest[:8]) * PERCENT >> 64  # 0 to 99
        for group in sorted(self.shares):
            place -= self.shares[group]
            if place < 0:
                return group
        raise AssertionError("shares are 100 percent in all")


def experiments_of(text: str) -> Mapping[str, Experiment]:
    """Return the experiments of a JSON object such as {"recommendations": {"with": 50, "without": 50}}, by name.

    Raises:
        ValueError: the text is no such object, or shares are not 100 percent in all; the message says which.
    """
    try:
        told = msgspec.json.decode(text or "{}", type=dict[str, dict[str, int]])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ValueError("expected a JSON object of percents by group by experiment, found something else") from error
    if len(told) > MOST_EXPERIMENTS:
        raise ValueError(f"expected at most {MOST_EXPERIMENTS} experiments, found {len(told)}")
    return {name: Experiment(name, shares) for name, shares in told.items()}
