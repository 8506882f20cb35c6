"""Builds stacks of the tree in which it stands and judges them: the verdict on one edit."""

from __future__ import annotations

from typing import Any

import test_edge_graph as edge
from site_graph import build, committed_config, complete_config

from policies import declared
from policies.fleet.check import Scope, check
from policies.judging import judge
from policies.registry import discover
from policies.resource import Resource
from shopsphere.deploy.declared_graph import Graph
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

KUBECONFIG = "shopsphere:kubeconfig"
PLACEHOLDER = "REPLACE_ME"


def verdict(request: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return which rules found what in the tree as it is now.

    Raises:
        ShopSphereError, pulumi.RunError: topology, configuration or declaration refuse it.
    """
    stacks = [request["stack"], *request["beside"]]
    environment = request["stack"].partition("-")[0]
    model = load_topology(environment=environment)
    resources = {stack: resources_of(stack, known) for stack in stacks}
    if not request["beside"]:
        found = [(each.check, each.found) for each in judge(discover(), resources[request["stack"]])]
        return {"found": found, "refused": ""}
    scope = Scope(environment, "all", tuple(stacks), frozenset(model.sites), {})
    found = [(each.finding.check, each.finding.found) for each in check(discover(), resources, model, scope).findings]
    return {"found": found, "refused": ""}


def resources_of(stack: str, known: dict[str, Any]) -> list[Resource]:
    """Return what a stack declares with the configuration that it has on a machine."""
    if stack in edge.ENVIRONMENTS:
        graph = Graph(edge.build(stack, edge.ENVIRONMENTS[stack](), REPOSITORY / "__main__.py"))
        return declared.resources_of(graph, "shopsphere-edge", stack)
    project = known["stacks"][stack]
    return declared.resources_of(build(project, stack, config_of(project, stack, known)), "shopsphere", stack)


def config_of(project: str, stack: str, known: dict[str, Any]) -> dict[str, Any]:
    """Return a stack's configuration; its cluster is where the machine's kubeconfig says, whatever was edited."""
    written = committed_config(project, stack).get(KUBECONFIG, PLACEHOLDER)
    own = known["kubeconfigs"][stack] if written == PLACEHOLDER else written
    return {**complete_config(project, stack, known["secrets"][project]), KUBECONFIG: own}
