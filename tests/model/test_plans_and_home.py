"""Plans on standard output, and a failback of a pair that is at home."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cli import main as cli
from runbooks import operate
from runbooks.engine import DryRun, Forecast, Journal, Outlook, RunFacts, Step
from runbooks.home import at_home
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Phase, Witness
from shopsphere.witness.seen import Seen

PAIR = load_topology().pair("rdc-a")


class AnsweringWitness(Witness):
    """A witness that needs no voter."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    def see(self) -> Seen:
        return self.seen

    def close(self) -> None:
        """Nothing is open."""


def witness(active: str = "frankfurt", holder: str = "frankfurt", phase: Phase = Phase.STEADY) -> AnsweringWitness:
    record = PairRecord.first("rdc-a", "frankfurt", actor="test")
    return AnsweringWitness(
        Seen(record.changed(actor="test", reason="test", epoch=3, active=active, phase=phase), 1, holder)
    )


def test_a_pair_at_home_and_at_rest_has_nothing_to_do(tmp_path: Path) -> None:
    found = at_home(PAIR, witness(), tmp_path)
    assert found == "rdc-a: nothing to do: frankfurt is active already, in epoch 3"


@pytest.mark.parametrize(
    "seen",
    [
        witness(active="dublin", holder="dublin"),
        witness(holder=""),
        witness(holder="dublin"),
        witness(phase=Phase.DRAINING),
    ],
)
def test_a_pair_that_is_away_or_not_at_rest_is_not_at_home(seen: AnsweringWitness, tmp_path: Path) -> None:
    assert at_home(PAIR, seen, tmp_path) == ""


def test_a_change_that_was_left_is_finished_first(tmp_path: Path) -> None:
    Journal.start(tmp_path, RunFacts("failover", "planned", "rdc-a", "anna", "test")).close()
    assert at_home(PAIR, witness(), tmp_path) == ""


@pytest.mark.requirement("failback at home: nothing to do, and that is no error")
@pytest.mark.parametrize("words", [[], ["--json"], ["--execute", "--reason", "test"]])
def test_failback_at_home(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shopsphere.witness.access.witness_of", lambda *_: witness())
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    assert cli.run(["failback", "rdc-a", *words]) == 0
    assert "nothing to do: frankfurt is active already" in capsys.readouterr().out


def planned(outlook: Outlook) -> Callable[..., DryRun]:
    def nothing(_context: object) -> None:
        return None

    step = Step(
        1, "01-look", "Look around", 10, None, once=False, check=lambda _: "", act=nothing, verify=lambda _: True
    )
    return lambda *_: DryRun("failover", (Forecast(step, outlook, "epoch 1: frankfurt is active"),))


@pytest.mark.requirement("plans go to standard output, with --json for change tickets")
@pytest.mark.parametrize(
    "words",
    [
        ["failover", "rdc-a", "--planned"],
        ["failover", "rdc-a", "--abort"],
        ["rebuild", "frankfurt"],
        ["break-glass", "rdc-a"],
    ],
)
def test_plans(words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(operate, "look", planned(Outlook.ACTS))
    assert cli.run(words) == 0
    said = capsys.readouterr()
    assert "01-look: Look around" in said.out
    assert "nothing was changed" in said.err
    assert cli.run([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["verb"].startswith(words[0])
    assert (document["pair"], document["environment"], document["clear"]) == ("rdc-a", "lab", True)
    assert document["steps"][0]["title"] == "Look around"


def test_a_blocked_plan_is_printed_and_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(operate, "look", planned(Outlook.BLOCKED))
    assert cli.run(["failover", "rdc-a", "--planned", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["clear"] is False
    assert "failover rdc-a: 1 of 1 steps are blocked: 01-look" in said.err
