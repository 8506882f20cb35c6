"""Beginning, refusing and going on with a change, on small runbooks instead of a real pair."""

import json
import os
import pwd
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from present import present
from runbook_steps import write_step

from runbooks import audit_trail, operate, recorded_run
from runbooks.change import MOVE, PLANNED, UNPLANNED, RoleChange
from runbooks.direction import Direction
from runbooks.engine import (
    Journal,
    RunbookError,
    RunFacts,
    RunRecord,
    StepFailedError,
    WriteFailedError,
    audit,
    read_run,
)
from runbooks.engine.records import Kind
from runbooks.operate import FAILOVER, Request
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, WitnessConflictError
from shopsphere.witness.heads import AuditHead
from shopsphere.witness.seen import Seen

TOPOLOGY = load_topology()


class Witness:
    record = PairRecord.first("rdc-a", "frankfurt", actor="test")
    user = "operator"

    def prefer_fastest(self) -> None:
        """All are as near."""

    def see(self) -> Seen:
        return Seen(self.record, 1, self.record.active)

    def __init__(self) -> None:
        self.kept: list[AuditHead] = []
        self.pair, self.audit = "rdc-a", SimpleNamespace(keep=self.kept.append, pair="rdc-a")

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An operator's machine with a failover of two steps."""
    witness = Witness()
    monkeypatch.setattr(operate, "FOLDER", tmp_path)
    monkeypatch.setattr(recorded_run, "require_records_directory", lambda _environment: tmp_path / "runs")
    monkeypatch.setattr(operate, "operated_witness", lambda *_: witness)
    monkeypatch.setattr(operate, "operator_lock", lambda *_: nullcontext())
    asked: list[str] = []
    monkeypatch.setattr(RoleChange, "source_look", lambda change: asked.append(change.source))
    steps = tmp_path / FAILOVER

    def write(second: str = "pass", first: str = "pass") -> None:
        write_step(steps, "01-look-around", act="context.remember('looked', True)", check=first,
                   verify="return bool(context.recall('looked'))")  # fmt: skip
        write_step(steps, "02-move-data", act="context.remember('moved', context.target)", check=second,
                   verify="return context.recall('moved') == context.target")  # fmt: skip
        for file in steps.glob("*.py"):
            text = file.read_text()
            file.write_text(text.replace("with (context.state", "return\n    with (context.state"))

    write()
    return SimpleNamespace(write=write, runs=tmp_path / "runs", witness=witness, asked=asked)


def go(variant: str = PLANNED, **values: Any) -> Path:
    request = Request(FAILOVER, "rdc-a", Environment.LAB, variant, "", "test", **{"accept_data_loss": False, **values})
    return operate.carry_out(TOPOLOGY, request)


def write_abort(folder: Path) -> None:
    write_step(folder / operate.ABORT, "01-do-nothing", act="pass", verify="return True")
    step = folder / operate.ABORT / "01-do-nothing.py"
    step.write_text(step.read_text().replace("with (context.state", "return True\n    with (context.state"))


def runs(desk: SimpleNamespace) -> list[RunRecord]:
    return [present(read_run(path)) for path in sorted(desk.runs.glob("0*.jsonl"))]


def test_a_change_leaves_a_report_and_an_audit(desk: SimpleNamespace) -> None:
    assert (go() / "report.md").exists()
    assert audit.verify_chain(desk.runs / "audit.jsonl") == 2
    assert present(runs(desk)[0].end).kind is Kind.RUN_FINISHED


@pytest.mark.requirement("each run tells the witness what its audit log is, at its begin and at its end")
def test_the_head_of_the_audit_is_kept_where_its_author_cannot_change_it(desk: SimpleNamespace) -> None:
    go()
    chain = audit.read_chain(desk.runs / "audit.jsonl")
    assert [(each.log, each.count, each.head) for each in desk.witness.kept] == [
        (chain.log, 1, chain.hashes[0]),
        (chain.log, 2, chain.hashes[1]),
    ]
    assert desk.witness.kept[0].place == f"{socket.gethostname()}:{desk.runs}/audit.jsonl"


@pytest.mark.requirement("no second site takes writes, whoever rules the voters")
@pytest.mark.parametrize(("variant", "asked"), [(PLANNED, []), (UNPLANNED, ["frankfurt"])])
def test_the_site_that_is_left_is_asked_when_the_change_begins(
    desk: SimpleNamespace, variant: str, asked: list[str]
) -> None:
    go(variant)
    assert desk.asked == asked


