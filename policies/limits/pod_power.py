"""What the pods of a workload request, in watts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from policies.kinds import is_database, is_workload, pod_spec
from policies.reading import MalformedError, Node, mapping, nodes, quantity, text, texts, whole_number
from policies.residency_map import topology_of
from policies.resource import Resource
from shopsphere.estate.placement import WATTS_RESOURCE
from shopsphere.estate.pod_power import SIDECAR_POLICY, Demand, InitDemand, pod_total, requested
from shopsphere.topology.power import pod_watts
from shopsphere.topology.quantities import GIB

COPIES: dict[str, tuple[str, ...]] = {
    "Job": ("spec", "parallelism"),
    "CronJob": ("spec", "jobTemplate", "spec", "parallelism"),
    **dict.fromkeys(("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"), ("spec", "replicas")),
}
"""Where each workload kind says how many pods it runs at once; one pod where it says nothing."""

DEFAULT_SURGE = "25%"
PERCENT = re.compile(r"([0-9]{1,3})%")


def requests_power(resource: Resource) -> bool:
    """Whether its pods draw power."""
    return is_workload(resource) or is_database(resource)


def is_autoscaler(resource: Resource) -> bool:
    """Whether it decides how many pods of a workload run."""
    return resource.group == "autoscaling" and resource.kind == "HorizontalPodAutoscaler"


def autoscaled(resource: Resource) -> dict[str, Any]:
    """Return namespace and name of an autoscaler's target, and the most pods that it starts."""
    target = (text(resource.props, "metadata", "namespace"), text(resource.props, "spec", "scaleTargetRef", "name"))
    return {"target": target, "most": whole_number(resource.props, "spec", "maxReplicas", default=1)}


def surge(resource: Resource) -> Callable[[int], int]:
    """Return what says how many pods a rollout of so many starts before it ends old ones.

    Raises:
        MalformedError: it is neither a number nor a percentage. A Deployment that says nothing adds a quarter.
    """
    if resource.kind != "Deployment" or text(resource.props, "spec", "strategy", "type") == "Recreate":
        return lambda _: 0
    path = ("spec", "strategy", "rollingUpdate")
    given = mapping(resource.props, *path).get("maxSurge")
    if given is None:
        given = DEFAULT_SURGE
    if isinstance(given, str):
        matched = PERCENT.fullmatch(given)
        if matched is None:
            raise MalformedError(".".join((*path, "maxSurge")), "a number of pods or a percentage", given)
        percent = int(matched[1])
        return lambda pods: -(-pods * percent // 100)
    fixed = whole_number(resource.props, *path, "maxSurge", default=0)
    return lambda _: fixed


def drawn_watts(resource: Resource, demand: Demand) -> int:
    """Return the power that the power model gives the requests of a resource's pod (W)."""
    return pod_watts(topology_of(resource).power_model, demand.cpu, demand.memory)


def pod_demand(resource: Resource) -> Demand:
    """Return what one pod asks for; CloudNativePG gives what a database declares to its one container."""
    if is_database(resource):
        return container_demand(mapping(resource.props, "spec"), "spec")
    spec = pod_spec(resource)
    overhead = mapping(spec, "overhead")
    return pod_total(
        [container_demand(each, f"container {text(each, 'name')!r}") for each in nodes(spec, "containers")],
        [
            InitDemand(
                container_demand(each, f"init container {text(each, 'name')!r}"),
                is_sidecar=text(each, "restartPolicy") == SIDECAR_POLICY,
            )
            for each in nodes(spec, "initContainers")
        ],
        _demand(overhead.get(WATTS_RESOURCE, 0), overhead, "overhead"),
    )


def container_demand(container: Node, place: str) -> Demand:
    """Return what one container asks for.

    Raises:
        MalformedError: it does not ask for CPU or memory, so its power cannot be known, or its watts differ between
            requests and limits, which Kubernetes refuses for extended resources.
    """
    requests, limits = mapping(container, "resources", "requests"), mapping(container, "resources", "limits")
    for name in ("cpu", "memory"):
        if requests.get(name) is None:
            raise MalformedError(f"{place}: resources.requests.{name}", f"a request of {name}", None)
    watts = requested(requests, limits, WATTS_RESOURCE)
    path = f"{place}: resources.limits['{WATTS_RESOURCE}']"
    demand = _demand(watts, requests, f"{place}: resources.requests")
    if demand.watts != quantity(limits.get(WATTS_RESOURCE, 0), path):
        raise MalformedError(path, f"the same as requested, {watts}", limits.get(WATTS_RESOURCE))
    return demand


def _demand(watts: Any, amounts: Node, place: str) -> Demand:
    cpu = quantity(amounts.get("cpu", 0), f"{place}.cpu")
    memory = quantity(amounts.get("memory", 0), f"{place}.memory")
    return Demand(quantity(watts, f"{place}['{WATTS_RESOURCE}']"), cpu, memory / GIB)


def copies(resource: Resource) -> int:
    """Return how many pods run at once; a daemon set has one on each node of its site."""
    if is_database(resource):
        return whole_number(resource.props, "spec", "instances", default=1)
    if resource.kind == "DaemonSet":
        return topology_of(resource).site(resource.site).racks * topology_of(resource).power_model.nodes_per_rack
    path = COPIES.get(resource.kind)
    return whole_number(resource.props, *path, default=1) if path else 1


def rack_labels(terms: Sequence[Node], label: str) -> Iterator[tuple[str, list[str]]]:
    """Yield operator and values of each node expression about a label."""
    for term in terms:
        for expression in nodes(term, "matchExpressions"):
            if text(expression, "key") == label:
                yield text(expression, "operator"), list(texts(expression, "values"))
