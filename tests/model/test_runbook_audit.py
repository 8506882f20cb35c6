"""The audit log of runbooks, and the report of a run."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from present import present
from runbook_steps import drive, facts, write_runbook, write_step

from runbooks.engine import Journal, JournalError, StepFailedError, load_runbook, read_run, write_report
from runbooks.engine.audit import START, AuditError, append, verify_chain
from shopsphere.foundation.clock import SYSTEM_CLOCK

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "audit" / "log.jsonl"
    for number in range(5):
        append(path, {"event": "declared", "epoch": number})
    return path


def test_every_record_holds_the_hash_of_the_one_before(log: Path) -> None:
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert verify_chain(log) == 5
    assert records[0]["previous"] == START
    assert len({record["previous"] for record in records}) == 5
    head = append(log, {"event": "declared", "epoch": 5}).head
    assert verify_chain(log, head=head) == 6


@pytest.mark.requirement("a change to the audit log is found, with its place")
@pytest.mark.parametrize(
    ("tamper", "place"),
    [
        (lambda lines: [lines[0], lines[1].replace('"epoch":1', '"epoch":7'), *lines[2:]], 3),
        (lambda lines: [*lines[:2], *lines[3:]], 3),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
        (lambda lines: [*lines[:4], lines[4].replace(":", ": ", 1)], 5),
        (lambda lines: [*lines[:4], lines[4].replace('"number":5', '"number":6')], 5),
        (lambda lines: [*lines[:3], "no json", *lines[4:]], 4),
        (lambda lines: [*lines[:3], "[]", *lines[4:]], 4),
    ],
)
def test_tampering_is_found_at_its_place(log: Path, tamper: Callable[[list[str]], list[str]], place: int) -> None:
    lines = log.read_text().splitlines()
    changed = tamper(lines)
    assert changed != lines
    log.write_text("\n".join(changed) + "\n")
    with pytest.raises(AuditError, match=f"broken at record {place}\n"):
        verify_chain(log)


@pytest.mark.requirement("a change to the audit log is found, with its place")
def test_a_cut_end_a_new_last_record_and_a_removed_log_are_found_with_the_hash_kept_elsewhere(log: Path) -> None:
    head = append(log, {"event": "declared", "epoch": 5}).head
    lines = log.read_text().splitlines()
    log.write_text("\n".join(lines[:-1]) + "\n")
    assert verify_chain(log) == 5, "the chain alone cannot show it"
    with pytest.raises(AuditError, match="record 5"):
        verify_chain(log, head=head)
    log.write_text("\n".join([*lines[:-1], lines[-1].replace('"epoch":5', '"epoch":6')]) + "\n")
    with pytest.raises(AuditError, match="record 6"):
        verify_chain(log, head=head)
    log.unlink()
    with pytest.raises(AuditError, match="missing"):
        verify_chain(log)


@pytest.mark.requirement("a torn last line is no record")
def test_a_torn_last_record_is_cut_off_by_the_next(log: Path) -> None:
    with log.open("a") as handle:
        handle.write('{"epoch":5,"ev')
    assert verify_chain(log) == 5
    append(log, {"event": "declared", "epoch": 6})
    assert verify_chain(log) == 6


def test_nothing_is_chained_to_a_damaged_record_and_no_field_is_taken(log: Path) -> None:
    with pytest.raises(ValueError, match="previous"):
        append(log, {"previous": START})
    with log.open("a") as handle:
        handle.write("no json\n")
    with pytest.raises(AuditError, match="record 6"):
        append(log, {"event": "declared"})


def test_keys_that_are_numbers_break_no_chain(log: Path) -> None:
    append(log, {"lag": {10: 1.5, 9: "é"}})
    append(log, {"event": "declared"})
    assert verify_chain(log) == 7


@pytest.mark.requirement("processes that write at once keep one chain")
def test_processes_that_write_at_once_keep_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    write = "import sys, pathlib; from runbooks.engine.audit import append\n"
    write += "for number in range(20): append(pathlib.Path(sys.argv[1]), {'by': sys.argv[2]})"
    writers = [subprocess.Popen([sys.executable, "-c", write, str(path), name], cwd=ROOT) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert verify_chain(path) == 60


@pytest.mark.requirement("the times of each step are reported")
def test_the_report_has_the_facts_the_steps_and_the_measurements(tmp_path: Path) -> None:
    folder = write_runbook(tmp_path)
    write_step(folder, "02-move-data", seconds=0.3, verify="return False")
    with pytest.raises(StepFailedError):
        drive(tmp_path, SYSTEM_CLOCK)
    (journal,) = (tmp_path / "journals").iterdir()
    with pytest.raises(JournalError, match="unfinished"):
        write_report(journal, tmp_path / "report")
    write_step(folder, "02-move-data", act='(context.state / "02-move-data").touch()  # mended')
    drive(tmp_path, SYSTEM_CLOCK)
    returned = write_report(journal, tmp_path / "report", {"rto_seconds": 21.5, "rows_lost": 0})
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report == returned
    assert {name: report[name] for name in ("pair", "runbook", "variant", "actor", "reason")} == vars(facts())
    assert (report["outcome"], report["resumed"]) == ("finished", 1)
    assert report["measurements"] == {"rto_seconds": 21.5, "rows_lost": 0}
    steps = {step["step"]: step for step in report["steps"]}
    assert [step["outcome"] for step in report["steps"]] == ["acted", "acted", "acted"]
    assert [step["attempts"] for step in report["steps"]] == [2, 2, 1]
    assert "still says no" in steps["02-move-data"]["failures"][0]
    assert report["total_seconds"] >= sum(step["seconds"] for step in report["steps"]) - 0.1
    text = (tmp_path / "report" / "report.md").read_text()
    for part in (
        "| pair | rdc-a |",
        "| rto_seconds | 21.5 |",
        "| 02-move-data: Do 02-move-data | acted | 2 |",
        "flood",
    ):
        assert part in text
    assert sorted(file.name for file in (tmp_path / "report").iterdir()) == ["report.json", "report.md"]


@pytest.mark.requirement("the times of each step are reported")
def test_a_step_is_reported_as_what_the_journal_proves_of_it(tmp_path: Path) -> None:
    first, second, third = load_runbook(write_runbook(tmp_path)).steps
    with Journal.start(tmp_path / "journals", facts()) as journal:
        journal.step_started(first)
        journal.step_verified(first, 0.5, already=True)
        journal.step_started(second)
    with Journal.resume(journal.path, actor="bob") as journal:
        journal.step_started(second)
        journal.step_verified(second, 0.1, already=True)
        journal.step_started(third)
        journal.step_acted(third, 2.0)
        journal.step_verified(third, 3.0, already=False)
        journal.step_started(third)
        journal.step_verified(third, 0.25, already=True)
        journal.step_started(first)
        journal.abandon(actor="bob", reason="flood is over")
    steps = write_report(journal.path, tmp_path)["steps"]
    shown = [(step["outcome"], step["attempts"], step["seconds"]) for step in steps]
    assert shown == [("interrupted", 2, 0.5), ("so after an interruption", 2, 0.1), ("acted", 2, 3.25)]


def test_an_abandoned_run_says_why_in_its_report(tmp_path: Path) -> None:
    with Journal.start(tmp_path / "journals", facts(reason="a | b\nc")) as journal:
        journal.abandon(actor="bob", reason="flood is over")
    report = write_report(journal.path, tmp_path)
    assert (report["outcome"], report["abandoned_because"], report["steps"]) == ("abandoned", "flood is over", [])
    assert "| reason | a \\| b c |" in (tmp_path / "report.md").read_text()
    assert present(present(read_run(journal.path)).end).fields["actor"] == "bob"
