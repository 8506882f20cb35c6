"""What RBAC allows at Frankfurt, computed from the documents that the owner and the stack apply there; no server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from policies.admission.printed import rights
from shopsphere.drift.rights import owners_rights
from shopsphere.estate.cluster_rights import bindings_in, namespaces_of, way_in_for_up
from shopsphere.estate.cluster_role import Role, namespace_binding
from shopsphere.estate.stack import Environment
from shopsphere.topology import load_topology

SITE = "frankfurt"
RIGHTS = partial(owners_rights, load_topology(environment="lab"), SITE)
"""What `drift` expects the site's owner to have applied, beside what its stack declares."""


def documents(*, event_log: bool = False) -> list[dict[str, Any]]:
    model = load_topology(environment="lab")
    own = namespaces_of(model, SITE, event_log=event_log)
    bound = [namespace_binding(b.name, each, b.role, b.group) for b, each in bindings_in(own, of_pair=True)]
    return [*rights(model, SITE, Environment.LAB), *way_in_for_up(model, SITE, event_log=event_log), *bound]


def rules_for(given: list[dict[str, Any]], group: str, namespace: str) -> Iterator[Mapping[str, Any]]:
    """Rules that count for a group in a namespace; without one, those of the whole cluster."""
    roles = {each["metadata"]["name"]: each["rules"] for each in given if each["kind"] == "ClusterRole"}
    for each in given:
        if any(subject["name"] == group for subject in each.get("subjects", ())) and (
            each["kind"] == "ClusterRoleBinding" or (namespace and each["metadata"].get("namespace") == namespace)
        ):
            yield from roles[each["roleRef"]["name"]]


def is_allowed(
    given: list[dict[str, Any]], role: Role, verb: str, what: str, namespace: str = "", name: str = ""
) -> bool:
    """Whether RBAC allows it; `what` is `group:resource`, or `resource` of the group without a name."""
    group, _, resource = what.rpartition(":")
    return any(
        group in rule["apiGroups"]
        and resource in rule["resources"]
        and verb in rule["verbs"]
        and ("resourceNames" not in rule or name in rule["resourceNames"])
        for rule in rules_for(given, role.group, namespace)
    )
