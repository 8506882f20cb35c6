"""`up`, `preview` and `destroy` at the keyboard: what they show, ask, refuse and remember."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Never

import pytest
from engine_events import metadata
from fake_engine import Stacks, removed, scaled
from pulumi.automation.events import StepEventMetadata

from cli import deployment_record
from cli import main as cli
from shopsphere.deploy import arming, attended, filling_in, fixed_sizes, history, verbs
from shopsphere.deploy.history import DeploymentRecord
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError

UP = ["up", "rdc-a", "--verify-seconds", "0"]
SHOWN = "  ~  update   shop  kubernetes:apps/v1:Deployment"


@pytest.fixture
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    """All stacks are fakes; the shop of Frankfurt is to be scaled to 3."""
    fake = Stacks(steps={"frankfurt": [scaled(3)]})
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    monkeypatch.setattr(arming, "require_armed_pack", lambda: 24)
    for module in (filling_in, verbs):
        monkeypatch.setattr(module, "require_filled_in", lambda _stacks: None)
    monkeypatch.setattr(attended, "require_attended", lambda _topology, _stacks: None)
    monkeypatch.setattr(verbs, "is_set_up", fake.is_set_up)
    monkeypatch.setattr(verbs, "open_engine", fake.open)
    monkeypatch.setattr(verbs, "open_draft", fake.open_draft)
    monkeypatch.setattr(verbs, "drafted", fake.drafted)
    monkeypatch.setattr(verbs, "prepare_region", fake.prepare)
    monkeypatch.setattr(verbs, "prepare_stack", fake.prepare_stack)
    monkeypatch.setattr(deployment_record, "records_directory", lambda _environment: tmp_path / "records")
    return fake


@pytest.fixture
def records(tmp_path: Path) -> Path:
    return tmp_path / "records"


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Sit at a terminal and type."""
    monkeypatch.setattr("cli.asking.is_terminal", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def only_record(records: Path) -> DeploymentRecord:
    (record,) = history.read(records).records
    return record


@pytest.mark.requirement("a run whose pack was not armed fails, and changes nothing")
@pytest.mark.parametrize("command", [UP, ["preview", "rdc-a"]], ids=["up", "preview"])
def test_nothing_is_judged_by_a_pack_that_is_not_armed(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    def disarmed() -> int:
        raise arming.PackNotArmedError("the policy pack is not armed; nothing was changed")

    monkeypatch.setattr(arming, "require_armed_pack", disarmed)
    assert cli.run(command) == 1
    assert "the policy pack is not armed; nothing was changed" in capsys.readouterr().err
    assert stacks.done == []


def test_preview_names_what_changes_on_standard_output(stacks: Stacks, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["preview", "rdc-a"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "dublin: no change (10 resources)",
        "frankfurt: 1 of 11 resources to change: 1 update",
        SHOWN,
        "edge: no change (10 resources)",
    ]
    assert "frankfurt: preview (11 resources, 1 to change (1 update), judged by shopsphere 0.1.0)" in told.err
    assert stacks.done == ["preview dublin", "preview frankfurt", "preview edge"]


def test_preview_shows_properties_on_demand(stacks: Stacks, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["preview", "frankfurt", "--diff"]) == 0
    assert "              spec.replicas: 2 -> 3" in capsys.readouterr().out.splitlines()


def test_preview_as_json_is_all_that_is_on_standard_output(stacks: Stacks, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["preview", "rdc-a", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    (change,) = document["regions"][0]["stacks"][1]["planned"]["changes"]
    assert (change["name"], change["properties"][0]["new"]) == ("shop", 3)


def test_changes_where_none_were_expected_are_listed_and_exit_with_7(
    stacks: Stacks, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["preview", "rdc-a", "--expect-no-changes"]) == 7
    told = capsys.readouterr()
    assert SHOWN in told.out
    assert "frankfurt: 1 resources" in told.err


def test_no_changes_where_none_were_expected_exit_with_0(stacks: Stacks) -> None:
    stacks.steps.clear()
    assert cli.run(["preview", "rdc-a", "--expect-no-changes"]) == 0


def test_a_preview_that_fails_still_shows_the_others(stacks: Stacks, capsys: pytest.CaptureFixture[str]) -> None:
    stacks.broken["ashburn"] = "preview"
    assert cli.run(["preview", "all", "--json"]) == 1
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert not document["succeeded"]
    assert document["regions"][1]["error"] == "ashburn: Pulumi failed\nno answer"
    assert document["regions"][0]["stacks"][1]["planned"]["changed"] == 1
    assert "rdc-b: ashburn: Pulumi failed" in told.err


def test_a_stack_that_was_never_set_up_is_said_to_be(stacks: Stacks, capsys: pytest.CaptureFixture[str]) -> None:
    stacks.unknown.add("frankfurt")
    assert cli.run(["preview", "frankfurt"]) == 0
    told = capsys.readouterr()
    assert "frankfurt: not set up yet: everything is to be created; previewed with throw-away values for 1" in told.err
    assert "frankfurt: 1 of 11 resources to change: 1 update, not set up yet" in told.out


def test_a_preview_is_not_a_deployment(stacks: Stacks, records: Path) -> None:
    assert cli.run(["preview", "rdc-a"]) == 0
    assert not records.exists()


def test_up_in_the_lab_does_not_ask_and_is_remembered(stacks: Stacks, records: Path) -> None:
    assert cli.run([*UP, "--refresh"]) == 0
    assert stacks.done == [
        "prepare dublin+frankfurt",
        "preview with refresh dublin",
        "preview with refresh frankfurt",
        "up with refresh frankfurt",
        "prepare edge",
        "preview with refresh edge",
    ]
    record = only_record(records)
    assert (record.verb, record.target, record.environment) == ("up", "rdc-a", Environment.LAB)
    assert (record.result, record.plan) == ("succeeded", "")
    assert [(stack.stack, stack.changed, stack.total) for stack in record.stacks] == [
        ("dublin", 0, 10),
        ("frankfurt", 1, 11),
        ("edge", 0, 10),
    ]


@pytest.mark.requirement("`up` in production without a terminal is refused unless --yes or --plan is given")
@pytest.mark.parametrize("verb", ["up", "destroy"])
def test_production_is_not_changed_where_nobody_can_be_asked(
    verb: str, stacks: Stacks, records: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert cli.run([verb, "rdc-a", "-e", "prod"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert stacks.done == []
    assert not records.exists()


@pytest.mark.requirement("`up` in production shows its preview and asks")
@pytest.mark.parametrize("typed", ["n\n", "\n"])
def test_up_in_production_shows_asks_and_takes_no_for_an_answer(
    typed: str, stacks: Stacks, records: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, typed)
    assert cli.run([*UP, "-e", "prod"]) == 1
    told = capsys.readouterr()
    assert SHOWN in told.out
    assert "Change 1 resource of rdc-a in prod (1 update), as shown? [y/N]" in told.err
    assert "nothing was changed" in told.err
    assert stacks.done == ["preview dublin", "preview frankfurt", "preview edge"]
    assert not records.exists()


def test_up_in_production_goes_on_after_a_yes(stacks: Stacks, records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "y\n")
    assert cli.run([*UP, "-e", "prod"]) == 0
    assert "up frankfurt" in stacks.done
    assert only_record(records).result == "succeeded"


def test_up_in_production_does_not_ask_about_nothing(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    stacks.steps.clear()
    answer(monkeypatch, "")
    assert cli.run([*UP, "-e", "prod"]) == 0
    assert not [deed for deed in stacks.done if deed.startswith("up ")]


def test_what_changed_while_somebody_thought_is_not_applied(
    stacks: Stacks, records: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "y\n")

    def think(_question: str) -> None:
        stacks.steps["frankfurt"] = [scaled(5)]

    monkeypatch.setattr("cli.deploying.require_yes", think)
    assert cli.run([*UP, "-e", "prod"]) == 1
    assert "frankfurt: what would be changed is not what was approved" in capsys.readouterr().err
    assert "up frankfurt" not in stacks.done
    assert only_record(records).result == "failed"


def test_yes_applies_without_a_question(stacks: Stacks) -> None:
    assert cli.run([*UP, "-e", "prod", "--yes"]) == 0
    assert stacks.done.count("preview frankfurt") == 1
    assert "up frankfurt" in stacks.done


@pytest.fixture
def plan(stacks: Stacks, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A saved preview of production."""
    file = tmp_path / "plan.json"
    assert cli.run(["preview", "rdc-a", "-e", "prod", "--save-plan", str(file)]) == 0
    stacks.done.clear()
    capsys.readouterr()
    return file


@pytest.mark.requirement("`up --plan` applies what was shown and refuses anything else")
def test_a_saved_plan_is_applied_without_a_question_and_named_in_the_history(
    plan: Path, stacks: Stacks, records: Path
) -> None:
    assert cli.run([*UP, "-e", "prod", "--plan", str(plan)]) == 0
    assert "up frankfurt" in stacks.done
    assert len(only_record(records).plan) == 64


def test_a_saved_plan_is_refused_when_something_else_would_change(
    plan: Path, stacks: Stacks, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.steps["frankfurt"] = [scaled(4)]
    assert cli.run([*UP, "-e", "prod", "--plan", str(plan)]) == 1
    told = capsys.readouterr().err
    assert "expected: the changes of the approved preview" in told
    assert "found:    1 to change (1 update), other ones than approved" in told
    assert not [deed for deed in stacks.done if deed.startswith("up ")]


def test_a_saved_plan_of_another_target_is_refused_before_anything_is_opened(plan: Path, stacks: Stacks) -> None:
    assert cli.run(["up", "rdc-b", "-e", "prod", "--plan", str(plan)]) == 1
    assert stacks.done == []


def test_a_plan_of_a_preview_with_refresh_is_applied_with_refresh(stacks: Stacks, tmp_path: Path) -> None:
    file = str(tmp_path / "plan.json")
    assert cli.run(["preview", "frankfurt", "-e", "prod", "--refresh", "--save-plan", file]) == 0
    assert cli.run(["up", "frankfurt", "-e", "prod", "--verify-seconds", "0", "--plan", file]) == 0
    assert stacks.done[-1] == "up with refresh frankfurt"


class SiteWithDatabases:
    """A site's API: the ledger has 1Gi, and a claim uses v3."""

    size = "1Gi"

    def find(self, path: str) -> dict[str, Any] | None:
        if path.endswith("/clusters/ledger-dublin"):
            return {"spec": {"storage": {"size": self.size}}}
        if path.endswith("/dublin-v3"):
            return {
                "spec": {"claimRef": {"namespace": "data-ledger", "name": "ledger-dublin-1"}},
                "status": {"phase": "Bound"},
            }
        if path.endswith("/dublin-v4"):
            return {"spec": {}, "status": {"phase": "Available"}}
        return None


def resized(to: str) -> StepEventMetadata:
    states: dict[str, Any] = {"old": {"spec": {"storage": {"size": "1Gi"}}}, "new": {"spec": {"storage": {"size": to}}}}
    kind = "kubernetes:postgresql.cnpg.io/v1:Cluster"
    return metadata("update", kind, "ledger-dublin", **states, detailed={"spec.storage.size": "update"})


def enlarged(volume: str) -> StepEventMetadata:
    states: dict[str, Any] = {
        "old": {"spec": {"capacity": {"storage": "2Gi"}}},
        "new": {"spec": {"capacity": {"storage": "3Gi"}}},
    }
    kind = "kubernetes:core/v1:PersistentVolume"
    return metadata("update", kind, volume, **states, detailed={"spec.capacity.storage": "update"})


@pytest.mark.requirement("a size that cannot change is refused before anything is changed, with the way that works")
@pytest.mark.parametrize("verb", [["preview", "dublin"], ["up", "dublin", "--verify-seconds", "0"]], ids=lambda v: v[0])
@pytest.mark.parametrize(
    ("step", "told"),
    [
        (resized("2Gi"), "the size of a database cannot change in place"),
        (resized("512Mi"), "the size of a database cannot change in place"),
        (enlarged("dublin-v3"), "volume dublin-v3: it is in use"),
        (removed("kubernetes:core/v1:PersistentVolume", "dublin-v3"), "volume dublin-v3: it is in use"),
    ],
)
def test_a_size_that_cannot_change_is_refused(
    verb: list[str],
    step: StepEventMetadata,
    told: str,
    stacks: Stacks,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(fixed_sizes, "cluster_of", lambda *_, **__: SiteWithDatabases())
    stacks.steps = {"dublin": [step]}
    assert cli.run(verb) == 1
    shown = " ".join(capsys.readouterr().err.split())
    assert told in shown
    assert "rebuild" in shown
    assert not [deed for deed in stacks.done if deed.startswith("up")]


def test_what_is_so_already_or_used_by_nobody_may_change(stacks: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    site = SiteWithDatabases()
    site.size = "2048Mi"  # a rebuild has made it anew
    monkeypatch.setattr(fixed_sizes, "cluster_of", lambda *_, **__: site)
    stacks.steps = {"dublin": [resized("2Gi"), enlarged("dublin-v4"), enlarged("dublin-v9")]}
    assert cli.run(["up", "dublin", "--verify-seconds", "0"]) == 0


def test_what_cannot_be_asked_is_not_changed(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def silent(*_: object, **__: object) -> Never:
        raise ShopSphereError("no answer")

    monkeypatch.setattr(fixed_sizes, "cluster_of", silent)
    stacks.steps = {"dublin": [resized("2Gi")]}
    assert cli.run(["up", "dublin", "--verify-seconds", "0"]) == 1
    assert "whether this can change is not known" in capsys.readouterr().err
    stacks.steps = {"dublin": [scaled(3)]}
    assert cli.run(["up", "dublin", "--verify-seconds", "0"]) == 0, "nothing of what could not"


def test_destroy_shows_and_counts_what_it_removes(
    stacks: Stacks, records: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.resources = [removed("kubernetes:apps/v1:Deployment", "shop"), removed("kubernetes:core/v1:Service", "shop")]
    stacks.unknown.add("dublin")
    answer(monkeypatch, "n\n")
    assert cli.run(["destroy", "rdc-a", "--i-mean", "rdc-a"]) == 1
    told = capsys.readouterr()
    assert "  -  DELETE   shop  kubernetes:core/v1:Service" in told.out.splitlines()
    assert "dublin: nothing was set up" in told.out.splitlines()
    question = "Remove 2 resources of frankfurt (2), dublin (0) in lab, databases included? [y/N]"
    assert question in told.err
    # Also nothing was prepared: no secret, no file, no stack.
    assert stacks.done == ["preview of destroy frankfurt"]
    assert not records.exists()


def press_ctrl_c() -> Never:
    raise KeyboardInterrupt


@pytest.mark.requirement("Ctrl-C at a question ends with 130 and says that nothing was changed")
@pytest.mark.parametrize(
    "words",
    [["destroy", "rdc-a", "--i-mean", "rdc-a"], ["up", "frankfurt", "-e", "prod", "--verify-seconds", "0"]],
    ids=lambda words: words[0],
)
def test_an_interrupt_at_the_question_is_one(
    words: list[str],
    stacks: Stacks,
    records: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stacks.resources = [removed("kubernetes:apps/v1:Deployment", "shop")]
    answer(monkeypatch, "")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(readline=press_ctrl_c))
    assert cli.run(words) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "error: interrupted at the question; nothing was changed"
    assert all(deed.startswith("preview") for deed in stacks.done)
    assert not records.exists()


def test_an_input_that_ends_at_the_question_is_no_answer(
    stacks: Stacks, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.resources = [removed("kubernetes:apps/v1:Deployment", "shop")]
    answer(monkeypatch, "")
    assert cli.run(["destroy", "rdc-a", "--i-mean", "rdc-a"]) == 1
    assert "no answer was given" in capsys.readouterr().err


def test_destroy_with_yes_is_remembered(stacks: Stacks, records: Path) -> None:
    stacks.resources = [removed("kubernetes:apps/v1:Deployment", "shop")]
    assert cli.run(["destroy", "rdc-a", "--yes", "--i-mean", "rdc-a"]) == 0
    assert [deed for deed in stacks.done if deed.startswith("destroy")] == ["destroy frankfurt", "destroy dublin"]
    record = only_record(records)
    assert (record.verb, [stack.changed for stack in record.stacks]) == ("destroy", [1, 1])


def test_destroy_of_what_was_never_set_up_asks_nothing_and_does_nothing(
    stacks: Stacks, records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stacks.unknown |= {"dublin", "frankfurt"}
    assert cli.run(["destroy", "rdc-a", "--i-mean", "rdc-a"]) == 0
    assert capsys.readouterr().out == "frankfurt: nothing was set up\ndublin: nothing was set up\n"
    assert stacks.done == []
    assert not records.exists()


def test_a_deployment_that_fails_is_remembered_with_what_it_had_done(stacks: Stacks, records: Path) -> None:
    stacks.broken["frankfurt"] = "up"
    assert cli.run(UP) == 1
    record = only_record(records)
    assert record.result == "failed"
    assert record.errors["rdc-a"] == "frankfurt: Pulumi failed no answer"
    assert record.stacks[1].error == "frankfurt: Pulumi failed no answer"
    assert record.stacks[1].changed == 1


def test_a_fault_of_the_program_is_one_and_the_other_regions_are_deployed(
    stacks: Stacks, records: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(records.parent))
    stacks.interrupt = ZeroDivisionError
    stacks.steps["newyork"] = []
    assert cli.run(["up", "all", "--verify-seconds", "0"]) == 5
    assert "a fault of the program" in capsys.readouterr().err
    record = only_record(records)
    assert (record.result, list(record.errors)) == ("failed", ["rdc-a"])
    assert "preview newyork" in stacks.done


def test_a_deployment_that_was_interrupted_is_remembered(stacks: Stacks, records: Path) -> None:
    stacks.interrupt = KeyboardInterrupt
    assert cli.run(UP) == 130
    assert only_record(records).result == "interrupted"


def test_a_history_that_cannot_be_written_is_said_and_the_deployment_counts(
    stacks: Stacks, records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records.write_text("in the way")
    assert cli.run(UP) == 0
    assert "warning:" in capsys.readouterr().err
    assert "up frankfurt" in stacks.done
