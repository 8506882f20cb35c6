"""Metadata of Kubernetes objects: names, and the labels and annotations whose meaning is known."""

from __future__ import annotations

from collections.abc import Mapping

from policies.listing.shape import Shape
from shopsphere.estate.placement import DATA_CLASS_LABEL, JURISDICTION_LABEL, NAME_LABEL, OWNER_LABEL, SITE_LABEL

LABELS: Mapping[str, Shape] = {
    NAME_LABEL: "selects the pods of one workload inside its namespace",
    "app.kubernetes.io/part-of": "for people; nothing acts on it",
    "app.kubernetes.io/managed-by": "for people; nothing acts on it",
    SITE_LABEL: "where it is; RES-003 and RES-004 judge it",
    JURISDICTION_LABEL: "whose law holds; RES-003 judges it",
    OWNER_LABEL: "who answers for it",
    DATA_CLASS_LABEL: "what it holds; RES-003 and RES-009 judge it",
}
POD_SECURITY: Mapping[str, Shape] = {
    f"pod-security.kubernetes.io/{mode}": "which pods the namespace takes; SEC-001 judges it"
    for mode in ("enforce", "audit", "warn")
}
ANNOTATIONS: Mapping[str, Shape] = {
    "pulumi.com/skipAwait": "Pulumi does not wait for it; the object is the same",
    "pulumi.com/autonamed": "Pulumi's note that it chose the name",
}


def metadata(*, labels: Mapping[str, Shape] = LABELS, annotations: Mapping[str, Shape] = ANNOTATIONS) -> Shape:
    """Return the shape of an object's metadata."""
    return {
        "name": "its name",
        "namespace": "its namespace at the same site",
        "labels": labels,
        "annotations": annotations,
    }


def object_of(
    *, labels: Mapping[str, Shape] = LABELS, annotations: Mapping[str, Shape] = ANNOTATIONS, **fields: Shape
) -> Mapping[str, Shape]:
    """Return the shape of an object with these fields beside kind and metadata."""
    return {
        "apiVersion": "part of the type that is listed",
        "kind": "part of the type that is listed",
        "metadata": metadata(labels=labels, annotations=annotations),
        **fields,
    }
