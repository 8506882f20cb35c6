"""Trouble on demand: answers that get lost after the work was done, refusals before it, delays."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import msgspec

LOST_SECONDS = 60.0  # longer than any caller waits


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong with the next charges; `PUT /admin/faults` sets it.

    Attributes:
        delay_ms: how long every answer waits (ms).
        lose_answers: number of charges that are made, and answered only after LOST_SECONDS.
        refuse: number of charges that are answered with 503 and not made.
        lose_lookups: number of questions by key that are answered only after LOST_SECONDS.
    """

    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0
    lose_answers: Annotated[int, msgspec.Meta(ge=0)] = 0
    refuse: Annotated[int, msgspec.Meta(ge=0)] = 0
    lose_lookups: Annotated[int, msgspec.Meta(ge=0)] = 0


@dataclass
class Trouble:
    """The faults that are still to come."""

    faults: Faults

    def is_refused(self) -> bool:
        """Whether this charge is to be refused; counts down."""
        return self._take("refuse")

    async def before_charge_answer(self) -> None:
        """Delay an answer, or lose it."""
        await asyncio.sleep(self.faults.delay_ms / 1000)
        if self._take("lose_answers"):
            await asyncio.sleep(LOST_SECONDS)

    async def before_lookup_answer(self) -> None:
        """Delay an answer to a question by key, or lose it."""
        await asyncio.sleep(self.faults.delay_ms / 1000)
        if self._take("lose_lookups"):
            await asyncio.sleep(LOST_SECONDS)

    def _take(self, name: str) -> bool:
        left: int = getattr(self.faults, name)
        if left > 0:
            self.faults = msgspec.structs.replace(self.faults, **{name: left - 1})
        return left > 0
