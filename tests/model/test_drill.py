"""A drill on a pair made of plain values: what it refuses, that it comes back, and that a kill anywhere is mended."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from manual_clock import ManualClock
from present import present
from ready_pair import AWAY, HOME, PAIR, TOPOLOGY, drill, record

from runbooks import operate
from runbooks.change import PLANNED, UNPLANNED
from runbooks.drill import there_and_back
from runbooks.drill.stage import Stage, stage_of
from runbooks.drill.there_and_back import DrillError, DrillRequest, carry_out, look
from runbooks.engine import DryRun, Journal, RunFacts, RunRecord
from runbooks.engine.records import Event, Kind
from runbooks.operate import FAILOVER, REBUILD, Request
from runbooks.readiness.drill_record import DrillRecord, DrillRecordError, Result, last_drill, save
from runbooks.readiness.score import LAST_DRILL, Readiness
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.finding import Finding, Verdict, fails
from shopsphere.witness.seen import Seen

REQUEST = DrillRequest(PAIR, Environment.LAB, "weekly")
NO_DRILL_YET = fails("there was none", "drill").by(LAST_DRILL, "drill")


def records() -> Path:
    return records_directory(Environment.LAB)


class Killed(BaseException):
    """In place of SIGKILL: nothing catches it."""


class Pair:
    """A witness's record, journals on a disk, and moves that may fail or be killed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self.record, self.clock = record(epoch=7), ManualClock()
        self.targets: list[str] = []
        self.failing: dict[str, BaseException] = {}
        self.wrong: Callable[[], tuple[Finding, ...]] = tuple
        monkeypatch.setenv("SHOPSPHERE_LAB", str(directory))
        monkeypatch.setattr(there_and_back, "see_once", lambda *_words: Seen(self.record, 1, self.record.active))
        monkeypatch.setattr(there_and_back, "acting", lambda *_words: "operator-anna: anna at desk")
        monkeypatch.setattr(there_and_back, "readiness_of", lambda *_words: self.readiness())
        monkeypatch.setattr(operate, "carry_out", lambda _topology, request: self.move(request))
        monkeypatch.setattr(operate, "look", lambda *_words: DryRun("failover", ()))

    def readiness(self) -> Readiness:
        return Readiness(PAIR, self.record.active, (NO_DRILL_YET, *self.wrong()))

    def move(self, request: Request) -> None:
        """As `operate.carry_out`: begins or resumes a run, moves the witness in its middle, ends it."""
        left = Journal.unfinished(records(), pair=PAIR)
        facts = RunFacts(request.runbook, request.variant, PAIR, "anna", request.reason)
        with Journal.resume(left.path, actor="anna") if left else Journal.start(records(), facts) as journal:
            if left is None:
                journal.remember("target", request.target)
                journal.remember("epoch", self.record.epoch)
            target, epoch = journal.recall("target"), journal.recall("epoch")
            assert request.target == target
            self.trouble(f"{target} before")
            if self.record.epoch == epoch:
                self.record = self.record.changed(actor="anna", reason="test", epoch=epoch + 1, active=target)
            self.trouble(f"{target} after")
            self.targets.append(target)
            journal.finish()

    def trouble(self, moment: str) -> None:
        if moment in self.failing:
            raise self.failing.pop(moment)

    def hold(self) -> Path:
        return carry_out(TOPOLOGY, REQUEST, clock=self.clock)

    @property
    def last(self) -> DrillRecord | None:
        return last_drill(records(), PAIR, Environment.LAB)


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pair:
    return Pair(monkeypatch, tmp_path)


def finding(number: int = 3, verdict: Verdict = Verdict.FAILED) -> Finding:
    return Finding(verdict=verdict, found="images differ", action="deploy").by(f"P{number}", "versions")


@pytest.mark.requirement("a drill moves the pair there and back, and leaves a green record")
def test_there_and_back(pair: Pair) -> None:
    file = pair.hold()
    assert pair.targets == [AWAY, HOME]
    assert (pair.record.active, pair.record.epoch) == (HOME, 9)
    kept = present(pair.last)
    assert kept.result is Result.GREEN
    assert present(kept.ended) >= kept.began
    assert (kept.reason, kept.home, kept.away, kept.epoch) == ("weekly", HOME, AWAY, 7)
    assert [move.target for move in kept.moves] == [AWAY, HOME]
    assert all(move.total_seconds >= 0 for move in kept.moves)
    assert list(kept.checks) == ["before", "away", "home"]
    assert file.parent == records() / "drills"


@pytest.mark.requirement("a drill is refused on a pair that is not ready, and says why")
@pytest.mark.parametrize("verdict", [Verdict.FAILED, Verdict.UNKNOWN])
def test_a_pair_that_is_not_ready(pair: Pair, verdict: Verdict) -> None:
    pair.wrong = lambda: (finding(3, verdict), finding(9, verdict))
    with pytest.raises(DrillError, match=f"P3 {verdict}: images differ\n +P9 {verdict}") as refused:
        pair.hold()
    assert LAST_DRILL not in str(refused.value)
    assert pair.targets == []
    assert pair.last is None


