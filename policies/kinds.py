"""Which Kubernetes kinds hold or move data, and where they carry labels and pods."""

from __future__ import annotations

from collections.abc import Iterator

from policies.reading import Node, mapping, nodes
from policies.resource import Resource

TEMPLATES: dict[str, tuple[str, ...]] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"), ("spec", "template")
    ),
}
"""Where each workload kind has its pod template."""
BUILT_IN_GROUPS = frozenset({"core", "apps", "batch", "extensions"})
VOLUMES = frozenset({"PersistentVolume", "PersistentVolumeClaim"})
DATABASE_GROUP = "postgresql.cnpg.io"


def is_workload(resource: Resource) -> bool:
    """Whether it makes pods from a template."""
    return resource.group in BUILT_IN_GROUPS and resource.kind in TEMPLATES


def is_database(resource: Resource) -> bool:
    """Whether it is a CloudNativePG cluster."""
    return resource.group == DATABASE_GROUP and resource.kind == "Cluster"


def is_core(resource: Resource, *kinds: str) -> bool:
    """Whether it is one of these kinds of the core group."""
    return resource.group == "core" and resource.kind in kinds


def holds_data(resource: Resource) -> bool:
    """Whether residency rules want its labels: namespaces, workloads, volumes, claims and databases."""
    return is_workload(resource) or is_database(resource) or is_core(resource, "Namespace", *VOLUMES)


def label_places(resource: Resource) -> Iterator[tuple[str, Node]]:
    """Yield each place of a resource that must carry the residency labels, by its path."""
    yield "metadata.labels", resource.labels
    if is_workload(resource) and resource.kind != "Pod":
        path = (*TEMPLATES[resource.kind], "metadata", "labels")
        yield ".".join(path), mapping(resource.props, *path)
    if resource.kind == "StatefulSet":
        for at, claim in enumerate(nodes(resource.props, "spec", "volumeClaimTemplates")):
            yield f"spec.volumeClaimTemplates[{at}].metadata.labels", mapping(claim, "metadata", "labels")
    if is_database(resource):
        path = ("spec", "inheritedMetadata", "labels")
        yield ".".join(path), mapping(resource.props, *path)


def pod_spec(resource: Resource) -> Node:
    """Return the pod specification of a workload."""
    return mapping(resource.props, *TEMPLATES[resource.kind], "spec")
