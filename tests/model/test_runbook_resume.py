"""Runbooks after a kill: at every boundary, in the middle of a write, by another process."""

import json
import multiprocessing
import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from memory_disk import memory_disk
from present import present
from runbook_steps import NAMES, acts, calls, drive, facts, write_runbook, write_step

from runbooks.engine import BusyError, Journal, JournalError, WriteFailedError, read_run
from runbooks.engine.crash import VARIABLE
from runbooks.engine.lines import LineFile
from runbooks.engine.records import Kind


@pytest.fixture
def in_memory() -> Iterator[Path]:
    with memory_disk() as disk:
        yield disk


def drive_apart(root: Path, kill: str | None = None) -> int | None:
    """Run the engine in a process of its own, to be killed at a place; returns its exit code.

    A fork, since a new interpreter takes ten times as long to come up as a runbook to end.
    """
    child = multiprocessing.get_context("fork").Process(target=_drive_to, args=(root, kill))
    child.start()
    child.join(timeout=60)
    return child.exitcode


def _drive_to(root: Path, kill: str | None) -> None:
    if kill is not None:
        os.environ[VARIABLE] = kill
    drive(root)


def state(root: Path) -> list[str]:
    return sorted(file.name for file in (root / "state").iterdir() if file.name != "calls")


def only_journal(root: Path) -> Path:
    (path,) = (root / "journals").glob("*.jsonl")
    return path


@pytest.mark.requirement("a kill at any boundary is resumed to the same end")
@pytest.mark.parametrize("point", ["before", "acted", "verified"])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_run_killed_at_a_boundary_is_resumed_to_the_same_end(tmp_path: Path, number: int, point: str) -> None:
    write_runbook(tmp_path)
    killed = drive_apart(tmp_path, f"{number}:{point}")
    assert killed == -signal.SIGKILL
    reached = [name for name in NAMES if int(name[:2]) < number + (point != "before")]
    assert acts(tmp_path) == reached
    left = present(Journal.unfinished(tmp_path / "journals"))
    assert left.done == {name for name in NAMES if int(name[:2]) < number}
    resumed = drive_apart(tmp_path)
    assert resumed == 0
    assert state(tmp_path) == list(NAMES)
    assert acts(tmp_path) == list(NAMES), "every step once: what was done before the kill is so already"
    record = present(read_run(only_journal(tmp_path)))
    assert present(record.end).kind is Kind.RUN_FINISHED
    assert [event.fields["actor"] for event in record.of(Kind.RUN_RESUMED)] == ["bob"]
    assert record.facts.actor == "ann"


@pytest.mark.requirement("a crash point that is nowhere is no passed test")
@pytest.mark.parametrize("wish", ["3:before", "2:behind", "two:before", "2", "-1:before"])
def test_a_crash_point_that_no_step_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wish: str) -> None:
    write_runbook(tmp_path)
    monkeypatch.setenv(VARIABLE, wish)
    with pytest.raises(Exception, match=VARIABLE):
        drive(tmp_path)
    assert acts(tmp_path) == []


@pytest.mark.requirement("a resumed run asks again; only a step marked once is believed")
@pytest.mark.parametrize(("extra", "again"), [("", 2), ("ONCE = True", 1)])
def test_what_was_undone_since_is_done_again_but_not_a_step_marked_once(tmp_path: Path, extra: str, again: int) -> None:
    folder = write_runbook(tmp_path)
    write_step(folder, "01-close-shop", extra=extra)
    assert drive_apart(tmp_path, "2:before") == -signal.SIGKILL
    (tmp_path / "state" / "01-close-shop").unlink()
    asked = len(calls(tmp_path, "verify 01"))
    drive(tmp_path)
    assert acts(tmp_path).count("01-close-shop") == again
    assert (len(calls(tmp_path, "verify 01")) > asked) is (again == 2)
    assert present(present(read_run(only_journal(tmp_path))).end).kind is Kind.RUN_FINISHED


@pytest.mark.requirement("a resumed run asks again; only a step marked once is believed")
def test_a_step_marked_once_is_asked_when_its_end_was_not_recorded(tmp_path: Path) -> None:
    write_step(tmp_path / "move", "01-close-shop", extra="ONCE = True")
    assert drive_apart(tmp_path, "1:acted") == -signal.SIGKILL
    asked = len(calls(tmp_path, "verify"))
    drive(tmp_path)
    assert len(calls(tmp_path, "verify")) == asked + 1
    assert acts(tmp_path) == ["01-close-shop"]


@pytest.mark.requirement("what a step found outlives a kill")
def test_what_a_step_remembered_is_there_after_a_kill(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path)
    keep = 'context.journal.remember("token", {"lsn": [7, 8]})'
    use = '(context.state / str(context.journal.recall("token")["lsn"][1])).touch()'
    write_step(folder, "01-close-shop", act=f'{keep}; (context.state / "01-close-shop").touch()')
    write_step(folder, "05-open-shop", act=f'{use}; (context.state / "05-open-shop").touch()')
    assert drive_apart(tmp_path, "2:before") == -signal.SIGKILL
    assert present(Journal.unfinished(tmp_path / "journals")).values == {"token": {"lsn": [7, 8]}}
    drive(tmp_path)
    assert "8" in state(tmp_path)