@pytest.mark.requirement("a dry run of a drill changes nothing, and refuses what the drill would refuse")
def test_dry_run(pair: Pair) -> None:
    look(TOPOLOGY, REQUEST).require_clear()
    pair.wrong = lambda: (finding(),)
    outlook = look(TOPOLOGY, REQUEST)
    with pytest.raises(DrillError, match="not ready"):
        outlook.require_clear()
    assert outlook.failover is not None
    assert pair.targets == []
    assert pair.last is None


@pytest.mark.requirement("a drill that is killed anywhere comes back when it is called again")
@pytest.mark.parametrize("moment", [f"{site} {when}" for site in (AWAY, HOME) for when in ("before", "after")])
def test_killed_in_a_move(pair: Pair, moment: str) -> None:
    pair.failing = {moment: Killed()}
    with pytest.raises(Killed):
        pair.hold()
    assert present(pair.last).ended is None
    pair.wrong = lambda: (finding(9),) if Journal.unfinished(records(), pair=PAIR) else ()
    assert "next: " in look(TOPOLOGY, REQUEST).unfinished
    pair.hold()
    assert pair.targets == [AWAY, HOME]
    assert (pair.record.active, pair.record.epoch) == (HOME, 9)
    assert present(pair.last).result is Result.GREEN, present(pair.last).problems
    assert [move.target for move in present(pair.last).moves] == [AWAY, HOME]


