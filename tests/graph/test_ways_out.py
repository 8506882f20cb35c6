"""Each way out that anybody thought of is refused, by a rule that says why; the table of what is listed is no wider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import test_edge_graph as edge
from invented_ways_out import INVENTED
from listed_ways_out import LISTED
from site_graph import GraphOf, committed_stacks
from test_policies_on_graphs import RULES, edge_resources, resources_of, told
from ways_out import EDGE, WayOut

from policies.judging import judge
from policies.listing.shape import Named, Only, Shape
from policies.listing.table import LISTED as TYPES
from policies.resource import Resource

WAYS = {**LISTED, **INVENTED}
PROJECTS = {"prod-frankfurt": "rdc-a", "prod-newyork": "hq"}
TYPES_OF_OTHERS = {
    "pulumi:providers:docker",
    "pulumi:providers:pulumi-python",
    "docker:index/image:Image",
}
"""Listed and in no committed stack: what the engine adds, and what an owner's stack may have."""
FIELDS_OF_OTHERS = {
    "affinity.enablePodAntiAffinity",
    "affinity.podAntiAffinityType",
    "affinity.topologyKey",
    "tolerations.key",
    "tolerations.operator",
    "tolerations.effect",
    "tolerations.tolerationSeconds",
    "pulumi.com/autonamed",
    "live",
    "ds",
    "retired",
    "version",
    "pluginDownloadURL",
    "renderYamlToDirectory",
    "shopsphere.io/rack",
}
"""The same of fields, and what tests render."""


def declared(graph_of: GraphOf, stack: str) -> list[Resource]:
    """What a committed stack declares."""
    return edge_resources("prod") if stack == EDGE else resources_of(graph_of(PROJECTS[stack], stack), stack)


@pytest.mark.requirement("what breaks the promise of residency is refused before anything is created, and says why")
@pytest.mark.parametrize("name", WAYS)
def test_a_way_out_is_refused(graph_of: GraphOf, name: str) -> None:
    way: WayOut = WAYS[name]
    findings = judge(RULES, way.plant(declared(graph_of, way.stack)))
    assert any(each.check == way.rule and way.found in each.found for each in findings), told(findings)
    assert all(each.allowed and each.action for each in findings)


def test_as_many_were_invented_as_were_listed() -> None:
    assert len(LISTED) >= 18
    assert len(INVENTED) >= len(LISTED)
    assert {way.rule for way in WAYS.values()} >= {"RES-005", "RES-007", "RES-008", "RES-009", "RES-010", "RES-011",
                                                   "RES-031", "NET-001", "NET-002", "NET-003"}  # fmt: skip


def test_nothing_is_listed_that_no_stack_declares(graph_of: GraphOf) -> None:
    resources = [
        each for project, stack in committed_stacks() for each in resources_of(graph_of(project, stack), stack)
    ]
    resources += [each for environment in edge.ENVIRONMENTS for each in edge_resources(environment)]
    listed = {each.token: TYPES[each.token].fields for each in resources if each.token in TYPES}
    used = {ends(field) for each in resources for field in fields_of(each.props, listed.get(each.token, {}))}
    assert set(TYPES) - set(listed) == TYPES_OF_OTHERS
    assert {ends(field) for fields in listed.values() for field in leaves(fields)} - used == FIELDS_OF_OTHERS


def ends(field: str) -> str:
    """The end of a path: several types share a shape, and need not all use all of it."""
    return ".".join(field.split(".")[-2:])


def leaves(shape: Shape, path: str = "") -> set[str]:
    """Every field of a shape that has none below it."""
    match shape:
        case str() | Only() | Named():
            return {path}
        case tuple():
            return leaves(shape[0], path)
    return {leaf for key, below in shape.items() for leaf in leaves(below, f"{path}.{key}" if path else key)} or {path}


def fields_of(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    """Every field of a document, as far as its shape goes down."""
    match shape:
        case str() | Only() | Named():
            yield path
        case tuple():
            for each in value:
                yield from fields_of(each, shape[0], path)
        case _:
            if isinstance(value, Mapping) and not value:
                yield path
            for key in value:
                yield from fields_of(value[key], shape[key], f"{path}.{key}" if path else key)