@pytest.mark.requirement(
    "a name in the environment signs for nobody: not in the lock, the journal, the audit, the record"
)
@pytest.mark.parametrize(("user", "before"), [("operator", ""), ("operator-anna", "operator-anna: ")])
def test_the_environment_does_not_sign(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, user: str, before: str
) -> None:
    owners: list[str] = []

    def lock(_witness: object, owner: str) -> nullcontext[None]:
        owners.append(owner)
        return nullcontext()

    monkeypatch.setattr(operate, "operator_lock", lock)
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(variable, "the-cfo")
    desk.write(first="context.remember('signs_as', context.actor)")
    desk.witness.user = user
    go()
    (run,) = runs(desk)
    records = [json.loads(line) for line in (desk.runs / "audit.jsonl").read_text().splitlines()]
    signed = [owners[0], run.facts.actor, run.values["signs_as"], *(each["actor"] for each in records)]
    assert len(signed) == 5
    me = pwd.getpwuid(os.getuid()).pw_name
    assert all(each.startswith(before + me) and "the-cfo" not in each for each in signed), signed


@pytest.mark.requirement("a refusal is on record elsewhere too")
def test_the_head_of_a_run_that_stopped_is_kept(desk: SimpleNamespace) -> None:
    desk.write(second='raise BlockedError("not now")')
    with pytest.raises(StepFailedError):
        go()
    assert [each.count for each in desk.witness.kept] == [1, 2]


@pytest.mark.requirement("no audit log keeps a pair from being moved")
def test_a_head_that_is_not_kept_is_said_and_stops_nothing(
    desk: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_head: object) -> None:
        raise WitnessConflictError("the witness knows of 9 records")

    desk.witness.audit.keep = refuse
    assert (go() / "report.md").exists()
    told = capsys.readouterr().err
    assert f"the head of the audit log {desk.runs}/audit.jsonl is not kept at the witness of rdc-a" in told
    assert "knows of 9 records" in told


@pytest.mark.requirement("no audit log keeps a pair from being moved")
def test_a_witness_that_hangs_keeps_no_run_waiting_before_its_end(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit_trail, "KEEP_SECONDS", 0.2)
    ended = threading.Event()
    desk.witness.audit.keep = lambda _head: ended.wait(60)
    begun = time.monotonic()
    go()
    ended.set()
    assert time.monotonic() - begun < 40
    assert "the witness has not returned in time" in capsys.readouterr().err


