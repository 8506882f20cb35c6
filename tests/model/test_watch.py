"""Unattended detection: when it moves a pair, and when it leaves that to a person."""

from typing import Any

import pytest
from manual_clock import ManualClock

from runbooks.watch import LOOK_EVERY, Sign, Watcher, judge
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness import PairRecord, Phase, Sync, WitnessUnreachableError
from shopsphere.witness.client import Seen


def seen(holder: str = "", **values: Phase | Sync) -> Seen:
    record = PairRecord.first("rdc-a", "frankfurt", actor="test").changed(
        actor="test", reason="test", **{"sync": Sync.ON, **values}
    )
    return Seen(record, 1, holder)


@pytest.mark.parametrize(
    ("look", "locked", "without", "sign"),
    [
        (seen("frankfurt"), False, 0, Sign.WELL),
        (seen("frankfurt"), False, 60, Sign.WELL),
        (seen(), False, 0.5, Sign.UNSURE),
        (seen(), False, 2, Sign.MOVE),
        (seen(), True, 2, Sign.BUSY),
        (seen(phase=Phase.DRAINING), False, 2, Sign.BUSY),
        (seen(phase=Phase.FENCING), False, 2, Sign.BUSY),
        (seen(sync=Sync.OFF), False, 2, Sign.LOSS),
        (Seen(None, 0, ""), False, 2, Sign.NEW),
    ],
)
def test_signs(look: Seen, locked: bool, without: float, sign: Sign) -> None:
    assert judge(look, locked=locked, without=without) is sign


class Witness:
    answer: Seen | None = seen("frankfurt")

    def see(self) -> Seen:
        if self.answer is None:
            raise WitnessUnreachableError("no quorum")
        return self.answer

    def locked_by(self) -> None:
        return None


class Desk:
    def __init__(self) -> None:
        self.witness, self.clock, self.fails = Witness(), ManualClock(), False
        self.lines: list[str] = []
        self.moves: list[str] = []
        witness: Any = self.witness
        self.watcher = Watcher(witness, self.move, self.lines.append, self.clock)

    def move(self, reason: str) -> None:
        if self.fails:
            raise ShopSphereError("the other site is gone too")
        self.moves.append(reason)

    def look(self, times: int) -> bool | None:
        found = None
        for _ in range(times):
            self.clock.now += LOOK_EVERY
            found = self.watcher.look()
        return found


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.requirement("unattended failover begins only when the lease has run out and no payment can be lost")
def test_a_lost_site_is_left(desk: Desk) -> None:
    desk.look(10)
    assert desk.moves == []
    desk.witness.answer = seen()
    desk.look(2)
    assert desk.moves == []
    assert desk.look(1) is True
    assert len(desk.moves) == 1
    assert "nobody held the lease" in desk.moves[0]


def test_time_in_which_nothing_was_seen_is_not_counted(desk: Desk) -> None:
    desk.witness.answer = seen()
    desk.look(1)
    desk.witness.answer = None
    desk.look(20)
    desk.witness.answer = seen()
    desk.look(2)
    assert desk.moves == []


def test_possible_loss_is_left_to_a_person(desk: Desk) -> None:
    desk.witness.answer = seen(sync=Sync.OFF)
    desk.look(20)
    assert desk.moves == []
    assert "a person has to decide" in desk.lines[-1]


def test_a_move_that_stops_is_told(desk: Desk) -> None:
    desk.witness.answer, desk.fails = seen(), True
    assert desk.look(3) is False
    assert "the other site is gone too" in desk.lines[-1]


def test_without_permission_it_only_says_so(desk: Desk) -> None:
    desk.watcher.move, desk.witness.answer = None, seen()
    assert desk.look(10) is None
    assert "nothing would be lost" in desk.lines[-1]


@pytest.mark.requirement("a watcher gives a sign of life, so that silence means that it is gone")
def test_what_does_not_change_is_said_once_a_minute(desk: Desk) -> None:
    desk.look(1)
    assert len(desk.lines) == 1
    desk.look(120)
    assert desk.lines == [desk.lines[0], f"{desk.lines[0]} (unchanged for 1 min)"]
    desk.look(120)
    assert desk.lines[-1].endswith("(unchanged for 2 min)")
    desk.witness.answer = seen()
    desk.look(1)
    assert "unchanged" not in desk.lines[-1]
