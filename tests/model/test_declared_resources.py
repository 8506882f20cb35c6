"""What rules see of a program that ran without the engine."""

from __future__ import annotations

from typing import Any

from policies.declared import resources_of
from policies.resource import Resource
from shopsphere.deploy.declared_graph import Graph, Registered

KUBERNETES = "pulumi:providers:kubernetes"
NAMESPACE = "kubernetes:core/v1:Namespace"
REFERENCE = f"urn:pulumi:lab-dublin::rdc-a::{KUBERNETES}::dublin::0f0f"
CLUSTER = {"clusterIdentifier": "dublin"}
SHOP = {"metadata": {"name": "shop"}}


def registered(token: str, name: str, state: dict[str, Any], provider: str = "") -> Registered:
    """A resource as the engine was asked for it, in no component."""
    return Registered(token, name, state, provider, "", ())


GRAPH = Graph(
    [
        registered(KUBERNETES, "dublin", CLUSTER),
        registered("shopsphere:site:Site", "site", {}),
        registered(NAMESPACE, "shop", SHOP, REFERENCE),
        registered(NAMESPACE, "other", {}, REFERENCE.replace("dublin::0f0f", "unseen::0f0f")),
        registered(NAMESPACE, "twin", {}, REFERENCE.replace("dublin::0f0f", "shop::0f0f")),
    ]
)


def test_a_resource_is_seen_with_the_provider_that_creates_it() -> None:
    of_the_stack = "urn:pulumi:lab-dublin::rdc-a"
    assert resources_of(GRAPH, "rdc-a", "lab-dublin") == [
        Resource(KUBERNETES, "dublin", f"{of_the_stack}::{KUBERNETES}::dublin", CLUSTER, None, ""),
        Resource("shopsphere:site:Site", "site", f"{of_the_stack}::shopsphere:site:Site::site", {}, None, ""),
        Resource(NAMESPACE, "shop", f"{of_the_stack}::{NAMESPACE}::shop", SHOP, CLUSTER, "dublin"),
        Resource(NAMESPACE, "other", f"{of_the_stack}::{NAMESPACE}::other", {}, None, "unseen"),
        Resource(NAMESPACE, "twin", f"{of_the_stack}::{NAMESPACE}::twin", {}, None, "shop"),
    ]
