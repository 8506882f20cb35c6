"""Order and independence of deployments."""

from __future__ import annotations

import re

import pytest

from shopsphere.deploy.engine import DeploymentError
from shopsphere.deploy.listening import Event, Listener, RegionFailed, RegionLeftOut, Silent
from shopsphere.deploy.outcomes import EngineRun, PlanFailedError, StackOutcome, Verb
from shopsphere.deploy.runner import Work, run_plan
from shopsphere.deploy.waves import Plan, deployment_plan, removal_plan
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
LAB = Environment.LAB


def labels(plan: Plan) -> dict[str, list[str]]:
    return {region.region: [stack.label for stack in region.waves] for region in plan.regions}


class Recorder:
    """Notes what is done to which stack and what is told, and fails where it is told to."""

    def __init__(self, *broken: str, error: type[Exception] = ShopSphereError) -> None:
        self.broken = broken
        self.error = error
        self.done: list[str] = []
        self.told: list[Event] = []

    def work(self, *, edge_first: bool = False) -> Work:
        return Work(Verb.UP, self.prepare, self.act, self.verify, edge_first)

    def tell(self, event: Event) -> None:
        self.told.append(event)

    def prepare(self, stacks: tuple[StackId, ...], _listener: Listener) -> None:
        if f"secrets of {stacks[0].region}" in self.broken:
            raise ShopSphereError("there is no key")

    def act(self, stack: StackId, _listener: Listener) -> StackOutcome:
        self.done.append(stack.label)
        if stack.label in self.broken:
            raise self.error(f"{stack.label} is broken")
        return StackOutcome(stack=stack.label, name=stack.name, applied=EngineRun(changed=2, total=3))

    def verify(self, stacks: tuple[StackId, ...], _listener: Listener) -> None:
        self.done.append(f"verified {'+'.join(stack.label for stack in stacks)}")


def test_a_region_deploys_recovery_then_primary_then_edge() -> None:
    plan = deployment_plan(TOPOLOGY, "rdc-a", LAB)
    assert labels(plan) == {"rdc-a": ["dublin", "frankfurt"]}
    assert plan.edge is not None
    assert [stack.name for stack in plan.stacks] == ["lab-dublin", "lab-frankfurt", "lab"]


def test_everything_has_all_seven_sites_and_the_edge() -> None:
    plan = deployment_plan(TOPOLOGY, "all", Environment.PROD)
    assert {stack.site for stack in plan.stacks} == {*TOPOLOGY.sites, None}
    assert list(labels(plan)) == ["rdc-a", "rdc-b", "rdc-c", "hq"]
    assert {stack.name for stack in plan.stacks} == {"prod", *(f"prod-{site}" for site in TOPOLOGY.sites)}


@pytest.mark.parametrize(("target", "stacks"), [("dublin", ["lab-dublin"]), ("hq", ["lab-newyork"]), ("edge", ["lab"])])
def test_a_narrow_target_takes_nothing_else_along(target: str, stacks: list[str]) -> None:
    assert [stack.name for stack in deployment_plan(TOPOLOGY, target, LAB).stacks] == stacks


def test_removal_goes_backwards_and_keeps_the_edge_for_the_other_regions() -> None:
    assert [stack.label for stack in removal_plan(TOPOLOGY, "rdc-a", LAB).stacks] == ["frankfurt", "dublin"]
    assert removal_plan(TOPOLOGY, "all", LAB).edge is not None


def test_an_unknown_target_is_an_error_of_usage_that_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="frankfurt") as error:
        deployment_plan(TOPOLOGY, "atlantis", LAB)
    assert error.value.exit_code == 2


def test_state_belongs_to_the_jurisdiction() -> None:
    owners = {stack.label: stack.jurisdiction for stack in deployment_plan(TOPOLOGY, "all", LAB).stacks}
    assert owners["frankfurt"] == owners["dublin"] == "eu"
    assert owners["newyork"] == "headquarters"
    assert owners["edge"] == "edge"


