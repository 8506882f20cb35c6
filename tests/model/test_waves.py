"""Order and independence of deployments."""

import pytest

from shopsphere.deploy.display import Display
from shopsphere.deploy.runner import PlanFailedError, Work, run_plan
from shopsphere.deploy.waves import Plan, deployment_plan, removal_plan
from shopsphere.estate.stack import Environment, StackId
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
LAB = Environment.LAB


def labels(plan: Plan) -> dict[str, list[str]]:
    return {region.region: [stack.label for stack in region.waves] for region in plan.regions}


class Recorder:
    """Notes what is done to which stack, and fails where it is told to."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.done: list[str] = []

    def work(self, *, edge_first: bool = False) -> Work:
        return Work("up", lambda _: None, self.act, self.verify, edge_first)

    def act(self, stack: StackId, _display: Display) -> None:
        self.done.append(stack.label)
        if stack.label in self.broken:
            raise ShopSphereError(f"{stack.label} is broken")

    def verify(self, stacks: tuple[StackId, ...], _display: Display) -> None:
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
    with pytest.raises(PlanFailedError, match="rdc-a") as error:
        run_plan(deployment_plan(TOPOLOGY, "all", LAB), recorder.work(), Display())
    assert "frankfurt" not in recorder.done
    assert "verified dublin+frankfurt" not in recorder.done
    assert {"chicago", "ashburn", "sydney", "singapore", "newyork", "edge"} <= set(recorder.done)
    assert error.value.exit_code == 1
    assert "rdc-b" not in str(error.value)


def test_the_edge_is_left_out_when_no_region_succeeded() -> None:
    recorder = Recorder("dublin")
    with pytest.raises(PlanFailedError):
        run_plan(deployment_plan(TOPOLOGY, "rdc-a", LAB), recorder.work(), Display())
    assert "edge" not in recorder.done


def test_a_region_is_verified_after_its_last_wave() -> None:
    recorder = Recorder()
    run_plan(deployment_plan(TOPOLOGY, "rdc-a", LAB), recorder.work(), Display())
    assert recorder.done == ["dublin", "frankfurt", "verified dublin+frankfurt", "edge", "verified edge"]


def test_removal_stops_when_the_edge_could_not_be_removed() -> None:
    recorder = Recorder("edge")
    with pytest.raises(PlanFailedError, match="edge"):
        run_plan(removal_plan(TOPOLOGY, "all", LAB), recorder.work(edge_first=True), Display())
    assert recorder.done == ["edge"]
