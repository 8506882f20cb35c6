"""What holds data or a name is protected in every stack, and every type is known to do so or not."""

from __future__ import annotations

import pytest
from site_graph import GraphOf, SiteGraph, committed_stacks
from test_edge_graph import ENVIRONMENTS, committed

from shopsphere.deploy.declared_graph import Registered
from shopsphere.estate.holding import HOLDS, MADE_AGAIN, why_kept


def exists(resource: Registered) -> bool:
    """Whether there is something of it outside Pulumi's state."""
    return resource.type.startswith(("kubernetes:", "pulumi-python:", "docker:"))


def protected(resources: list[Registered]) -> set[str]:
    return {f"{each.kind} {each.name}" for each in resources if each.is_protected}


@pytest.mark.requirement("what holds data is protected in every stack: Pulumi neither deletes nor replaces it unasked")
def test_everything_of_a_site_that_holds_data_is_protected(site: SiteGraph) -> None:
    _, _, graph = site
    for each in graph.resources:
        assert each.is_protected is bool(why_kept(each.type)), each.name


@pytest.mark.requirement("names of pairs are protected: Pulumi neither deletes nor replaces them unasked")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_everything_of_the_edge_is_protected(environment: str) -> None:
    resources = committed(environment)
    found = protected(resources)
    assert found == {f"{each.kind} {each.name}" for each in resources if exists(each)}
    assert {"DnsPairState rdc-a", "DnsRRset rdc-a", "DnsRRset www", "CdnDistribution static"} <= found


def test_what_is_protected_at_one_site_by_hand(graph_of: GraphOf) -> None:
    for environment in ("lab", "prod"):
        graph = graph_of("rdc-a", f"{environment}-frankfurt")
        found = protected(graph.resources)
        of_log = {
            "Namespace kafka", "Namespace collector", "Namespace insight", "Namespace recommend", "StatefulSet kafka",
        }  # fmt: skip
        assert {each for each in found if not each.startswith("PersistentVolume ")} == {
            *(of_log if environment == "lab" else ()),
            *("Namespace gateway", "Namespace shop", "Namespace payments", "Namespace data-commerce"),
            *("Namespace data-ledger", "Namespace archive-commerce", "Namespace archive-ledger"),
            *("Cluster commerce-frankfurt", "Cluster ledger-frankfurt"),
            "StorageClass frankfurt-pinned",
        }
        volumes = {f"PersistentVolume {each.name}" for each in graph.of("PersistentVolume")}
        assert len(volumes) >= 4
        assert volumes <= found


@pytest.mark.requirement("each type of resource that a stack declares is known to hold data, or to be made again")
def test_every_type_is_known(graph_of: GraphOf) -> None:
    stacks = [graph_of(*stack).resources for stack in committed_stacks()]
    edges = [committed(environment) for environment in ENVIRONMENTS]
    types = {each.type for resources in [*stacks, *edges] for each in resources if exists(each)}
    assert len(types) > 15
    assert types - {*HOLDS} - MADE_AGAIN == set()
    assert not MADE_AGAIN & {*HOLDS}


def test_what_nobody_knows_counts_as_data_and_what_is_only_in_the_state_does_not() -> None:
    assert "nobody has said" in why_kept("kubernetes:kafka.strimzi.io/v1beta2:Kafka")
    assert "databases" in why_kept("kubernetes:core/v1:Namespace")
    for kind in ("pulumi:pulumi:Stack", "pulumi:providers:kubernetes", "shopsphere:site:PostgresMember"):
        assert why_kept(kind) == ""