def test_a_region_stops_at_its_first_bad_wave_and_leaves_the_others_alone() -> None:
    recorder = Recorder("dublin")
    outcome = run_plan(deployment_plan(TOPOLOGY, "all", LAB), recorder.work(), recorder)
    assert "frankfurt" not in recorder.done
    assert "verified dublin+frankfurt" not in recorder.done
    assert {"chicago", "ashburn", "sydney", "singapore", "newyork", "edge"} <= set(recorder.done)
    assert [region.region for region in outcome.regions] == ["rdc-a", "rdc-b", "rdc-c", "hq", "edge"]
    assert {region.region: region.error for region in outcome.regions if region.error} == {"rdc-a": "dublin is broken"}
    assert [event for event in recorder.told if isinstance(event, RegionFailed)] == [
        RegionFailed("rdc-a", "dublin is broken")
    ]
    with pytest.raises(PlanFailedError, match=r"up failed for rdc-a\n  rdc-a: dublin is broken$") as error:
        outcome.require_success()
    assert error.value.exit_code == 1
    assert error.value.outcome is outcome
    assert str(error.value.__cause__) == "dublin is broken"


def test_the_outcome_says_what_was_done_where() -> None:
    recorder = Recorder("frankfurt")
    outcome = run_plan(deployment_plan(TOPOLOGY, "rdc-a", LAB), recorder.work(), Silent())
    dublin, frankfurt = outcome.regions[0].stacks
    assert (dublin.stack, dublin.name, dublin.error) == ("dublin", "lab-dublin", "")
    assert (frankfurt.stack, frankfurt.error, frankfurt.applied) == ("frankfurt", "frankfurt is broken", None)
    assert outcome.changed == {"dublin": 2}


def test_what_the_engine_had_found_before_it_failed_is_kept() -> None:
    class RefusedError(DeploymentError):
        def __init__(self, message: str) -> None:
            super().__init__(message, EngineRun(changed=4, total=9))

    outcome = run_plan(
        deployment_plan(TOPOLOGY, "dublin", LAB), Recorder("dublin", error=RefusedError).work(), Silent()
    )
    (stack,) = outcome.stacks
    assert stack.planned is not None
    assert (stack.planned.changed, stack.planned.total) == (4, 9)


def test_an_error_that_nobody_foresaw_costs_no_other_region_its_outcome() -> None:
    recorder = Recorder("dublin", error=KeyError)
    outcome = run_plan(deployment_plan(TOPOLOGY, "all", LAB), recorder.work(), Silent())
    assert outcome.regions[0].error == "KeyError: 'dublin is broken'"
    assert isinstance(outcome.regions[0].cause, KeyError)
    assert set(outcome.changed) == {"chicago", "ashburn", "sydney", "singapore", "newyork", "edge"}


def test_a_region_that_cannot_be_prepared_is_not_begun() -> None:
    recorder = Recorder("secrets of rdc-a")
    outcome = run_plan(deployment_plan(TOPOLOGY, "rdc-a", LAB), recorder.work(), Silent())
    assert recorder.done == []
    assert outcome.regions[0].error == "there is no key"
    assert outcome.regions[0].stacks == ()


def test_the_edge_is_left_out_when_no_region_succeeded() -> None:
    recorder = Recorder("dublin")
    outcome = run_plan(deployment_plan(TOPOLOGY, "rdc-a", LAB), recorder.work(), recorder)
    assert "edge" not in recorder.done
    assert outcome.regions[1].left_out == "no region succeeded"
    assert recorder.told[-1] == RegionLeftOut("edge", "no region succeeded")


def test_a_region_is_verified_after_its_last_wave() -> None:
    recorder = Recorder()
    run_plan(deployment_plan(TOPOLOGY, "rdc-a", LAB), recorder.work(), Silent()).require_success()
    assert recorder.done == ["dublin", "frankfurt", "verified dublin+frankfurt", "edge", "verified edge"]


def test_removal_stops_when_the_edge_could_not_be_removed() -> None:
    recorder = Recorder("edge")
    outcome = run_plan(removal_plan(TOPOLOGY, "all", LAB), recorder.work(edge_first=True), Silent())
    assert recorder.done == ["edge"]
    assert [region.region for region in outcome.regions if region.left_out] == ["rdc-a", "rdc-b", "rdc-c", "hq"]
    with pytest.raises(PlanFailedError, match="edge is broken"):
        outcome.require_success()


def test_deploying_is_a_library_and_prints_nothing() -> None:
    printing = re.compile(
        r"^(from|import) (rich|typer|shopsphere\.foundation\.progress)\b|\bprint\(|\.write\(sys", re.MULTILINE
    )
    files = sorted((REPOSITORY / "shopsphere" / "deploy").glob("*.py"))
    assert len(files) > 10
    assert not [file.name for file in files if printing.search(file.read_text())]
