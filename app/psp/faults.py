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
        lose_refunds: number of refunds that are made, and answered only after LOST_SECONDS.
        wrong_answers: number of charges that are made, and answered with something that is no charge.
        wrong_lookups: the same for questions by key.
        double: number of charges whose money is taken twice.
        authorise_only: number of charges that are authorised though capture was asked for.
        other_amount: number of charges of one minor unit less than was asked for.
        other_currency: number of charges in another currency than was asked for.
    """

    delay_ms: Annotated[int, msgspec.Meta(ge=0, le=60_000)] = 0
    lose_answers: Annotated[int, msgspec.Meta(ge=0)] = 0
    refuse: Annotated[int, msgspec.Meta(ge=0)] = 0
    lose_lookups: Annotated[int, msgspec.Meta(ge=0)] = 0
    lose_refunds: Annotated[int, msgspec.Meta(ge=0)] = 0
    wrong_answers: Annotated[int, msgspec.Meta(ge=0)] = 0
    wrong_lookups: Annotated[int, msgspec.Meta(ge=0)] = 0
    double: Annotated[int, msgspec.Meta(ge=0)] = 0
    authorise_only: Annotated[int, msgspec.Meta(ge=0)] = 0
    other_amount: Annotated[int, msgspec.Meta(ge=0)] = 0
    other_currency: Annotated[int, msgspec.Meta(ge=0)] = 0


WRONG = (
    b"[]", b"null", b'"captured"', b"", b"<html>502</html>", b"{}", b'{"id": null, "status": "captured"}', b"[" * 5000,
    b'{"id": "ch_1", "status": "requires_action"}', b'{"id": "ch_1", "status": ["captured"]}', b"\xff\xfe", b"7",
    b'{"id": "ch_1", "status": "captured", "amount_minor": "100", "currency": null, "reference": {}}', b"x" * 300_000,
)  # fmt: skip
"""Bodies that are no charge, played in turn."""


@dataclass
class Trouble:
    """The faults that are still to come."""

    faults: Faults
    played: int = 0

    def is_refused(self) -> bool:
        """Whether this charge is to be refused; counts down."""
        return self.take("refuse")

    async def before_charge_answer(self) -> None:
        """Delay an answer, or lose it."""
        await asyncio.sleep(self.faults.delay_ms / 1000)
        if self.take("lose_answers"):
            await asyncio.sleep(LOST_SECONDS)

    async def before_refund_answer(self) -> None:
        """Lose the answer to a refund."""
        if self.take("lose_refunds"):
            await asyncio.sleep(LOST_SECONDS)

    async def before_lookup_answer(self) -> None:
        """Delay an answer to a question by key, or lose it."""
        await asyncio.sleep(self.faults.delay_ms / 1000)
        if self.take("lose_lookups"):
            await asyncio.sleep(LOST_SECONDS)

    def wrong_body(self, name: str) -> bytes | None:
        """Return what is answered in place of a charge; None when the charge is; counts down."""
        if not self.take(name):
            return None
        self.played += 1
        return WRONG[self.played % len(WRONG)]

    def take(self, name: str) -> bool:
        """Whether a fault is to come; counts down."""
        left: int = getattr(self.faults, name)
        if left > 0:
            self.faults = msgspec.structs.replace(self.faults, **{name: left - 1})
        return left > 0
