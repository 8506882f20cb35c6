"""A saved plan is applied only to what it was made for, from the files that it was made of."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shopsphere.deploy import plans
from shopsphere.deploy.outcomes import EngineRun, PlanOutcome, RegionOutcome, StackOutcome, Verb
from shopsphere.deploy.waves import deployment_plan
from shopsphere.estate.stack import Environment
from shopsphere.topology import load_topology

STACKS = deployment_plan(load_topology(), "rdc-a", Environment.PROD).stacks
MADE = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)


def outcome(error: str = "") -> PlanOutcome:
    run = EngineRun(changed=1, total=3, fingerprint="f" * 64)
    stack = StackOutcome(stack="dublin", name="prod-dublin", planned=run)
    return PlanOutcome(verb=Verb.PREVIEW, regions=(RegionOutcome(region="rdc-a", stacks=(stack,), error=error),))


def plan(inputs: dict[str, str] | None = None, error: str = "") -> plans.SavedPlan:
    return plans.SavedPlan(
        target="rdc-a",
        environment=Environment.PROD,
        refresh=False,
        made=MADE,
        by="anna at ops-1",
        inputs=plans.inputs_of(STACKS) if inputs is None else inputs,
        outcome=outcome(error),
    )


def test_a_plan_is_read_as_it_was_saved_and_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "plans" / "rdc-a.json"
    plans.save(file, plan())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["rdc-a.json"]
    found = plans.load(file)
    assert found == plan()
    assert found.digest == plan().digest
    assert found.outcome.fingerprints == {"dublin": "f" * 64}
    found.require("rdc-a", Environment.PROD, STACKS)


def test_a_failed_preview_is_no_plan(tmp_path: Path) -> None:
    with pytest.raises(plans.PlanRefusedError, match="the preview failed"):
        plans.save(tmp_path / "plan.json", plan(error="refused"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "environment"), [("rdc-b", Environment.PROD), ("rdc-a", Environment.LAB), ("all", Environment.PROD)]
)
def test_a_plan_of_something_else_is_refused(target: str, environment: Environment) -> None:
    with pytest.raises(plans.PlanRefusedError, match="found:    a plan of rdc-a in prod"):
        plan().require(target, environment, STACKS)


def test_files_that_changed_came_or_went_are_named() -> None:
    inputs = plans.inputs_of(STACKS)
    inputs["topology.yaml"] = "0" * 64
    inputs["components/gone.py"] = "0" * 64
    del inputs["stacks/rdc-a/__main__.py"]
    with pytest.raises(
        plans.PlanRefusedError, match=r"removed: components/gone\.py, stacks/rdc-a/__main__\.py, topology\.yaml\n"
    ):
        plan(inputs).require("rdc-a", Environment.PROD, STACKS)


def test_many_changed_files_are_counted() -> None:
    with pytest.raises(plans.PlanRefusedError, match=r" and \d+ more\n"):
        plan({}).require("rdc-a", Environment.PROD, STACKS)


def test_inputs_are_the_declaring_files_of_these_stacks_and_no_others() -> None:
    names = set(plans.inputs_of(STACKS))
    assert {
        "topology.yaml",
        "requirements.lock",
        "components/site.py",
        "policies/PulumiPolicy.yaml",
        "stacks/rdc-a/Pulumi.prod-frankfurt.yaml",
        "stacks/rdc-a/Pulumi.prod-dublin.yaml",
        "stacks/rdc-a/Pulumi.yaml",
        "Pulumi.prod.yaml",
        "__main__.py",
    } <= names
    assert not [name for name in names if "rdc-b" in name or "__pycache__" in name or name.startswith(("lab", "docs"))]


@pytest.mark.parametrize(
    ("text", "found"),
    [(None, "No such file"), ("not JSON", "the document: Invalid JSON"), ('{"format": 2}', "format: Input should")],
)
def test_what_cannot_be_read_is_no_plan(tmp_path: Path, text: str | None, found: str) -> None:
    file = tmp_path / "plan.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(plans.PlanRefusedError, match=f"found:    {found}"):
        plans.load(file)