@pytest.mark.requirement("a drill that is killed anywhere comes back when it is called again")
@pytest.mark.parametrize("moment", [f"{site} {when}" for site in (AWAY, HOME) for when in ("before", "after")])
def test_a_clock_that_is_set_back_in_a_drill(pair: Pair, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    ahead = SimpleNamespace(now=lambda zone: datetime.now(zone) + timedelta(hours=1))
    monkeypatch.setattr(there_and_back, "datetime", ahead)
    test_killed_in_a_move(pair, moment)


@pytest.mark.requirement("a drill that is killed anywhere comes back when it is called again")
@pytest.mark.parametrize(("looks", "stage"), [(1, Stage.BACK), (2, Stage.HOME)])
def test_killed_in_the_checks_after_a_move(pair: Pair, looks: int, stage: Stage) -> None:
    counted = []

    def kill() -> tuple[Any, ...]:
        counted.append(1)
        if len(counted) > looks:
            raise Killed
        return ()

    pair.wrong = kill
    with pytest.raises(Killed):
        pair.hold()
    pair.wrong = lambda: ()
    outlook = look(TOPOLOGY, REQUEST)
    assert outlook.unfinished.endswith(f"next: {stage}")
    assert (outlook.failover is None) is (stage is Stage.HOME)
    pair.hold()
    assert pair.targets == [AWAY, HOME]
    assert present(pair.last).result is Result.GREEN
    assert {"away", "home"} <= set(present(pair.last).checks)


def test_killed_before_anything_moved_begins_anew(pair: Pair) -> None:
    save(
        records(),
        drill(epoch=7, began=datetime.now(UTC) - timedelta(hours=1), ended=None, result=None),
    )
    assert look(TOPOLOGY, REQUEST).unfinished == ""
    pair.hold()
    assert len(list((records() / "drills").iterdir())) == 2
    assert present(pair.last).result is Result.GREEN


@pytest.mark.requirement("a drill whose failback fails is red, says where the pair is, and goes on when called again")
@pytest.mark.parametrize(
    ("moment", "active"), [(f"{AWAY} before", HOME), (f"{HOME} before", AWAY), (f"{HOME} after", HOME)]
)
def test_a_move_that_fails(pair: Pair, moment: str, active: str) -> None:
    pair.failing = {moment: ShopSphereError("frankfurt does not follow")}
    with pytest.raises(DrillError, match=f"{active} is active now") as failed:
        pair.hold()
    assert "shopsphere drill rdc-a --execute" in str(failed.value)
    assert "frankfurt does not follow" in str(failed.value)
    assert (present(pair.last).result, present(pair.last).ended) == (Result.RED, None)
    with pytest.raises(DrillError, match="red"):
        pair.hold()
    assert (pair.record.active, pair.record.epoch) == (HOME, 9)
    assert present(pair.last).result is Result.RED, "it comes back, but it was no good drill"
    assert present(pair.last).ended is not None


@pytest.mark.requirement("checks after a move are waited for with a bound; a drill that ends with one open is red")
def test_a_check_that_does_not_come_about(pair: Pair) -> None:
    pair.wrong = lambda: (finding(),) if pair.record.active == AWAY else ()
    with pytest.raises(DrillError, match="away: P3 fail: images differ"):
        pair.hold()
    assert pair.targets == [AWAY, HOME], "the way back is taken all the same"
    assert there_and_back.SETTLE_SECONDS <= pair.clock.now <= there_and_back.SETTLE_SECONDS + 5
    assert present(pair.last).result is Result.RED
    assert present(pair.last).ended is not None


def test_a_check_that_comes_about_late_is_green(pair: Pair) -> None:
    pair.wrong = lambda: (finding(2),) if pair.record.active == AWAY and pair.clock.now < 20 else ()
    pair.hold()
    assert present(pair.last).result is Result.GREEN


def run(
    epoch: int | None = 7,
    *,
    variant: str | None = PLANNED,
    runbook: str = FAILOVER,
    reason: str = "drill: weekly",
    ended: bool = True,
) -> RunRecord:
    now = datetime.now(UTC)
    values = {} if epoch is None else {"epoch": epoch}
    events = [Event(Kind.RUN_STARTED, now, {})]
    events += [Event(Kind.REMEMBERED, now, {"key": key, "value": value}) for key, value in values.items()]
    events += [Event(Kind.RUN_FINISHED, now, {})] if ended else []
    return RunRecord(records() / "x", RunFacts(runbook, variant, PAIR, "anna", reason), tuple(events))


@pytest.mark.requirement("a drill goes on only where it was the drill that moved the pair")
@pytest.mark.parametrize(
    ("epoch", "active", "runs", "stage"),
    [
        (7, HOME, [], Stage.BEGIN),
        (7, HOME, [run(ended=False)], Stage.OUT),
        (7, HOME, [run(None, ended=False)], Stage.OUT),
        (8, AWAY, [run(ended=False)], Stage.OUT),
        (8, AWAY, [run()], Stage.BACK),
        (8, AWAY, [run(), run(8, ended=False)], Stage.BACK),
        (8, AWAY, [run(), run(None, ended=False)], Stage.BACK),
        (9, HOME, [run(), run(8, ended=False)], Stage.BACK),
        (9, HOME, [run(), run(8)], Stage.HOME),
        (9, HOME, [run(), run(8, reason="by hand")], Stage.HOME),
        (8, AWAY, [], Stage.FOREIGN),
        (8, AWAY, [run(reason="by hand")], Stage.FOREIGN),
        (7, HOME, [run(reason="by hand", ended=False)], Stage.FOREIGN),
        (7, HOME, [run(variant=UNPLANNED, ended=False)], Stage.FOREIGN),
        (8, AWAY, [run(), run(8, runbook=REBUILD, variant=None, ended=False)], Stage.FOREIGN),
        (9, AWAY, [run(), run(8)], Stage.FOREIGN),
        (10, AWAY, [run(), run(8), run(9)], Stage.FOREIGN),
    ],
)
def test_where_it_stands(epoch: int, active: str, runs: list[RunRecord], stage: Stage) -> None:
    assert stage_of(drill(epoch=7), record(epoch=epoch, active=active), runs) is stage


def test_the_last_drill_is_the_pairs_own_and_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    save(tmp_path, drill(reason="first"))
    save(tmp_path, drill(reason="second", began=datetime.now(UTC) + timedelta(seconds=1)))
    save(tmp_path, drill(pair="rdc-b", reason="other"))
    assert present(last_drill(tmp_path, PAIR, Environment.LAB)).reason == "second"
    assert last_drill(tmp_path, PAIR, Environment.PROD) is None


def test_a_damaged_record_is_said_to_be_so(tmp_path: Path) -> None:
    save(tmp_path, drill()).write_text("{}")
    with pytest.raises(DrillRecordError, match="damaged"):
        last_drill(tmp_path, PAIR, Environment.LAB)


@pytest.mark.requirement("a site that was only slow to answer keeps no drill from being held")
def test_what_did_not_answer_is_asked_again(pair: Pair) -> None:
    pair.wrong = lambda: (finding(3, Verdict.UNKNOWN),) if pair.clock.now < 3 else ()
    pair.hold()
    assert present(pair.last).result is Result.GREEN


KEPT = {"number": 3, "name": "versions", "verdict": "unknown", "found": "silence", "action": "ask again"}


def test_a_record_keeps_what_the_checks_found(pair: Pair) -> None:
    save(records(), drill(checks={"before": (finding(3, Verdict.UNKNOWN),)}))
    (file,) = (records() / "drills").iterdir()
    assert json.loads(file.read_text())["checks"]["before"] == [{**KEPT, "found": "images differ", "action": "deploy"}]
    assert present(pair.last).checks["before"] == (finding(3, Verdict.UNKNOWN),)


@pytest.mark.parametrize("spoiled", [{"verdict": "perhaps"}, {"number": "3"}, {"more": 1}, {"found": None}], ids=str)
def test_a_damaged_finding_in_a_record_is_an_error(pair: Pair, spoiled: dict[str, Any]) -> None:
    file = save(records(), drill(checks={"before": (finding(3),)}))
    document = json.loads(file.read_text())
    document["checks"]["before"] = [{**KEPT, **spoiled}]
    file.write_text(json.dumps(document))
    with pytest.raises(DrillRecordError, match="is damaged"):
        pair.last  # noqa: B018
