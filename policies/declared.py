"""Resources of a program that ran without the engine, as rules see them: each with the provider that creates it."""

from __future__ import annotations

from policies.resource import Resource
from shopsphere.deploy.declared_graph import Graph, Registered


def resources_of(graph: Graph, project: str, stack: str) -> list[Resource]:
    """Return a graph's resources.

    Args:
        graph: what the stack's program declares.
        project: Pulumi's name of the project.
        stack: Pulumi's name of the stack; its first word says from which topology it is judged.
    """
    providers = {each.name: each for each in graph.resources if each.type.startswith("pulumi:providers:")}
    return [_resource(each, project, stack, providers) for each in graph.resources]


def _resource(registered: Registered, project: str, stack: str, providers: dict[str, Registered]) -> Resource:
    name = registered.provider.split("::")[-2] if registered.provider else ""
    return Resource(
        token=registered.type,
        name=registered.name,
        urn=f"urn:pulumi:{stack}::{project}::{registered.type}::{registered.name}",
        props=registered.state,
        provider=providers[name].state if name in providers else None,
        provider_name=name,
    )
