"""`shopsphere drift --repair`: a dry run, a question, and the exit code by what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cli import drifting
from cli import main as cli
from shopsphere.drift import looking, repair_run
from shopsphere.drift.model import Drift, Kind, Report
from shopsphere.drift.repair_plan import Action, Planned
from shopsphere.drift.repairing import Outcome
from shopsphere.foundation.exit_code import ExitCode
from shopsphere.foundation.finding import Severity

Document = dict[str, Any]


class Run(repair_run.RepairRun):
    """A plan whose carrying out is counted."""

    done = 0

    def carry_out(self) -> list[Outcome]:
        type(self).done += 1
        return [Outcome(each.drift, "put back") for each in self.planned]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    facts: Document = {"field": "spec.x", "declared": "1", "live": "2", "severity": Severity.HIGH, "repair": "do it"}
    drift = Drift(site="frankfurt", object="Deployment shop/shop", kind=Kind.CHANGED, **facts)
    planned = Run(Report("rdc-a", "lab", (), (drift,)), [Planned(drift, Action.APPLY)], {})
    Run.done = 0
    monkeypatch.setattr("cli.common.lab_is_here", lambda: True)
    monkeypatch.setattr(repair_run, "prepare", lambda *_: planned)
    monkeypatch.setattr(looking, "compare", lambda *_: Report("rdc-a", "lab", (), ()))
    return lambda *words: cli.run(["drift", "rdc-a", "--repair", *words])


def test_without_a_terminal_it_is_a_dry_run(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command() == ExitCode.CHANGES
    told = capsys.readouterr().out
    assert "WOULD PUT BACK  frankfurt: Deployment shop/shop, spec.x: changed" in told
    assert "nothing was changed: --yes does it" in told
    assert command("--json") == ExitCode.CHANGES
    assert '"dryRun": true' in capsys.readouterr().out
    assert Run.done == 0


def test_with_yes_it_does_and_ends_by_what_is_left(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--yes") == ExitCode.GOOD
    assert "PUT BACK  frankfurt" in capsys.readouterr().out
    assert Run.done == 1


def test_a_person_is_asked(command: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(drifting, "is_terminal", lambda: True)
    monkeypatch.setattr(drifting, "require_yes", asked.append)
    assert command() == ExitCode.GOOD
    assert asked == ["do this about 1 of 1 findings?"]


@pytest.mark.parametrize("words", [["--watch", "--repair"], ["--yes"]])
def test_words_that_do_not_go_together(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cli.common.lab_is_here", lambda: True)
    assert cli.run(["drift", "rdc-a", *words]) == ExitCode.WORDS
    assert "do:" in capsys.readouterr().err
