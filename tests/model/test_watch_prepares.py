"""Unattended detection: a move is prepared while the lease of a lost site runs out."""

import pytest
from present import present
from watch_desk import Desk, seen

from runbooks.beginning import MayBegin
from runbooks.watch import (
    LOOK_EVERY,
    PREPARED_SECONDS,
    PREPARES_AGAIN_AFTER,
    PREPARES_AT,
    SURE_AFTER,
)
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import fails
from shopsphere.witness import Phase, Sync, WitnessConflictError, WitnessUnreachableError
from shopsphere.witness.seen import Seen


@pytest.fixture
def desk() -> Desk:
    return Desk()


def lapses(desk: Desk, *, ends: float, gone: float) -> None:
    """Let the lease end after so many seconds, as etcd says it, and be gone after some more or less."""
    start = desk.clock.now
    whole = desk.witness.see

    def see() -> Seen:
        if desk.clock.now - start >= gone:
            desk.witness.answer = seen()
        return whole()

    def seconds_left(seen: Seen) -> int:
        return int(start + ends - desk.clock.now) if seen.lease_holder else 0

    desk.witness.see = see  # type: ignore[method-assign]
    desk.witness.seconds_left = seconds_left  # type: ignore[method-assign]


@pytest.mark.requirement("a move is prepared while a lost site's lease runs out, and begins when it has")
def test_what_takes_time_is_done_before_the_lease_is_over(desk: Desk) -> None:
    desk.look(4)
    assert desk.prepared == []
    start = desk.clock.now
    lapses(desk, ends=PREPARES_AT + 1, gone=PREPARES_AT + 1.3)
    assert desk.look(1) is True
    assert "nobody renewed the lease" in desk.prepared[0]
    assert len(desk.moves) == 1
    assert 0 <= desk.clock.now - (start + PREPARES_AT + 1.3) <= 0.3
    assert "a move is prepared" in desk.lines[-1]
    (asked,) = desk.asked
    assert 0 <= asked - (start + PREPARES_AT) <= 0.2, "agents are asked in the last second, as a lost one is waited for"


def test_agents_are_asked_again_when_the_lease_was_held_in_between(desk: Desk) -> None:
    """What they said before is old: they may have said it while the lease was held."""
    answers = [seen("frankfurt"), seen(), seen("frankfurt")]
    desk.witness.left = 3
    desk.witness.see = lambda: answers.pop(0) if answers else seen()  # type: ignore[method-assign]
    assert desk.look(1) is True
    assert len(desk.asked) == 2
    assert len(desk.moves) == 1


@pytest.mark.requirement("what was not seen is not counted: a lease that was held meanwhile may be held again at once")
def test_what_was_seen_before_a_gap_in_the_answers_counts_no_more(desk: Desk) -> None:
    """The lease may have been renewed in the gap, and given back for a moment."""
    gap: list[float] = []
    start = desk.clock.now

    def see() -> Seen:
        if 1 <= desk.clock.now - start < 7:
            raise WitnessUnreachableError("the watcher's own line")
        if desk.clock.now - start >= 7 and not gap:
            gap.append(desk.clock.now)
        return seen("frankfurt") if desk.clock.now - start < 1 else seen()

    desk.witness.see = see  # type: ignore[method-assign]
    desk.witness.left = 0
    assert desk.look(1) is True
    assert desk.clock.now - gap[0] >= SURE_AFTER
    assert len(desk.asked) == 2, "what agents said before it is old, too"


def test_agents_are_asked_where_no_move_was_prepared(desk: Desk) -> None:
    desk.witness.answer = seen()
    while not desk.moves:
        desk.look(1)
    assert len(desk.asked) == 1


def test_a_lease_that_is_given_back_meanwhile_is_missed_for_longer(desk: Desk) -> None:
    start = desk.clock.now
    lapses(desk, ends=PREPARES_AT + 1, gone=2)
    assert desk.look(1) is True
    assert 0 <= desk.clock.now - (start + 2 + SURE_AFTER) <= 0.3


@pytest.mark.requirement("what keeps a move from being prepared is told, calls nobody and delays no move")
@pytest.mark.parametrize(
    "error", [ShopSphereError("a site does not answer"), WitnessConflictError("anna has the lock")]
)
def test_a_move_that_cannot_be_prepared(desk: Desk, error: ShopSphereError) -> None:
    start = desk.clock.now
    lapses(desk, ends=PREPARES_AT + 1, gone=PREPARES_AT + 1.5)
    whole, failed = desk.watcher.move, list[str]()

    def move(reason: str, may_begin: MayBegin) -> None:
        if not failed:
            failed.append(reason)
            raise error
        present(whole)(reason, may_begin)

    desk.watcher.move = move
    assert desk.look(1) is None
    assert (desk.calls, "nothing was changed" in desk.lines[-1]) == ([], True)
    while not desk.moves:
        desk.look(1)
    assert desk.clock.now - (start + PREPARES_AT + 1.5) <= SURE_AFTER + LOOK_EVERY + 0.3
    assert desk.calls == []


