"""Who was let go again and again is waited for only after it has streamed for longer and longer."""

from __future__ import annotations

import pytest
from manual_clock import ManualClock
from test_copies_and_peer import Pair, keeper_of

from runbooks.agent.copies import waited_for
from runbooks.agent.patience import FORGIVEN_AFTER, Patience


class Watched:
    """Somebody who is waited for whenever that is not asked too much."""

    def __init__(self) -> None:
        self.clock = ManualClock(1000.0)
        self.patience = Patience(self.clock)
        self.patience.look(told=True, streams=True)

    def lose(self) -> None:
        self.patience.look(told=True, streams=False)
        self.patience.look(told=False, streams=False)

    def seconds_until_steady(self) -> float:
        """Return for how long it has to stream, in seconds."""
        began = self.clock.now
        while not self.patience.look(told=False, streams=True):
            self.clock.sleep(0.5)
        self.patience.look(told=True, streams=True)
        return self.clock.now - began


def test_each_time_twice_as_long_up_to_a_bound() -> None:
    watched, asked = Watched(), list[float]()
    for _ in range(8):
        watched.lose()
        asked.append(watched.seconds_until_steady())
        watched.clock.sleep(5)
    assert asked == [0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0]


def test_what_was_long_ago_is_forgiven() -> None:
    watched = Watched()
    for _ in range(4):
        watched.lose()
        watched.seconds_until_steady()
    watched.clock.sleep(FORGIVEN_AFTER)
    watched.lose()
    assert watched.seconds_until_steady() == 0.0


def test_a_break_begins_the_time_anew() -> None:
    watched = Watched()
    for _ in range(2):
        watched.lose()
        began = watched.clock.now
        if not watched.patience.look(told=False, streams=True):
            watched.clock.sleep(9)
            watched.patience.look(told=False, streams=False)
        steady = watched.seconds_until_steady()
    assert (steady, watched.clock.now - began) == (10.0, 19.0)


def test_a_new_reign_begins_with_trust() -> None:
    watched = Watched()
    for _ in range(3):
        watched.lose()
        watched.seconds_until_steady()
    watched.lose()
    watched.patience.forget()
    assert watched.seconds_until_steady() == 0.0


@pytest.mark.requirement("a copy whose line breaks every half minute costs payments a wait every five minutes at most")
@pytest.mark.parametrize("who", ["the instance beside", "the other site"])
def test_a_line_that_breaks_again_and_again(who: str) -> None:
    pair = Pair()
    keeper, waits, stood, was = keeper_of(pair), 0, 0, False
    for second in range(0, 7200, 2):
        pair.now += 2
        there = second % 30 < 16 or second >= 6600
        pair.streams, pair.peer_streams = (there, True) if who == "the instance beside" else (True, there)
        if pair.streams:
            pair.at_second = pair.written
        if pair.peer_streams:
            pair.at_peer = pair.written
        before = pair.acknowledged
        pair.write()
        stood += pair.acknowledged == before
        keeper.keep(pair.record)
        pair.load()
        now = len(waited_for(pair.setting)) == 2
        waits, was = waits + (now and not was), now
    assert waits <= 5, "it never streams for 20 seconds, so that it is waited for again only in the end"
    assert stood * 2 <= 60
    assert now, "and then for good"
