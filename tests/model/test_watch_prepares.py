"""Unattended detection: a move is prepared while the lease of a lost site runs out."""

import pytest
from watch_desk import Desk, seen

from runbooks.watch import LOOK_EVERY, PREPARED_SECONDS, PREPARES_AGAIN_AFTER, PREPARES_AT, SURE_AFTER_LAPSE
from shopsphere.witness import Phase, Sync
from shopsphere.witness.seen import Seen


@pytest.fixture
def desk() -> Desk:
    return Desk()


def lapses(desk: Desk, *, after: float) -> None:
    """Let the lease end some seconds after it is asked about first, as etcd does where nobody renews it."""
    start = desk.clock.now
    whole = desk.witness.see

    def see() -> Seen:
        if desk.clock.now - start >= after:
            desk.witness.answer = seen()
        return whole()

    desk.witness.see = see  # type: ignore[method-assign]


@pytest.mark.requirement("a move is prepared while a lost site's lease runs out, and begins when it has")
def test_what_takes_time_is_done_before_the_lease_is_over(desk: Desk) -> None:
    desk.look(4)
    assert desk.prepared == []
    desk.witness.left = PREPARES_AT
    start = desk.clock.now
    lapses(desk, after=5)
    assert desk.look(1) is True
    assert "nobody renewed the lease" in desk.prepared[0]
    assert len(desk.moves) == 1
    assert start + 5 + SURE_AFTER_LAPSE <= desk.clock.now <= start + LOOK_EVERY + 5 + SURE_AFTER_LAPSE + 0.3
    assert "a move is prepared" in desk.lines[-1]


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
