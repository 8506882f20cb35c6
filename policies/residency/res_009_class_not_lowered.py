"""Nobody lowers a class by writing another label: it follows from the namespace, and from what is read."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from functools import partial

from policies.kinds import holds_data, is_core, is_database, is_workload, label_places, pod_spec
from policies.reading import MalformedError, Node, mapping, text
from policies.residency.data_read import EVENT_NAMESPACES, NAMESPACES, databases_in, strictness
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.unknown import known
from policies.verdict import violation
from shopsphere.estate.placement import DATA_CLASS_LABEL
from shopsphere.foundation.finding import Finding, Severity

SETTINGS = ("ConfigMap", "Secret")
READ_FROM = ("containers", "initContainers", "ephemeralContainers", "volumes")
"""Parts of a pod that say what its programs read."""
VOLUME_SELECTORS = (
    ("spec", "selector", "matchLabels"),
    ("spec", "storage", "pvcTemplate", "selector", "matchLabels"),
    ("spec", "walStorage", "pvcTemplate", "selector", "matchLabels"),
)


def applies(resource: Resource) -> bool:
    """Return whether it is an object of a cluster that has a class or lies in a namespace that has one."""
    return resource.is_kubernetes and resource.group not in {"scheduling.k8s.io", "storage.k8s.io"}


def check(resource: Resource) -> Iterator[Finding]:
    """Find classes below that of the namespace, of the object, of the volumes or of what is read."""
    own = text(resource.labels, DATA_CLASS_LABEL)
    namespace = text(resource.props, "metadata", "name" if is_core(resource, "Namespace") else "namespace")
    of_namespace = {**NAMESPACES, **EVENT_NAMESPACES}.get(namespace, "")
    if own and of_namespace:
        yield from _below(resource, own, of_namespace, f"metadata.labels, in namespace {namespace}")
    if holds_data(resource):
        for place, labels in label_places(resource):
            written = text(labels, DATA_CLASS_LABEL)
            if written:  # RES-001 asks for one that is missing
                yield from _below(resource, written, own, place)
    if is_database(resource) or is_core(resource, "PersistentVolumeClaim"):
        for path in VOLUME_SELECTORS:
            wanted = text(mapping(resource.props, *path), DATA_CLASS_LABEL)
            if wanted and wanted != own:
                yield violation(
                    f"{'.'.join(path)}: volumes of class {wanted} for data of class {own}", own or "a class"
                )
    for database in databases_in(what_is_read(resource), topology_of(resource)):
        yield from _below(
            resource, own or of_namespace, database.data_class, f"it reads {database.name}, and its class"
        )


def _below(resource: Resource, written: str, least: str, place: str) -> Iterator[Finding]:
    model = topology_of(resource)
    if strictness(model, written) < strictness(model, least):
        yield violation(f"{place}: {written or 'no class'}", f"{least}, or a class that is kept as strictly")


def what_is_read(resource: Resource) -> Node:
    """Return the parts of a workload, or of settings, that say what is read; a secret's data as its readers see it."""
    if is_workload(resource):
        spec = pod_spec(resource)
        return {key: spec[key] for key in READ_FROM if key in spec}
    if is_core(resource, *SETTINGS):
        written = {key: resource.props[key] for key in ("data", "stringData") if key in resource.props}
        if resource.kind == "Secret" and "data" in written:  # the provider itself turns stringData of a secret into it
            written["data"] = _decoded(mapping(resource.props, "data"))
        return written
    return {}


def _decoded(data: Node) -> Node:
    """Return a secret's data as its readers see it; of values that are not known yet, the keys alone."""
    values = {key: known(partial(data.__getitem__, key)) for key in data}
    return {key: "" if value is None else _plain(f"data.{key}", value) for key, value in values.items()}


def _plain(path: str, value: object) -> str:
    try:
        return b64decode(str(value), validate=True).decode(errors="replace")
    except ValueError as error:
        raise MalformedError(path, "base64", value) from error


RULE = ResourceRule(
    id="RES-009",
    name="class-not-lowered",
    reason="A label is what its author writes; data does not become public because a program that reads it says so.",
    severity=Severity.CRITICAL,
    remediation="give it the class of what it reads, at a site that may hold that class, or let it read less",
    applies=applies,
    check=check,
)