def test_a_lock_that_another_one_has_is_no_failed_move(desk: Desk) -> None:
    desk.witness.answer = seen()

    def move(_reason: str, _may_begin: MayBegin) -> None:
        raise WitnessConflictError("anna has the lock")

    desk.watcher.move = move
    assert desk.look(3) is None
    assert desk.calls == []


def test_a_move_that_stops_after_it_was_prepared_calls_a_person(desk: Desk) -> None:
    lapses(desk, ends=PREPARES_AT + 1, gone=PREPARES_AT + 1.3)

    def move(_reason: str, may_begin: MayBegin) -> None:
        may_begin(lambda: None)
        raise ShopSphereError("the other site is gone too")

    desk.watcher.move = move
    assert desk.look(1) is False
    assert len(desk.calls) == 1


@pytest.mark.requirement("a person is called once when the active site does not serve its customers, and again later")
def test_a_false_alarm_forgets_nobody_who_was_called(desk: Desk) -> None:
    desk.service = fails("ledger-frankfurt is fenced", "look")
    desk.look(100)
    assert len(desk.calls) == 1
    whole = desk.witness.see

    def see() -> Seen:
        desk.witness.left = 9 if len(desk.prepared) else 3
        return whole()

    desk.witness.see = see  # type: ignore[method-assign]
    desk.look(100)
    assert len(desk.prepared) == 1
    assert len(desk.calls) == 1


@pytest.mark.requirement("a lease that is renewed at the last moment moves nothing, and calls nobody")
@pytest.mark.parametrize(
    ("renewed", "said"),
    [(seen("frankfurt"), "the lease is held"), (seen("frankfurt", phase=Phase.DRAINING), "nobody carries it on")],
)
def test_a_lease_that_is_renewed(desk: Desk, renewed: Seen, said: str) -> None:
    desk.witness.left = 3
    whole = desk.witness.see

    def see() -> Seen:
        if desk.prepared:
            desk.witness.answer, desk.witness.left = renewed, 9
        return whole()

    desk.witness.see = see  # type: ignore[method-assign]
    assert desk.look(1) is None
    assert (desk.moves, desk.calls, len(desk.prepared)) == ([], [], 1)
    assert "nothing was changed" in desk.lines[-1]
    assert said.casefold() in desk.lines[-1].casefold()


def test_a_lease_that_is_renewed_late_again_and_again_is_not_prepared_for_each_time(desk: Desk) -> None:
    desk.witness.left = 3
    whole = desk.witness.see

    def see() -> Seen:
        desk.witness.left = 9 if len(desk.prepared) % 2 else 3
        return whole()

    desk.witness.see = see  # type: ignore[method-assign]
    desk.look(1)
    desk.prepared.append("the next look sees it lapse")
    desk.look(int(PREPARES_AGAIN_AFTER / LOOK_EVERY) - 2)
    assert len(desk.prepared) == 2
    desk.look(4)
    assert len(desk.prepared) == 3
    assert desk.moves == []


@pytest.mark.parametrize(
    "lapsing", [seen("frankfurt", sync=Sync.OFF), seen("frankfurt", phase=Phase.FENCING), Seen(None, 0, "frankfurt")]
)
def test_what_could_not_be_moved_is_not_prepared(desk: Desk, lapsing: Seen) -> None:
    desk.witness.answer, desk.witness.left = lapsing, 2
    desk.look(10)
    assert desk.prepared == []


def test_payments_that_were_acknowledged_alone_meanwhile_are_left_to_a_person(desk: Desk) -> None:
    desk.witness.left = 3
    whole = desk.witness.see

    def see() -> Seen:
        if desk.prepared:
            desk.witness.answer = seen(sync=Sync.OFF)
        return whole()

    desk.witness.see = see  # type: ignore[method-assign]
    assert desk.look(1) is None
    assert desk.moves == []
    assert "could lose payments" in desk.lines[-1]


def test_a_witness_that_falls_silent_ends_the_wait(desk: Desk) -> None:
    desk.witness.left = 3
    whole = desk.witness.see

    def see() -> Seen:
        if desk.prepared:
            desk.witness.answer = None
        return whole()

    desk.witness.see = see  # type: ignore[method-assign]
    start = desk.clock.now
    assert desk.look(1) is None
    assert desk.moves == []
    assert desk.clock.now - start <= PREPARED_SECONDS + 1


def test_how_long_a_lease_lasts_is_not_known(desk: Desk) -> None:
    desk.witness.left = None
    desk.look(10)
    assert desk.prepared == []
    desk.witness.answer = seen()
    desk.look(3)
    assert len(desk.moves) == 1, "the sign is the same"
