"""A run begins, goes on, and ends in the audit log in one way, whichever runbook it is of."""

from __future__ import annotations

from pathlib import Path

import pytest
from present import present
from runbook_steps import facts

from runbooks import recorded_run
from runbooks.engine import Journal, StepFailedError, WriteFailedError
from runbooks.engine.crash import VARIABLE
from runbooks.recorded_run import noted, opened_journal, records_for_a_run
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import UsageError


def test_a_kill_for_tests_begins_nothing_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_run, "require_records_directory", lambda _environment: tmp_path)
    monkeypatch.setenv(VARIABLE, "3:acted")
    assert records_for_a_run(Environment.LAB) == tmp_path
    with pytest.raises(UsageError, match=VARIABLE):
        records_for_a_run(Environment.PROD)
    monkeypatch.delenv(VARIABLE)
    assert records_for_a_run(Environment.PROD) == tmp_path


@pytest.mark.requirement("a run that was stopped goes on, and one that changed nothing is over")
@pytest.mark.parametrize("touched", [True, False])
def test_what_a_stop_leaves(tmp_path: Path, *, touched: bool) -> None:
    said: list[str] = []

    def stop(journal: Journal) -> None:
        if touched:
            journal._touched = True  # noqa: SLF001 as a step that acts
        raise StepFailedError("the peer lags\n  do:       wait")

    with opened_journal(tmp_path, facts(), None) as journal:  # noqa: SIM117 one statement each
        with pytest.raises(StepFailedError), noted(journal, "anna", said.append):
            stop(journal)
    assert said == ["begin", "stop"]
    left = Journal.unfinished(tmp_path)
    assert (left is not None) is touched
    if touched:
        with opened_journal(tmp_path, facts(), present(left)) as again, noted(again, "anna", said.append):
            again.finish()
        assert again.run == present(left).run
        assert said == ["begin", "stop", "begin", "end"]


@pytest.mark.requirement(
    "a change that is made does not fail for want of room for its records: repeated, it would begin anew"
)
def test_an_end_that_cannot_be_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def full(event: str) -> None:
        if event == "end":
            raise WriteFailedError("audit\n  do:       call the same command again") from OSError(28, "No space left")

    with opened_journal(tmp_path, facts(), None) as journal, noted(journal, "anna", full):
        journal.finish()
    told = capsys.readouterr().err
    assert "do not repeat it; but its end in the audit log could not be written: [Errno 28] No space left" in told
    assert "same command" not in told


def test_a_beginning_that_cannot_be_noted_begins_nothing(tmp_path: Path) -> None:
    def full(_event: str) -> None:
        raise WriteFailedError("audit")

    done: list[str] = []
    with (
        opened_journal(tmp_path, facts(), None) as journal,
        pytest.raises(WriteFailedError),
        noted(journal, "anna", full),
    ):
        done.append("a step")
    assert not done


def test_whoever_is_interrupted_leaves_it_unfinished(tmp_path: Path) -> None:
    said: list[str] = []
    with opened_journal(tmp_path, facts(), None) as journal:  # noqa: SIM117 one statement each
        with pytest.raises(KeyboardInterrupt), noted(journal, "anna", said.append):
            raise KeyboardInterrupt
    assert said == ["begin"]
    assert Journal.unfinished(tmp_path)
