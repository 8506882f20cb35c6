"""Every committed site stack, built once."""

import functools

import pytest
from site_graph import GraphOf, SiteGraph, build, committed_stacks

from shopsphere.deploy.declared_graph import Graph


@functools.cache
def built(project: str, stack: str) -> Graph:
    return build(project, stack)


@pytest.fixture(params=committed_stacks(), ids=lambda stack: stack[1])
def site(request: pytest.FixtureRequest) -> SiteGraph:
    """(project, name of the site, graph) of each stack of each environment."""
    project, stack = request.param
    return project, stack.partition("-")[2], built(project, stack)


@pytest.fixture(params=[each for each in committed_stacks() if each[0] != "hq"], ids=lambda stack: stack[1])
def regional(request: pytest.FixtureRequest) -> SiteGraph:
    """As `site`, without headquarters."""
    project, stack = request.param
    return project, stack.partition("-")[2], built(project, stack)


@pytest.fixture
def graph_of() -> GraphOf:
    """Build, or take, the graph of one stack."""
    return built
