"""The experiment that tells whether recommendations sell: its name, its share and its days, said before it begins.

While it runs, the group `with` is shown recommendations and the group `without` is not. Whoever has no session yet is
in no group and is shown none either, so that both groups had the same before they began. Before its first day and after
its last one everybody is shown them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

import msgspec

from app.recommendations.groups import PERCENT, Experiment

WITH, WITHOUT = "with", "without"


class _Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"first": "from", "last": "until"}):
    name: str
    percent: Annotated[int, msgspec.Meta(ge=1, le=99)]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Trial:
    """An experiment and its days (UTC), both of them included."""

    experiment: Experiment
    first: date
    last: date

    def group_of(self, session: UUID | None, today: date) -> str:
        """Return in which group a visitor is on a day; empty on days without the experiment."""
        if not self.first <= today <= self.last:
            return ""
        return WITHOUT if session is None else self.experiment.group_of(session)

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def ends(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)


def trial_of(text: str) -> Trial | None:
    """Return the experiment that a variable says; None for an empty one.

    Raises:
        ValueError: it says none that there can be.
    """
    if not text:
        return None
    try:
        said = msgspec.json.decode(text, type=_Said)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        example = '{"name": "row-1", "percent": 50, "from": "2027-01-10", "until": "2027-02-06"}'
        raise ValueError(f"expected an experiment such as {example}, found another text: {error}") from error
    if said.last < said.first:
        raise ValueError(f"expected an experiment that ends on {said.first} or later, found {said.last}")
    shares = {WITH: said.percent, WITHOUT: PERCENT - said.percent}
    return Trial(Experiment(said.name, shares), said.first, said.last)
