"""What a pod is charged: one count for the policy, for status and for readiness, with values written by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from policy_cases.kubernetes import POD, resources

from policies.limits.pod_power import pod_demand
from runbooks.readiness.p05_capacity import judge_nodes
from shopsphere.estate.pod_power import pod_watts_requested
from shopsphere.status.quantities import requested_watts

WATTS = "shopsphere.io/watts"
Pod = dict[str, Any]


def container(watts: str | int, *, sidecar: bool = False, name: str = "one") -> Pod:
    """A container that asks for all that the policy wants to see."""
    policy = {"restartPolicy": "Always"} if sidecar else {}
    return {"name": name, "resources": resources(0) | power(watts), **policy}


def power(watts: str | int, *, parts: tuple[str, ...] = ("requests", "limits")) -> Pod:
    """Resources with watts in some of their parts; CPU and memory are always requested."""
    return {
        part: {**resources(0)[part], WATTS: "0"} | {WATTS: str(watts)} if part in parts else without(resources(0)[part])
        for part in ("requests", "limits")
    }


def without(amounts: Pod) -> Pod:
    """The amounts, but for the watts."""
    return {name: amount for name, amount in amounts.items() if name != WATTS}


LIMITS_ONLY = {"name": "one", "resources": power(8, parts=("limits",))}
NO_WATTS = {"name": "one", "resources": power(8, parts=())}
RESIZED = {"containerStatuses": [{"name": "one", "resources": {"requests": {"cpu": "4", "memory": "8Gi"}}}]}
"""Status of a pod whose CPU and memory were changed while it ran; the power is as it was declared."""

CASES: dict[str, tuple[Pod, int]] = {
    "one container": ({"containers": [container(10)]}, 10),
    "containers add up": ({"containers": [container(10), container(5)]}, 15),
    "an init container that asks for less": ({"containers": [container(10)], "initContainers": [container(4)]}, 10),
    "an init container that asks for more": ({"containers": [container(10)], "initContainers": [container(12)]}, 12),
    "init containers run one after another": (
        {"containers": [container(10)], "initContainers": [container(6), container(7)]},
        10,
    ),
    "a sidecar runs beside the containers": (
        {"containers": [container(10)], "initContainers": [container(7, sidecar=True)]},
        17,
    ),
    "a sidecar runs beside the init containers after it": (
        {"containers": [container(3)], "initContainers": [container(7, sidecar=True), container(10)]},
        17,
    ),
    "a sidecar does not run beside the init containers before it": (
        {"containers": [container(3)], "initContainers": [container(10), container(7, sidecar=True)]},
        10,
    ),
    "two sidecars": (
        {
            "containers": [container(3)],
            "initContainers": [container(2, sidecar=True), container(9), container(4, sidecar=True)],
        },
        11,
    ),
    "overhead of the runtime comes on top": (
        {"containers": [container(3)], "initContainers": [container(10)], "overhead": {WATTS: "2", "cpu": "250m"}},
        12,
    ),
    "overhead of something else": ({"containers": [container(3)], "overhead": {"cpu": "250m"}}, 3),
    "a limit alone is also the request": ({"containers": [LIMITS_ONLY]}, 8),
    "no watts": ({"containers": [NO_WATTS, container(3)]}, 3),
    "a quantity with a suffix": ({"containers": [container("1k")]}, 1000),
}


@pytest.mark.requirement("a pod's watts are counted once, as the scheduler counts them")
@pytest.mark.parametrize(("spec", "watts"), CASES.values(), ids=CASES)
def test_policy_status_and_readiness_count_the_same(spec: Pod, watts: int) -> None:
    assert pod_watts_requested(spec) == watts
    assert pod_demand(POD.but("spec", spec).resource()).watts == watts
    assert requested_watts([{"spec": spec, "status": {"phase": "Running"}}]) == watts
    node = {"status": {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {WATTS: str(watts)}}}
    assert judge_nodes("dublin", [node], requested_watts([{"spec": spec, "status": {}}])).passed
    assert not judge_nodes("dublin", [node], requested_watts([{"spec": spec, "status": {}}]) + 1).passed


def test_a_resize_in_place_changes_no_watts() -> None:
    assert requested_watts([{"spec": {"containers": [container(10)]}, "status": {"phase": "Running", **RESIZED}}]) == 10


@pytest.mark.parametrize(("phase", "watts"), [("Pending", 10), ("Running", 10), ("Succeeded", 0), ("Failed", 0)])
def test_a_pod_that_ended_is_charged_no_more(phase: str, watts: int) -> None:
    assert requested_watts([{"spec": {"containers": [container(10)]}, "status": {"phase": phase}}]) == watts


def test_part_of_a_watt_is_charged_as_a_whole_one() -> None:
    assert pod_watts_requested({"containers": [container("2500m")]}) == 3


def test_cores_and_memory_add_up_like_watts() -> None:
    spec = {
        "containers": [container(3)],
        "initContainers": [container(7, sidecar=True), container(10)],
        "overhead": {"cpu": "250m", "memory": "512Mi"},
    }
    demand = pod_demand(POD.but("spec", spec).resource())
    assert (demand.watts, demand.cpu, demand.memory) == (Decimal(17), Decimal("2.25"), Decimal("2.5"))
