"""Who changes what in declared objects as part of its work: facts of Kubernetes, of the operators and of this platform.

What an owner knows beyond that has a place of its own, with a date: `ignores.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shopsphere.drift.ownership import Author
from shopsphere.drift.place import Path, begins_with
from shopsphere.estate.databases import LEDGER

CONTROLLERS = ("kube-controller-manager", "cloud-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver")
"""Programs of Kubernetes, as they call themselves when they write."""
OPERATOR = "manager"
"""CloudNativePG's operator and its instances, which are one program."""
PLATFORM = "OpenAPI-Generator"
"""The runbooks and site agents, whose client calls itself so; any other program in Python may, too."""
PERMITS = {"app.kubernetes.io/managed-by": "shopsphere-break-glass"}
"""Labels of the permits that break-glass lays down in the ledger's namespace."""


@dataclass(frozen=True)
class Work:
    """What a manager may set in objects that somebody else declared.

    Attributes:
        managers: as they call themselves.
        kind: of the objects.
        fields: that they may set, or anything below.
        why: what they do it for.
    """

    managers: tuple[str, ...]
    kind: str
    fields: tuple[tuple[str, ...], ...]
    why: str

    def covers(self, kind: str, path: Path, author: Author) -> bool:
        """Whether it explains a field."""
        is_its = author.manager in self.managers and kind == self.kind
        return is_its and any(begins_with(path, fields) for fields in self.fields)


def _annotation(name: str) -> tuple[str, ...]:
    return ("metadata", "annotations", name)


WORKS = (
    Work(
        CONTROLLERS[:1],
        "Deployment",
        (_annotation("deployment.kubernetes.io/revision"), ("spec", "replicas")),
        "counts rollouts, and moves the replicas that an autoscaler owns; declared replicas are compared all the same",
    ),
    Work(
        ("kubectl-rollout",),
        "Deployment",
        (("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),),
        "starts the same pods again, as the lab does after it has built an image",
    ),
    Work(
        ("kubectl-rollout",),
        "StatefulSet",
        (("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),),
        "the same with the event log",
    ),
    Work(
        ("kube-controller-manager", "kube-scheduler"),
        "PersistentVolume",
        (("spec", "claimRef"), _annotation("pv.kubernetes.io/bound-by-controller"), ("metadata", "finalizers")),
        "binds volumes to claims, the scheduler where a claim waits for its pod; keeps one in use from being deleted",
    ),
    Work(CONTROLLERS[:2], "Service", (("metadata", "finalizers"),), "gives back the address of a balancer"),
    Work(CONTROLLERS[:1], "Namespace", (("spec", "finalizers"),), "empties a namespace before it is deleted"),
    Work(
        (OPERATOR,),
        "Cluster",
        (("metadata", "finalizers"),),
        "keeps the document until its instances are gone",
    ),
    Work(
        ("kubectl-annotate", "kubectl-cnpg"),
        "Cluster",
        (_annotation("cnpg.io/reloadedAt"),),
        "has the operator write and load a server's files again, as findings about them say, and changes nothing else",
    ),
    Work(
        (PLATFORM,),
        "Cluster",
        tuple(
            _annotation(f"shopsphere.io/{name}")
            for name in ("synchrony", "complete-copies", "told-to-lead", "operators-lock", "looked-at")
        ),
        "marks the cluster for a change of role, and for the switch of synchrony (ADR 6, 10 and 45)",
    ),
)

MAKERS = frozenset({*CONTROLLERS, OPERATOR})
"""Managers that make and change objects of their own: pods, replica sets, endpoints, claims."""


def explains(kind: str, path: Path, author: Author) -> bool:
    """Whether a field that nobody declared is part of a known program's work."""
    return any(work.covers(kind, path, author) for work in WORKS)


def is_part_of_kubernetes(kind: str, live: Mapping[str, Any], authors: Sequence[Author]) -> bool:
    """Whether an object comes with every namespace, or with every Service, and nobody else has written it."""
    name = live["metadata"]["name"]
    comes_along = (kind, name) in {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
    if not authors:  # the API server keeps no record of an object that holds nothing
        return comes_along and live.keys() <= {"apiVersion", "kind", "metadata"}
    return all(author.manager in CONTROLLERS for author in authors) and (comes_along or kind == "Endpoints")


def is_the_operators(kind: str, live: Mapping[str, Any], authors: Sequence[Author]) -> bool:
    """Whether CloudNativePG put an object beside its clusters: queries of its own metrics, without an owner."""
    is_its = (kind, live["metadata"]["name"]) == ("ConfigMap", "cnpg-default-monitoring")
    return is_its and bool(authors) and all(author.manager == OPERATOR for author in authors)


def is_permit(kind: str, live: Mapping[str, Any]) -> bool:
    """Whether an object is a permit that an operator laid down by breaking the glass."""
    metadata = live["metadata"]
    labels = metadata.get("labels") or {}
    is_ours = kind == "ConfigMap" and metadata.get("namespace") == LEDGER.namespace.name
    return is_ours and PERMITS.items() <= labels.items()


def is_of_others(kind: str, live: Mapping[str, Any], authors: Sequence[Author]) -> bool:
    """Whether an object that no stack declares is part of a known program's work."""
    return is_part_of_kubernetes(kind, live, authors) or is_the_operators(kind, live, authors) or is_permit(kind, live)
