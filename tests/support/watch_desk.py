"""A watcher at a desk: a witness that answers what a test says, and what was told, moved and called."""

from __future__ import annotations

from typing import Any

from manual_clock import ManualClock

from runbooks.beginning import MayBegin
from runbooks.watch import LOOK_EVERY, Watcher
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import passes
from shopsphere.witness import PairRecord, Phase, Sync, WitnessUnreachableError
from shopsphere.witness.seen import Seen


def seen(holder: str = "", **values: Phase | Sync) -> Seen:
    record = PairRecord.first("rdc-a", "frankfurt", actor="test").changed(
        actor="test", reason="test", **{"sync": Sync.ON, **values}
    )
    return Seen(record, 1, holder)


class Witness:
    answer: Seen | None = seen("frankfurt")
    left: int | None = 9

    def see(self) -> Seen:
        if self.answer is None:
            raise WitnessUnreachableError("no quorum")
        return self.answer

    def locked_by(self) -> None:
        return None

    def seconds_left(self, seen: Seen) -> int:
        if self.left is None:
            raise WitnessUnreachableError("no quorum")
        return self.left if seen.lease_holder else 0


class Desk:
    def __init__(self) -> None:
        self.witness, self.clock, self.fails = Witness(), ManualClock(), False
        self.lines: list[str] = []
        self.moves: list[str] = []
        self.prepared: list[str] = []
        self.asked: list[float] = []
        witness: Any = self.witness
        self.service = passes("all answer")
        self.calls: list[str] = []
        self.watcher = Watcher(
            witness, self.move, self.lines.append, lambda: self.service, self.calls.append, self.clock
        )

    def move(self, reason: str, may_begin: MayBegin) -> None:
        if self.fails:
            raise ShopSphereError("the other site is gone too")
        self.prepared.append(reason)
        may_begin(lambda: self.asked.append(self.clock.now))
        self.moves.append(reason)

    def look(self, times: int) -> bool | None:
        found = None
        for _ in range(times):
            self.clock.now += LOOK_EVERY
            found = self.watcher.look()
        return found