@pytest.mark.requirement(
    "a change that is made does not fail for want of room for its records: repeated, it would go back"
)
def test_a_change_that_cannot_be_recorded_is_made(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    append = audit.append

    def full(path: Path, facts: Any) -> audit.Mark:
        if facts["event"] == "end":
            raise WriteFailedError(f"{path}\n  do:       call the same command again") from OSError(28, "No space left")
        return append(path, facts)

    def full_too(*_words: object) -> None:
        raise OSError(28, "No space left")

    monkeypatch.setattr(audit, "append", full)
    monkeypatch.setattr("runbooks.engine.report.write_whole", full_too)
    assert not list(go().glob("*"))
    assert present(runs(desk)[0].end).kind is Kind.RUN_FINISHED
    told = capsys.readouterr().err
    assert "do not repeat it; but its report could not be written: [Errno 28] No space left" in told
    assert "its end in the audit log could not be written: [Errno 28] No space left" in told
    assert "same command" not in told


@pytest.mark.requirement("operators in several time zones read one time")
def test_the_time_of_a_lock_is_utc(desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    owners: list[str] = []

    def lock(_witness: object, owner: str) -> nullcontext[None]:
        owners.append(owner)
        return nullcontext()

    monkeypatch.setattr(operate, "operator_lock", lock)
    monkeypatch.setenv("TZ", "Asia/Singapore")
    time.tzset()
    before = datetime.now(UTC).replace(microsecond=0)
    try:
        go()
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
    said = re.search(r" since (\S+ \S+) UTC: test$", owners[0])
    assert said
    assert before <= datetime.fromisoformat(said[1]).replace(tzinfo=UTC) <= datetime.now(UTC)


@pytest.mark.requirement("a refusal before anything was done leaves nothing to be finished")
def test_a_refused_change_is_over(desk: SimpleNamespace) -> None:
    desk.write(first='raise BlockedError("not now")')
    with pytest.raises(StepFailedError, match="this run has changed nothing"):
        go()
    assert Journal.unfinished(desk.runs) is None
    desk.write()
    go(UNPLANNED)


@pytest.mark.requirement("a change that stopped on its way is gone on with by the same command only")
def test_a_stopped_change_is_gone_on_with(desk: SimpleNamespace) -> None:
    desk.write(second='raise BlockedError("not now")')
    with pytest.raises(StepFailedError, match="resumes run"):
        go(UNPLANNED)
    with pytest.raises(ShopSphereError, match="unfinished run is of another kind"):
        go(PLANNED)
    desk.write()
    go(UNPLANNED)
    assert len(runs(desk)) == 1


@pytest.mark.requirement("a site that is lost while it is being left is left without it, in the same direction")
@pytest.mark.parametrize("epoch", [1, 2])
def test_a_planned_change_goes_on_unplanned(desk: SimpleNamespace, epoch: int) -> None:
    desk.write(second='raise BlockedError("the old site does not answer")')
    with pytest.raises(StepFailedError):
        go(PLANNED)
    if epoch > 1:  # the witness has moved already: from there the way leads cannot be taken back
        desk.witness.record = desk.witness.record.changed(actor="t", reason="t", epoch=2, active="dublin")
    desk.write()
    go(UNPLANNED)
    planned, unplanned = runs(desk)
    assert present(planned.end).kind is Kind.RUN_ABANDONED
    assert present(unplanned.end).kind is Kind.RUN_FINISHED
    assert unplanned.values["target"] == planned.values["target"] == "dublin"
    assert unplanned.values["epoch"] == 1


@pytest.mark.requirement("a run that goes on in the middle of a change is not over because it was refused itself")
@pytest.mark.parametrize("epoch", [1, 2])
def test_a_change_that_goes_on_unplanned_keeps_its_direction_over_a_refusal(desk: SimpleNamespace, epoch: int) -> None:
    desk.write(second='raise BlockedError("the old site does not answer")')
    with pytest.raises(StepFailedError):
        go(PLANNED)
    if epoch > 1:
        desk.witness.record = desk.witness.record.changed(actor="t", reason="t", epoch=2, active="dublin")
    desk.write(first='raise BlockedError("not now")')
    with pytest.raises(StepFailedError, match="resumes run"):
        go(UNPLANNED)
    planned, unplanned = runs(desk)
    assert present(planned.end).kind is Kind.RUN_ABANDONED
    assert (unplanned.end, unplanned.touched) == (None, True)
    assert unplanned.events[0].fields["goes_on"] == planned.run
    desk.write()
    go(UNPLANNED)
    assert [run.values["target"] for run in runs(desk)] == ["dublin", "dublin"]


def test_taking_back_that_was_refused_leaves_the_pair_free_to_be_moved(desk: SimpleNamespace, tmp_path: Path) -> None:
    write_step(tmp_path / operate.ABORT, "01-do-nothing", check='raise BlockedError("not now")', verify="return False")
    step = tmp_path / operate.ABORT / "01-do-nothing.py"
    step.write_text(step.read_text().replace("with (context.state", "return\n    with (context.state"))
    desk.write(second='raise BlockedError("not now")')
    with pytest.raises(StepFailedError):
        go(PLANNED)
    with pytest.raises(StepFailedError):
        operate.carry_out(
            TOPOLOGY, Request(operate.ABORT, "rdc-a", Environment.LAB, None, "", "test", accept_data_loss=False)
        )
    assert Journal.unfinished(desk.runs) is None
    desk.write()
    go(UNPLANNED)


def write_rebuild(folder: Path, *, ends: bool) -> None:
    """One that has begun to change something, and waits for the copies."""
    write_step(
        folder / operate.REBUILD, "01-make-copies", act="context.remember('old-ledger', 'x')", verify=f"return {ends}"
    )
    step = folder / operate.REBUILD / "01-make-copies.py"
    step.write_text(step.read_text().replace("with (context.state", "return 1\n    with (context.state"))


def stopped_rebuild(desk: SimpleNamespace, folder: Path) -> None:
    write_rebuild(folder, ends=False)
    with pytest.raises(StepFailedError):
        operate.carry_out(
            TOPOLOGY, Request(operate.REBUILD, "rdc-a", Environment.LAB, None, "", "t", accept_data_loss=False)
        )
    assert runs(desk)[0].touched
    assert runs(desk)[0].end is None


@pytest.mark.requirement("a site that is lost while the other one is rebuilt from it is left all the same")
def test_a_lost_site_is_left_in_the_middle_of_a_rebuild(desk: SimpleNamespace, tmp_path: Path) -> None:
    stopped_rebuild(desk, tmp_path)
    with pytest.raises(ShopSphereError, match="unfinished run is of another kind"):
        go(PLANNED)
    go(UNPLANNED)
    rebuild, failover = runs(desk)
    assert present(rebuild.end).kind is Kind.RUN_ABANDONED
    assert present(rebuild.end).fields["reason"] == "goes on as failover unplanned: test"
    assert present(rebuild.end).fields["actor"] == failover.facts.actor
    assert present(failover.end).kind is Kind.RUN_FINISHED
    assert (failover.values["source"], failover.values["target"], failover.values["epoch"]) == (
        "frankfurt",
        "dublin",
        1,
    )


def test_the_way_is_found_anew_after_a_rebuild(desk: SimpleNamespace, tmp_path: Path) -> None:
    """The pair was moved from another machine since."""
    stopped_rebuild(desk, tmp_path)
    desk.witness.record = desk.witness.record.changed(actor="t", reason="t", epoch=2, active="dublin")
    go(UNPLANNED)
    values = runs(desk)[1].values
    assert (values["source"], values["target"], values["epoch"]) == ("dublin", "frankfurt", 2)


def test_a_failover_that_was_refused_after_a_rebuild_is_over(desk: SimpleNamespace, tmp_path: Path) -> None:
    stopped_rebuild(desk, tmp_path)
    desk.write(first='raise BlockedError("ledger-dublin is fenced")')
    with pytest.raises(StepFailedError, match="this run has changed nothing"):
        go(UNPLANNED)
    assert Journal.unfinished(desk.runs) is None
    write_rebuild(tmp_path, ends=True)
    operate.carry_out(
        TOPOLOGY, Request(operate.REBUILD, "rdc-a", Environment.LAB, None, "", "t", accept_data_loss=False)
    )


def test_the_glass_is_broken_in_the_middle_of_a_rebuild(
    desk: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped_rebuild(desk, tmp_path)
    (tmp_path / FAILOVER).rename(tmp_path / operate.BREAK_GLASS)
    monkeypatch.setattr(operate, "direction_without_witness", lambda *_: Direction("frankfurt", "dublin", 7, MOVE))
    operate.carry_out(
        TOPOLOGY, Request(operate.BREAK_GLASS, "rdc-a", Environment.LAB, None, "", "t", accept_data_loss=True)
    )
    rebuild, broken = runs(desk)
    assert present(rebuild.end).kind is Kind.RUN_ABANDONED
    assert (present(broken.end).kind, broken.values["epoch"]) == (Kind.RUN_FINISHED, 7)


@pytest.mark.requirement("a change that has not passed the point of no return can be taken back")
def test_a_stopped_change_is_taken_back(desk: SimpleNamespace, tmp_path: Path) -> None:
    write_abort(tmp_path)
    desk.write(second='raise BlockedError("not now")')
    with pytest.raises(StepFailedError):
        go(PLANNED)
    operate.carry_out(
        TOPOLOGY, Request(operate.ABORT, "rdc-a", Environment.LAB, None, "", "test", accept_data_loss=False)
    )
    assert [present(run.end).kind for run in runs(desk)] == [Kind.RUN_ABANDONED, Kind.RUN_FINISHED]
    desk.write()
    go(UNPLANNED)


@pytest.mark.requirement("what has passed the point of no return is finished, not taken back and forgotten")
def test_too_late_to_take_back(desk: SimpleNamespace, tmp_path: Path) -> None:
    write_abort(tmp_path)
    desk.write(second='raise BlockedError("not now")')
    with pytest.raises(StepFailedError):
        go(PLANNED)
    desk.witness.record = desk.witness.record.changed(actor="t", reason="t", epoch=2, active="dublin")
    with pytest.raises(ShopSphereError, match="from here on it cannot be taken back"):
        operate.carry_out(
            TOPOLOGY, Request(operate.ABORT, "rdc-a", Environment.LAB, None, "", "test", accept_data_loss=False)
        )
    desk.write()
    go(PLANNED)
    assert [present(run.end).kind for run in runs(desk)] == [Kind.RUN_FINISHED]


@pytest.mark.requirement("a change is finished from another machine, when the one that began it is lost")
@pytest.mark.parametrize("variant", [PLANNED, UNPLANNED])
def test_a_change_of_another_machine_is_finished(desk: SimpleNamespace, variant: str) -> None:
    desk.witness.record = desk.witness.record.changed(actor="t", reason="t", epoch=2, active="dublin")
    request = Request(FAILOVER, "rdc-a", Environment.LAB, variant, "dublin", "test", accept_data_loss=False)
    operate.carry_out(TOPOLOGY, request)
    assert (runs(desk)[0].values["target"], runs(desk)[0].values["epoch"]) == ("dublin", 1)


def test_the_wrong_site_is_refused(desk: SimpleNamespace) -> None:
    with pytest.raises(ShopSphereError, match="because frankfurt is active in epoch 1"):
        operate.carry_out(
            TOPOLOGY,
            Request(FAILOVER, "rdc-a", Environment.LAB, PLANNED, "frankfurt", "test", accept_data_loss=False),
        )
    assert runs(desk) == []


def test_an_unknown_variant_is_refused(desk: SimpleNamespace) -> None:
    with pytest.raises(RunbookError, match="wrong variant"):
        go("sideways")


@pytest.mark.requirement("no inherited variable ends a change of a real pair")
def test_a_kill_for_tests_is_refused_in_production(desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPSPHERE_RUNBOOK_KILL", "99:before")
    request = Request(FAILOVER, "rdc-a", Environment.PROD, PLANNED, "", "test", accept_data_loss=False)
    with pytest.raises(UsageError, match="unset SHOPSPHERE_RUNBOOK_KILL"):
        operate.carry_out(TOPOLOGY, request)
    assert not desk.runs.exists()


def refuses(_is_ending: Callable[[], None]) -> None:
    raise ShopSphereError("the lease was renewed")


@pytest.mark.requirement("a move that was prepared and not begun changes nothing, nor any run of somebody else")
@pytest.mark.parametrize("left", ["nothing", "rebuild", "planned"])
def test_a_change_that_may_not_begin(desk: SimpleNamespace, tmp_path: Path, left: str) -> None:
    if left == "rebuild":
        stopped_rebuild(desk, tmp_path)
    elif left == "planned":
        desk.write(second='raise BlockedError("the old site does not answer")')
        with pytest.raises(StepFailedError):
            go(PLANNED)
    before = [each.events for each in runs(desk)]
    request = Request(FAILOVER, "rdc-a", Environment.LAB, UNPLANNED, "", "test", accept_data_loss=False)
    with pytest.raises(ShopSphereError, match="the lease was renewed"):
        operate.carry_out(TOPOLOGY, request, refuses)
    if left == "nothing":
        assert Journal.unfinished(desk.runs) is None
        assert present(runs(desk)[0].end).kind is Kind.RUN_ABANDONED
    else:
        assert [each.events for each in runs(desk)] == before


def test_a_change_asks_once_whether_it_may_begin(desk: SimpleNamespace) -> None:
    asked: list[int] = []
    request = Request(FAILOVER, "rdc-a", Environment.LAB, UNPLANNED, "", "test", accept_data_loss=False)
    operate.carry_out(TOPOLOGY, request, lambda _: asked.append(len(runs(desk)[-1].values)))
    assert len(asked) == 1
    assert present(runs(desk)[0].end).kind is Kind.RUN_FINISHED


@pytest.mark.requirement("a run that was killed before it changed anything stands in nobody's way")
def test_a_run_that_was_killed_before_it_changed_anything(desk: SimpleNamespace, tmp_path: Path) -> None:
    killed = Journal.start(desk.runs, RunFacts(FAILOVER, UNPLANNED, "rdc-a", "operator", "unattended"))
    with killed:
        killed.remember("epoch", 7)
    go(PLANNED)
    earlier, planned = runs(desk)
    assert present(earlier.end).kind is Kind.RUN_ABANDONED
    assert "before it changed anything" in present(earlier.end).fields["reason"]
    assert (present(planned.end).kind, planned.values["epoch"]) == (Kind.RUN_FINISHED, 1)


@pytest.mark.parametrize(("way", "times"), [("no wait", 0), ("a wait", 1), ("gone", 1), ("gone, back, gone", 2)])
def test_who_is_left_is_asked_again_when_the_lease_ends(
    desk: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, way: str, times: int
) -> None:
    again: list[str] = []
    monkeypatch.setattr(RoleChange, "ask_source_anew", lambda change: again.append(change.source))

    def waits(is_ending: Callable[[], None]) -> None:
        for _ in range(way.count("gone")):
            is_ending()
        assert len(again) == way.count("gone"), "at once, not when the wait is over"

    request = Request(FAILOVER, "rdc-a", Environment.LAB, UNPLANNED, "", "test", accept_data_loss=False)
    operate.carry_out(TOPOLOGY, request, None if way == "no wait" else waits)
    assert again == ["frankfurt"] * times
