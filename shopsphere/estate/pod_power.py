"""What one pod requests, in watts, cores and GiB, counted as Kubernetes' scheduler counts it.

The one place that knows how containers add up: the policy pack, `shopsphere status` and readiness all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from shopsphere.estate.placement import WATTS_RESOURCE
from shopsphere.topology.quantities import parse_quantity

SIDECAR_POLICY = "Always"
"""`restartPolicy` of an init container that goes on running beside the containers."""


@dataclass(frozen=True)
class Demand:
    """Requests of one pod or container.

    Attributes:
        watts: power it asks for (W).
        cpu: cores it asks for.
        memory: memory it asks for (GiB).
    """

    watts: Decimal = Decimal(0)
    cpu: Decimal = Decimal(0)
    memory: Decimal = Decimal(0)

    def __add__(self, other: Demand) -> Demand:
        return Demand(self.watts + other.watts, self.cpu + other.cpu, self.memory + other.memory)

    def or_more(self, other: Demand) -> Demand:
        """Return the larger of the two, item by item."""
        return Demand(max(self.watts, other.watts), max(self.cpu, other.cpu), max(self.memory, other.memory))


@dataclass(frozen=True)
class InitDemand:
    """Requests of one init container.

    Attributes:
        demand: what it asks for.
        is_sidecar: whether it goes on running beside all that start after it.
    """

    demand: Demand
    is_sidecar: bool


def pod_total(
    containers: Iterable[Demand], init_containers: Iterable[InitDemand] = (), overhead: Demand | None = None
) -> Demand:
    """Return what a pod asks for.

    Formula: `max(containers + sidecars, largest init container + sidecars started before it) + overhead`; the init
    containers run one after another in their order, before the containers.
    """
    sidecars, starting = Demand(), Demand()
    for init in init_containers:
        starting = starting.or_more(sidecars + init.demand)
        if init.is_sidecar:
            sidecars += init.demand
    running = sum(containers, sidecars)
    return running.or_more(starting) + (overhead or Demand())


def requested(requests: Mapping[str, Any], limits: Mapping[str, Any], name: str) -> Any:
    """Return what a container requests, as written; the API server takes the limit where only that is given."""
    return requests[name] if name in requests else limits.get(name, 0)


def pod_watts_requested(spec: Mapping[str, Any]) -> int:
    """Return the power that a live pod is charged (W), rounded up.

    Args:
        spec: the pod's specification as the API server gives it. A resize in place changes CPU and memory only, so
            that what the specification says of watts holds.
    """
    starting = [
        InitDemand(_watts(each), is_sidecar=each.get("restartPolicy") == SIDECAR_POLICY)
        for each in spec.get("initContainers") or ()
    ]
    overhead = Demand(parse_quantity((spec.get("overhead") or {}).get(WATTS_RESOURCE, 0)))
    total = pod_total(map(_watts, spec["containers"]), starting, overhead)
    return int(total.watts.to_integral_value(ROUND_CEILING))


def _watts(container: Mapping[str, Any]) -> Demand:
    resources = container.get("resources") or {}
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    return Demand(parse_quantity(requested(requests, limits, WATTS_RESOURCE)))
