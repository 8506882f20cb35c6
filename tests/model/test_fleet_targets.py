"""Which stacks of an environment are read, and which are told, by what was asked for."""

from __future__ import annotations

import pytest

from policies.fleet import environment as fleet
from policies.fleet.environment import judge_environment
from shopsphere.deploy.declared_graph import Graph, Registered
from shopsphere.estate.stack import Environment, StackId
from shopsphere.topology import Topology, load_topology

SITES = ("ashburn", "chicago", "dublin", "frankfurt", "newyork", "singapore", "sydney")
ALL = ("lab", *(f"lab-{site}" for site in SITES))


@pytest.mark.parametrize(
    ("target", "stacks"),
    [
        ("dublin", ("lab-dublin",)),
        ("rdc-a", ("lab-dublin", "lab-frankfurt")),
        ("hq", ("lab-newyork",)),
        ("edge", ("lab",)),
        ("all", ALL),
    ],
)
def test_every_stack_is_read_and_those_of_the_target_are_told(
    target: str, stacks: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def graphs_of(_topology: Topology, asked: tuple[StackId, ...]) -> dict[StackId, Graph]:
        return {stack: Graph([Registered("acme:x:Y", "thing", {}, "", "", ())]) for stack in asked}

    monkeypatch.setattr(fleet, "graphs_of", graphs_of)
    report = judge_environment(load_topology(environment="lab"), target, Environment.LAB)
    assert (report.environment, report.target) == ("lab", target)
    assert tuple(sorted(report.stacks)) == stacks
    assert report.resources == len(ALL)
    assert {(each.stack, each.finding.check) for each in report.findings} >= {(name, "RES-007") for name in stacks}
    assert {each.stack for each in report.findings} == {*stacks}