@pytest.mark.requirement("a torn last line is no record")
def test_a_journal_cut_at_any_byte_is_read_and_resumed(in_memory: Path) -> None:
    write_runbook(in_memory)
    drive(in_memory)
    path = only_journal(in_memory)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    ends = [sum(map(len, lines[:count])) for count in range(len(lines) + 1)]
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        record = read_run(path)
        complete = sum(end <= size for end in ends) - 1
        assert (len(record.events) if record else 0) == complete
    for before, after in pairwise(ends[1:]):
        for size in (before, before + 1, after - 1):
            path.write_bytes(whole[:size])
            with Journal.resume(path, actor="bob") as journal:
                journal.remember("size", size)
            assert path.read_bytes().startswith(whole[:before])
            assert present(read_run(path)).values == {"size": size}
            assert len(present(read_run(path)).events) == ends.index(before) + 2


@pytest.mark.requirement("a torn last line is no record")
def test_a_run_killed_before_its_first_line_is_no_run(tmp_path: Path) -> None:
    journals = tmp_path / "journals"
    journals.mkdir()
    (journals / "000001-move-20260101T000000Z.jsonl").write_text('{"at":"20')
    assert Journal.unfinished(journals) is None
    with Journal.start(journals, facts()) as journal:
        assert journal.run.startswith("000002-move-")


@pytest.mark.requirement("a damaged journal is not guessed at")
@pytest.mark.parametrize("damage", [b"{}\n", b"null\n", b'{"at":"x","event":"step-started"}\n', b"\xff\n", b"\n"])
def test_a_damaged_line_that_is_complete_is_an_error_with_its_number(tmp_path: Path, damage: bytes) -> None:
    with Journal.start(tmp_path / "journals", facts()) as journal:
        journal.remember("a", 1)
    path = only_journal(tmp_path)
    path.write_bytes(path.read_bytes() + damage)
    with pytest.raises(JournalError, match="line 3 is damaged"):
        Journal.unfinished(tmp_path / "journals")
    with pytest.raises(JournalError, match="line 3 is damaged"):
        Journal.resume(path, actor="bob")


@pytest.mark.requirement("each line is on the disk before the next thing is done")
def test_each_line_is_synced_when_its_call_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", fsync)
    folder = tmp_path / "new" / "journals"
    with Journal.start(folder, facts()) as journal:
        assert {str(tmp_path), str(tmp_path / "new"), str(folder)} <= {name for name, _ in synced}
        for value in range(3):
            journal.remember("a", value)
            assert synced[-1] == (str(journal.path), journal.path.stat().st_size)
    assert json.loads(journal.path.read_text().splitlines()[-1])["value"] == 2


@pytest.mark.requirement("a record that cannot be written stops the run and spoils nothing")
def test_half_a_line_on_a_full_disk_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[: len(data) // 2])

    with Journal.start(tmp_path, facts()) as journal:
        before = journal.path.read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(WriteFailedError, match="No space left"):
                journal.remember("a", 1)
        assert journal.recall("a") is None
        assert journal.path.read_bytes() == before
        journal.remember("a", 2)
    assert present(read_run(journal.path)).values == {"a": 2}


@pytest.mark.requirement("one process drives a run")
def test_a_run_that_a_process_drives_cannot_be_resumed_by_another(tmp_path: Path) -> None:
    with Journal.start(tmp_path, facts()) as journal:
        with pytest.raises(BusyError, match="in use"):
            Journal.resume(journal.path, actor="bob")
        assert present(Journal.unfinished(tmp_path)).run == journal.run, "reading needs no lock"
    Journal.resume(journal.path, actor="bob").close()


@pytest.mark.requirement("a pair has one run at a time")
def test_a_pair_with_an_unfinished_run_starts_no_other_until_it_ends(tmp_path: Path) -> None:
    with Journal.start(tmp_path, facts()) as first:
        pass
    with pytest.raises(JournalError, match=first.run):
        Journal.start(tmp_path, facts(runbook="failback"))
    with Journal.start(tmp_path, facts(pair="rdc-b")) as other:
        assert present(Journal.unfinished(tmp_path)).run == other.run
        assert present(Journal.unfinished(tmp_path, pair="rdc-a")).run == first.run
    with Journal.resume(first.path, actor="bob") as journal:
        journal.abandon(actor="bob", reason="flood is over")
        with pytest.raises(JournalError, match="has ended"):
            journal.remember("a", 1)
    with pytest.raises(JournalError, match="nothing to resume"):
        Journal.resume(first.path, actor="bob")
    assert Journal.unfinished(tmp_path, pair="rdc-a") is None
    Journal.start(tmp_path, facts(runbook="failback")).close()


def test_a_value_without_a_json_form_is_not_remembered(tmp_path: Path) -> None:
    with Journal.start(tmp_path, facts()) as journal:
        with pytest.raises(TypeError):
            journal.remember("a", object())
        journal.remember("b", (1, {2: 3}))
        assert journal.recall("b") == [1, {"2": 3}]
    assert present(read_run(journal.path)).values == {"b": [1, {"2": 3}]}


def test_a_file_that_must_be_new_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(WriteFailedError, match="exists"):
        LineFile(tmp_path / "a", create=True)
