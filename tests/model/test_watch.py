"""Unattended detection: when it moves a pair, and when it leaves that to a person."""

import pytest
from manual_clock import ManualClock
from watch_desk import Desk, seen

from runbooks.service import OLD_AFTER, ServiceLook, judge_database
from runbooks.watch import (
    Sign,
    judge,
)
from shopsphere.foundation.finding import Finding, Verdict, fails, passes, unknown
from shopsphere.witness import Phase, Sync
from shopsphere.witness.seen import Seen


@pytest.mark.parametrize(
    ("look", "locked", "without", "sign"),
    [
        (seen("frankfurt"), False, 0, Sign.WELL),
        (seen("frankfurt"), False, 60, Sign.WELL),
        (seen(), False, 0.5, Sign.UNSURE),
        (seen(), False, 2, Sign.MOVE),
        (seen(), True, 2, Sign.BUSY),
        (seen(phase=Phase.DRAINING), True, 2, Sign.BUSY),
        (seen(phase=Phase.DRAINING), False, 2, Sign.LEFT),
        (seen("frankfurt", phase=Phase.DRAINING), False, 0, Sign.LEFT),
        (seen(phase=Phase.FENCING), False, 2, Sign.LEFT),
        (seen(sync=Sync.OFF), False, 2, Sign.LOSS),
        (Seen(None, 0, ""), False, 2, Sign.NEW),
    ],
)
def test_signs(look: Seen, locked: bool, without: float, sign: Sign) -> None:
    assert judge(look, locked=locked, without=without, service=passes("all answer")) is sign


@pytest.mark.requirement("a lease that is held is not well by itself: databases and shop have to answer")
def test_well_is_what_serves_customers() -> None:
    held = seen("frankfurt")
    for service, sign in ((fails("dead", "look"), Sign.ILL), (unknown("no answer"), Sign.HELD)):
        assert judge(held, locked=False, without=0, service=service) is sign
        assert judge(held, locked=True, without=0, service=service) is Sign.BUSY
        assert judge(seen(), locked=False, without=2, service=service) is Sign.MOVE, "it never keeps a pair from moving"


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


@pytest.mark.requirement("a person is called when a change was left in the middle: its operator's machine may be gone")
@pytest.mark.parametrize("phase", [Phase.DRAINING, Phase.FENCING])
def test_a_change_that_nobody_carries_on_calls_a_person(desk: Desk, phase: Phase) -> None:
    desk.witness.answer = seen(phase=phase)
    desk.look(60)
    assert desk.calls == [], "a lock that runs out while its owner begins anew"
    desk.look(2)
    assert len(desk.calls) == 1
    assert f"{phase}, by test: test" in desk.calls[0]
    assert desk.moves == [], "only a person knows what its operator had in mind"


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


@pytest.mark.requirement("a person is called once when the active site does not serve its customers, and again later")
@pytest.mark.parametrize("service", [fails("ledger-frankfurt is fenced", "look"), unknown("no answer")])
def test_a_person_is_called(desk: Desk, service: Finding) -> None:
    desk.look(200)
    assert desk.calls == []
    desk.service = service
    desk.look(50)
    assert desk.calls == [], "a pod that is replaced is back by then"
    assert service.found in desk.lines[-1]
    assert "databases and shop answer" not in desk.lines[-1]
    desk.look(400)
    assert len(desk.calls) == 1
    assert service.found in desk.calls[0]
    assert desk.moves == [], "only the lease moves a pair"
    desk.service = passes("all answer")
    desk.look(2)
    desk.service = service
    desk.look(100)
    assert len(desk.calls) == 2


def test_a_person_is_called_when_the_witness_is_silent_and_when_a_move_stops(desk: Desk) -> None:
    desk.witness.answer = None
    desk.look(100)
    assert ["does not answer" in each for each in desk.calls] == [True]
    desk.witness.answer, desk.fails = seen(), True
    desk.look(4)
    assert "the move stopped" in desk.calls[-1]


@pytest.mark.parametrize(
    ("annotations", "in_recovery", "told"),
    [({}, False, ""), ({"cnpg.io/fencedInstances": '["*"]'}, False, "is fenced"), ({}, True, "takes no writes"),
     ({"cnpg.io/fencedInstances": "[]"}, False, "")],
)  # fmt: skip
def test_a_database_that_serves(annotations: dict[str, str], in_recovery: bool, told: str) -> None:
    document = {"metadata": {"annotations": annotations}}
    found = judge_database("ledger-frankfurt", document, {"in_recovery": in_recovery})
    assert found.passed is not bool(told)
    assert told in found.found


def test_a_look_that_fails_or_hangs_is_not_known() -> None:
    clock, answers = ManualClock(), iter([passes("fine")])
    look = ServiceLook(lambda: next(answers), clock)
    assert look.last().verdict is Verdict.UNKNOWN
    look.once()
    assert look.last().passed
    clock.now += OLD_AFTER + 1
    assert look.last().verdict is Verdict.UNKNOWN, "the thread hangs in a look"
    look.once()
    assert look.last().verdict is Verdict.UNKNOWN, "the look has failed"
