"""Sums over Kubernetes documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shopsphere.estate.placement import RACK_LABEL, WATTS_RESOURCE
from shopsphere.estate.pod_power import pod_watts_requested
from shopsphere.status.model import Count, Storage
from shopsphere.topology.quantities import parse_quantity

RACK_PREFIX = "rack.shopsphere.io/"
GIB = 2**30
FINISHED = frozenset({"Succeeded", "Failed"})

Document = dict[str, Any]


def ready_nodes(nodes: Iterable[Document]) -> Count:
    """Count nodes whose condition Ready is true."""
    states = [is_true(node, "Ready") for node in nodes]
    return Count(sum(states), len(states))


def ready_pods(pods: Iterable[Document]) -> Count:
    """Count pods whose condition Ready is true; those that have done their work are left out."""
    states = [is_true(pod, "Ready") for pod in pods if pod["status"].get("phase") not in FINISHED]
    return Count(sum(states), len(states))


def rack_count(nodes: Iterable[Document]) -> int:
    """Count the racks that the nodes stand in; a node that stands for several racks has a label for each."""
    racks: set[str] = set()
    for node in nodes:
        labels = node["metadata"].get("labels", {})
        several = {label.removeprefix(RACK_PREFIX) for label in labels if label.startswith(RACK_PREFIX)}
        racks |= several or {labels[RACK_LABEL]} if RACK_LABEL in labels else several
    return len(racks)


def requested_watts(pods: Iterable[Document]) -> int:
    """Sum what running and starting pods are charged (W), as the scheduler does it."""
    return sum(pod_watts_requested(pod["spec"]) for pod in pods if pod["status"].get("phase") not in FINISHED)


def allocatable_watts(nodes: Iterable[Document]) -> int:
    """Sum the power that the nodes offer to pods (W)."""
    return sum(int(parse_quantity(node["status"].get("allocatable", {}).get(WATTS_RESOURCE, "0"))) for node in nodes)


def storage(volumes: Iterable[Document]) -> Storage:
    """Sum a site's volumes."""
    sizes = [(volume["status"].get("phase") == "Bound", _capacity(volume)) for volume in volumes]
    used = sum(size for bound, size in sizes if bound)
    bound = Count(sum(is_bound for is_bound, _ in sizes), len(sizes))
    return Storage(bound, used / GIB, sum(size for _, size in sizes) / GIB)


def is_true(document: Document, kind: str) -> bool:
    """Whether an object's status has the condition `kind` with the value True."""
    conditions = document.get("status", {}).get("conditions", [])
    return any(condition["type"] == kind and condition["status"] == "True" for condition in conditions)


def _capacity(volume: Document) -> int:
    return int(parse_quantity(volume["spec"]["capacity"]["storage"]))
