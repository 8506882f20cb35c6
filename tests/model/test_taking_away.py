"""`up`, `preview` and `destroy` where something that holds data would be deleted or replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from engine_events import metadata, planned, refused, summed
from fake_engine import Stacks, removed, scaled
from pulumi.automation.events import StepEventMetadata

from cli import deployment_record
from cli import main as cli
from shopsphere.deploy import arming, attended, filling_in, removal, verbs
from shopsphere.deploy.events import Run
from shopsphere.deploy.removal import ActiveSiteError
from shopsphere.deploy.taking import meant_of
from shopsphere.estate.stack import Environment, edge_stack
from shopsphere.foundation.errors import UsageError

UP = ["up", "frankfurt", "--verify-seconds", "0"]
NAMESPACE, CLUSTER = "kubernetes:core/v1:Namespace", "kubernetes:postgresql.cnpg.io/v1:Cluster"
LEDGER = removed(CLUSTER, "ledger-frankfurt")
SERVICE = removed("kubernetes:core/v1:Service", "shop")


def replaced(kind: str, name: str) -> StepEventMetadata:
    states: dict[str, Any] = {"old": {"metadata": {"name": "a"}}, "new": {"metadata": {"name": "b"}}}
    return metadata("replace", kind, name, **states, detailed={"metadata.name": "update-replace"})


DATA = replaced(NAMESPACE, "data-ledger")


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    """All stacks are fakes; no site is active as far as the witness says."""
    fake = Stacks(resources=[LEDGER, SERVICE])
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    monkeypatch.setattr(arming, "require_armed_pack", lambda: 24)
    for module in (filling_in, verbs):
        monkeypatch.setattr(module, "require_filled_in", lambda _stacks: None)
    monkeypatch.setattr(attended, "require_attended", lambda *_: None)
    monkeypatch.setattr(verbs, "is_set_up", fake.is_set_up)
    monkeypatch.setattr(verbs, "open_engine", fake.open)
    monkeypatch.setattr(verbs, "open_draft", fake.open_draft)
    monkeypatch.setattr(verbs, "drafted", fake.drafted)
    monkeypatch.setattr(verbs, "prepare_region", lambda *_: None)
    monkeypatch.setattr(verbs, "prepare_stack", lambda *_: None)
    monkeypatch.setattr(verbs, "unprotect", fake.unprotect)
    monkeypatch.setattr(verbs, "unprotected", fake.unprotected)
    monkeypatch.setattr(verbs, "require_takeable", lambda *_: None)
    monkeypatch.setattr(deployment_record, "records_directory", lambda _environment: tmp_path / "records")
    return fake


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.requirement("what holds data is deleted or replaced by no deployment that was not told its name")
@pytest.mark.parametrize("protected", [set(), {"data-ledger", "ledger-frankfurt"}], ids=["older state", "protected"])
@pytest.mark.parametrize(
    "verb", [UP, [*UP, "-e", "prod", "--yes"], ["preview", "frankfurt"]], ids=["up", "yes", "look"]
)
def test_it_is_refused_with_the_words_to_type(
    verb: list[str], protected: set[str], stacks: Stacks, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.steps = {"frankfurt": [DATA, LEDGER, SERVICE]}
    stacks.protected = protected
    assert cli.run(verb) == 1
    shown = told(capsys)
    assert "frankfurt: 2 resources would be taken away unasked; nothing of this stack was changed" in shown
    assert f"frankfurt/data-ledger ({NAMESPACE}) would be replaced because of metadata.name" in shown
    assert "whatever is in it goes with it" in shown
    assert f"frankfurt/ledger-frankfurt ({CLUSTER}) would be deleted" in shown
    assert "add --i-mean frankfurt/data-ledger" in shown
    assert "add --i-mean frankfurt/ledger-frankfurt" in shown
    assert "frankfurt/shop" not in shown
    assert not [deed for deed in stacks.done if not deed.startswith("preview")]


def test_what_is_made_again_may_go_unasked(stacks: Stacks) -> None:
    stacks.steps = {"frankfurt": [SERVICE]}
    assert cli.run(UP) == 0
    assert stacks.done == ["preview frankfurt", "up frankfurt"]


def test_one_of_two_is_not_both(stacks: Stacks, capsys: pytest.CaptureFixture[str]) -> None:
    stacks.steps = {"frankfurt": [DATA, LEDGER]}
    stacks.protected = {"data-ledger", "ledger-frankfurt"}
    assert cli.run([*UP, "--i-mean", "frankfurt/data-ledger"]) == 1
    assert "frankfurt: 1 resource would be taken away unasked" in told(capsys)
    assert stacks.done == []
    assert stacks.protected == {"data-ledger", "ledger-frankfurt"}


@pytest.mark.requirement("a name that two resources have takes neither away; with its kind it takes one")
def test_one_word_never_takes_two(stacks: Stacks, capsys: pytest.CaptureFixture[str]) -> None:
    both = [removed(NAMESPACE, "ledger"), removed(CLUSTER, "ledger")]
    stacks.steps = {"frankfurt": both}
    assert cli.run([*UP, "--i-mean", "frankfurt/ledger"]) == 1
    shown = told(capsys)
    assert "add --i-mean frankfurt/Namespace/ledger" in shown
    assert "add --i-mean frankfurt/Cluster/ledger" in shown
    assert cli.run([*UP, "--i-mean", "frankfurt/Cluster/ledger"]) == 1
    assert "frankfurt: 1 resource would be taken away unasked" in told(capsys)
    assert cli.run([*UP, "--i-mean", "frankfurt/Cluster/ledger", "--i-mean", "frankfurt/Namespace/ledger"]) == 0


@pytest.mark.requirement("who names it takes it away: unprotected only for that, and judged as a whole before")
def test_what_was_named_is_taken_away(stacks: Stacks) -> None:
    stacks.steps = {"frankfurt": [DATA]}
    stacks.protected = {"data-ledger", "data-commerce"}
    assert cli.run([*UP, "--i-mean", "frankfurt/data-ledger"]) == 0
    assert stacks.done == ["unprotect frankfurt data-ledger", "preview frankfurt", "up frankfurt"]
    assert stacks.protected == {"data-commerce"}


def test_a_preview_of_what_was_named_shows_it_and_unprotects_nothing(
    stacks: Stacks, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.steps = {"frankfurt": [DATA]}
    stacks.protected = {"data-ledger"}
    assert cli.run(["preview", "frankfurt", "--i-mean", "frankfurt/data-ledger", "--json"]) == 0
    shown = capsys.readouterr()
    (stack,) = json.loads(shown.out)["regions"][0]["stacks"]
    assert [(each["operation"], each["name"]) for each in stack["planned"]["changes"]] == [("replace", "data-ledger")]
    assert "1 to change (1 REPLACE), 1 of them protected" in " ".join(shown.err.split())
    assert stacks.done == []


def test_a_plan_needs_the_name_again_and_is_then_applied(
    stacks: Stacks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.steps = {"frankfurt": [DATA]}
    stacks.protected = {"data-ledger"}
    plan, meant = str(tmp_path / "plan.json"), ["--i-mean", "frankfurt/data-ledger"]
    assert cli.run(["preview", "frankfurt", "--save-plan", plan, *meant]) == 0
    capsys.readouterr()
    assert cli.run([*UP, "--plan", plan]) == 1
    assert "add --i-mean frankfurt/data-ledger" in told(capsys)
    assert cli.run([*UP, "--plan", plan, *meant]) == 0
    assert stacks.done[-1] == "up frankfurt"


@pytest.mark.requirement("what is refused after all is protected as before")
def test_protection_is_put_back_where_the_whole_is_refused(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.steps = {"frankfurt": [DATA]}
    stacks.protected = {"data-ledger"}
    stacks.broken["frankfurt"] = "preview"  # by a rule that is asked about whole stacks only
    assert cli.run([*UP, "--i-mean", "frankfurt/data-ledger"]) == 1
    assert stacks.done == ["unprotect frankfurt data-ledger", "protect frankfurt"]
    assert stacks.protected == {"data-ledger"}

    def refuse(*_: object) -> None:
        raise ActiveSiteError("frankfurt is the active site of rdc-a")

    stacks.done.clear()
    monkeypatch.setattr(verbs, "require_takeable", refuse)
    assert cli.run([*UP, "--i-mean", "frankfurt/data-ledger"]) == 1
    assert "is the active site" in told(capsys)
    assert stacks.done == []


@pytest.mark.parametrize("word", ["data-ledger", "dublin/data-ledger", "frankfurt/", ""])
def test_words_that_name_nothing_here_are_wrong(word: str, stacks: Stacks, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*UP, "--i-mean", word]) == 2
    assert "STACK/NAME, or STACK/KIND/NAME, as a preview shows it, with a stack of frankfurt" in told(capsys)
    assert stacks.done == []
    with pytest.raises(UsageError):
        meant_of(["frankfurt/x"], [edge_stack(Environment.LAB)])


@pytest.mark.requirement("a stack of an older version is protected by the next `up`, which shows no change")
def test_protection_alone_is_no_change_and_is_written(stacks: Stacks) -> None:
    stacks.to_protect = {"frankfurt"}
    assert cli.run(["preview", "frankfurt", "--expect-no-changes"]) == 0
    assert cli.run(UP) == 0
    assert stacks.done == ["preview frankfurt", "preview frankfurt", "up frankfurt"]
    assert cli.run(UP) == 0
    assert stacks.done[3:] == ["preview frankfurt"]


def test_destroy_unprotects_what_the_state_protects_after_the_last_question(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "is_set_up", stacks.is_set_up)
    stacks.protected = {"ledger-frankfurt"}
    assert cli.run(["destroy", "rdc-a", "--yes", "--i-mean", "rdc-a"]) == 0
    assert [deed for deed in stacks.done if not deed.startswith("preview")] == [
        *("unprotect frankfurt ledger-frankfurt", "destroy frankfurt"),
        *("unprotect dublin ", "destroy dublin"),
    ]


def test_a_site_that_became_active_meanwhile_keeps_its_protection(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def ask(*_: object) -> None:
        asked.append("asked")
        if len(asked) > 1:
            raise ActiveSiteError("frankfurt is the active site of rdc-a")

    monkeypatch.setattr(removal, "require_removable", ask)
    stacks.protected = {"ledger-frankfurt"}
    assert cli.run(["destroy", "frankfurt", "--yes", "--i-mean", "frankfurt"]) == 1
    assert "is the active site" in told(capsys)
    assert stacks.protected == {"ledger-frankfurt"}
    assert not [deed for deed in stacks.done if deed.startswith(("unprotect", "destroy"))]


def test_a_refusal_is_only_one_of_protection_when_nothing_else_is_wrong() -> None:
    run = Run(lambda _: None, lambda _: None)
    run.receive(planned(DATA))
    assert not run.is_only_protected
    run.receive(refused(DATA))
    run.receive(planned(LEDGER))
    run.receive(refused(LEDGER))
    assert run.is_only_protected
    found = run.result(1.0)
    assert found.protected == (DATA.urn, LEDGER.urn)
    assert (found.changed, found.counts) == (2, {"replace": 1, "delete": 1})
    run.errors.append("preview failed")
    assert run.is_only_protected
    run.errors.append("shop: no route to host")
    assert not run.is_only_protected


def test_a_change_of_protection_is_counted_and_is_no_change() -> None:
    run = Run(lambda _: None, lambda _: None)
    step = metadata("same", NAMESPACE, "shop", old={}, new={})
    assert step.new is not None
    step.new.protect = True
    run.receive(planned(step))
    run.receive(planned(metadata("same", NAMESPACE, "gateway", old={}, new={})))
    run.receive(planned(scaled(3)))
    run.receive(summed(same=2, update=1))
    found = run.result(1.0)
    assert (found.to_protect, found.changed) == (1, 1)
