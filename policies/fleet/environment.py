"""The fleet check on what an environment's programs and files declare: no engine, no state, no cluster."""

from __future__ import annotations

from policies.declared import resources_of
from policies.fleet.check import Report, Scope, check
from policies.registry import discover
from shopsphere.deploy.offline import all_stacks, file_of, graphs_of
from shopsphere.deploy.opening import project_name
from shopsphere.estate.stack import EDGE, EVERYTHING, Environment, StackId, sites_of
from shopsphere.topology import Topology


def judge_environment(topology: Topology, target: str, environment: Environment) -> Report:
    """Judge all stacks of an environment together, and tell what concerns a target.

    Args:
        topology: of the environment.
        target: a region, a site, `edge` or `all`. Every stack is read, since a way into it may begin anywhere.
        environment: whose stacks.

    Raises:
        UsageError: the target is unknown.
        ShopSphereError: a stack has no configuration, or one that cannot be used.
    """
    sites = frozenset(sites_of(topology, target))
    stacks = all_stacks(topology, environment)
    scope = Scope(
        environment=environment.value,
        target=target,
        stacks=tuple(stack.name for stack in stacks if _is_meant(stack, target, sites)),
        sites=sites,
        files={stack.name: file_of(stack) for stack in stacks},
    )
    declared = {
        stack.name: resources_of(graph, project_name(stack), stack.name)
        for stack, graph in graphs_of(topology, stacks).items()
    }
    return check(discover(), declared, topology, scope)


def _is_meant(stack: StackId, target: str, sites: frozenset[str]) -> bool:
    return stack.site in sites if stack.site else target in (EDGE, EVERYTHING)
