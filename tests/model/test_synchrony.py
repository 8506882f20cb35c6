"""Whether the ledger waits for the other site, and what the witness says of it, in whatever order things happen."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbooks.agent.ledger import MARK, read_ledger
from runbooks.agent.synchrony import (
    DROP_AFTER,
    RELOAD_AFTER,
    TRUST_AFTER,
    LedgerSeen,
    Move,
    SynchronyKeeper,
    next_move,
)
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness import PairRecord, Phase, Sync, WitnessConflictError
from shopsphere.witness.seen import Seen

LONG = DROP_AFTER + TRUST_AFTER


def record(sync: Sync = Sync.OFF, **values: Phase) -> PairRecord:
    return PairRecord.first("rdc-a", "frankfurt", actor="test").changed(
        actor="test", reason="test", sync=sync, **values
    )


def ledger(**values: Any) -> LedgerSeen:
    """A ledger that waits for a site that streams, but for these values."""
    usual = {
        "told": True,
        "waits": True,
        "streams": True,
        "confirms": True,
        "written": 0,
        "replayed": 0,
        "mark": "",
        "version": "1",
    }
    return LedgerSeen(**{**usual, **values})


NOT_WAITING = {"told": False, "waits": False, "confirms": False}


class Pair:
    """Ledger, witness and the way between them, as one machine that takes one step at a time."""

    def __init__(self, sync: Sync = Sync.OFF) -> None:
        self.now, self.record, self.revision = 0.0, record(sync), 1
        self.told, self.waits, self.streams = True, True, True
        self.written = self.replayed = 0
        self.version, self.mark = 1, ""
        self.slow, self.answers = False, True
        self.under_way: list[str] = []
        self.reloads = 0

    def monotonic(self) -> float:
        return self.now

    def see(self) -> Seen:
        return Seen(self.record, self.revision, "frankfurt")

    def change(self, seen: Seen, changed: PairRecord) -> None:
        if seen.revision != self.revision:
            raise WitnessConflictError("another one")
        self.record, self.revision = changed, self.revision + 1

    def look(self) -> LedgerSeen:
        if not self.answers:
            raise ShopSphereError("no answer")
        return ledger(
            told=self.told, waits=self.waits, streams=self.streams, confirms=self.waits and self.streams,
            written=self.written, replayed=self.replayed, mark=self.mark, version=str(self.version),
        )  # fmt: skip

    def let_go(self) -> None:
        """No session is held here."""

    def node_of(self, _instance: str) -> str:
        return "frankfurt-2"

    def release(self, version: str) -> None:
        if self.slow:
            self.under_way.append(version)
            raise ShopSphereError("no answer in time, but it is under way")
        self._release(version)

    def _release(self, version: str) -> None:
        if version == str(self.version):
            self.told, self.version = False, self.version + 1

    def require(self, mark: str) -> None:
        self.told, self.mark, self.version = True, mark, self.version + 1

    def arrive(self) -> None:
        if self.under_way:
            self._release(self.under_way.pop(0))

    def load(self) -> None:
        self.waits = self.told

    def reload(self) -> None:
        self.reloads += 1
        self.load()


def keeper_of(pair: Pair) -> SynchronyKeeper:
    machine: Any = pair  # it is all three of them
    return SynchronyKeeper("agent", machine, machine, machine)


STEPS = st.sampled_from(["keep"] * 6 + ["leave", "return", "load", "slow", "fast", "arrive", "dumb", "talk"])


@pytest.mark.requirement("the ledger never runs ahead of the other site while the witness says sync on")
@settings(max_examples=600)
@example(
    [("keep", 0.5), ("leave", 0.5), ("slow", 0.5), *[("keep", 0.5)] * 5, ("keep", 2.0), ("return", 0.5), ("keep", 0.5),
     ("keep", 5.0), ("arrive", 0.5), ("load", 0.5)]
)  # fmt: skip
@given(st.lists(st.tuples(STEPS, st.sampled_from([0.5, 2.0, 5.0])), max_size=60))
def test_the_witness_knows_first(steps: list[tuple[str, float]]) -> None:
    pair = Pair()
    keeper = keeper_of(pair)
    for step, seconds in steps:
        pair.now += seconds
        match step:
            case "keep":
                with suppress(ShopSphereError):
                    keeper.keep(pair.record)
            case "leave" | "return":
                pair.streams = step == "return"
            case "slow" | "fast":
                pair.slow = step == "slow"
            case "dumb" | "talk":
                pair.answers = step == "talk"
            case "load":
                pair.load()
            case "arrive":
                pair.arrive()
        assert pair.waits or pair.record.sync is Sync.OFF, "rows are acknowledged that one site has alone"


def keep(keeper: SynchronyKeeper, pair: Pair, times: int, seconds: float = 2.0) -> list[Move]:
    moves = []
    for _ in range(times):
        pair.now += seconds
        moves.append(keeper.keep(pair.record))
        pair.load()
    return [move for move in moves if move is not Move.NOTHING]


@pytest.mark.requirement("ledger writes go on within 15 s without the other site, and are synchronous again after it")
def test_away_and_back() -> None:
    pair = Pair(Sync.ON)
    keeper = keeper_of(pair)
    assert keep(keeper, pair, 3) == []
    pair.streams = False
    gone = pair.now
    while pair.waits:
        keep(keeper, pair, 1)
    assert pair.now - gone < 15 - 5, "5 s are for noticing a cut line"
    assert pair.record.sync is Sync.OFF
    assert keep(keeper, pair, 5) == []
    pair.streams = True
    assert keep(keeper, pair, 8) == [Move.REQUIRE, Move.CONFIRM]
    assert (pair.told, pair.waits, pair.record.sync) == (True, True, Sync.ON)


def test_a_short_absence_changes_nothing() -> None:
    pair = Pair(Sync.ON)
    keeper = keeper_of(pair)
    for _ in range(5):
        pair.streams = not pair.streams
        assert keep(keeper, pair, 1, seconds=1.0) == []
    assert pair.record.sync is Sync.ON


def test_no_answer_concludes_nothing() -> None:
    pair = Pair(Sync.ON)
    keeper = keeper_of(pair)
    pair.streams = pair.answers = False
    for _ in range(10):
        pair.now += 2
        with pytest.raises(ShopSphereError):
            keeper.keep(pair.record)
    pair.answers = True
    assert keep(keeper, pair, 1) == [], "the time without an answer is not time without the other site"


def test_a_record_that_moved_on_is_not_changed() -> None:
    pair = Pair(Sync.ON)
    keeper = keeper_of(pair)
    old, pair.record, pair.streams = pair.record, record(Sync.ON, phase=Phase.FENCING), False
    for _ in range(5):
        pair.now += 2
        keeper.keep(old)
    assert (pair.record.sync, pair.told) == (Sync.ON, True)


@pytest.mark.requirement("a ledger that somebody told not to wait is reported at once")
def test_a_ledger_that_does_not_wait() -> None:
    assert next_move(record(Sync.ON), ledger(**NOT_WAITING), away=0, waiting=0, goal=None) is Move.ADMIT


@pytest.mark.parametrize(
    ("goal", "move"),
    [
        (None, Move.NOTHING),  # writes were not open a look ago: what it has may be the end of the old timeline
        (501, Move.NOTHING),  # it has not replayed all of the new one that was written then
        (500, Move.REQUIRE),
    ],
)
def test_a_follower_that_is_behind_is_not_waited_for(goal: int | None, move: Move) -> None:
    seen = ledger(**NOT_WAITING, written=900, replayed=500)
    assert next_move(record(), seen, away=0, waiting=0, goal=goal) is move


@pytest.mark.requirement("payments do not stand still while the other site catches up")
def test_what_was_written_a_look_ago_has_to_be_there() -> None:
    pair = Pair()
    pair.told = pair.waits = False
    pair.written, pair.replayed = 1000, 900  # the old timeline ends at 900
    keeper = keeper_of(pair)
    assert keep(keeper, pair, 3) == []
    pair.written, pair.replayed = 5000, 1000
    assert keep(keeper, pair, 1) == [Move.REQUIRE]
    pair.told = pair.waits = False
    keeper.forget()
    assert keep(keeper, pair, 1) == [], "what was written before writes were closed says nothing"


def test_what_is_read() -> None:
    document = {
        "metadata": {"resourceVersion": "7", "annotations": {MARK: "abc"}},
        "spec": {"postgresql": {"synchronous": {"standbyNamesPre": ["ledger-dublin"]}}},
    }
    follower = {"name": "ledger-dublin", "state": "streaming", "sync": "sync", "replayed": 5}
    answer = {"written": 7, "waits_for": 'FIRST 1 ("ledger-dublin")', "followers": [follower]}
    assert read_ledger(document, answer, "ledger-dublin") == ledger(written=7, replayed=5, mark="abc", version="7")
    bare = {"metadata": {"resourceVersion": "7"}, "spec": {}}
    nothing = ledger(**NOT_WAITING, streams=False, version="7")
    assert read_ledger(bare, {"waits_for": "", "followers": []}, "ledger-dublin") == nothing


@pytest.mark.requirement("an instance that missed its cluster's settings when it started does not miss them for ever")
@pytest.mark.parametrize("told", [True, False])
def test_settings_that_were_written_and_not_read(told: bool) -> None:
    pair = Pair(Sync.OFF)
    keeper = keeper_of(pair)
    pair.told, pair.waits, pair.streams, pair.mark = told, not told, told, pair.record.change
    moves = [keeper.keep(pair.record)]
    for _ in range(21):
        pair.now += 0.5
        moves.append(keeper.keep(pair.record))
        if moves[-1] is Move.RELOAD:
            break
    assert moves[-1] is Move.RELOAD
    assert (pair.now, pair.waits) == (RELOAD_AFTER, told)
    for _ in range(60):
        pair.now += 0.5
        pair.load()
        keeper.keep(pair.record)
    assert pair.reloads == 1
    assert pair.record.sync is (Sync.ON if told else Sync.OFF)


def test_an_answer_that_is_slow_is_not_asked_for_again_at_once() -> None:
    pair = Pair(Sync.OFF)
    keeper = keeper_of(pair)
    pair.told, pair.waits, pair.mark = True, False, pair.record.change
    pair.load = lambda: None  # type: ignore[method-assign]
    for _ in range(41):
        keeper.keep(pair.record)
        pair.now += 0.5
    assert pair.reloads == 4
