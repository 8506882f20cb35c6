"""What every pod of ours has in common, so that no workload can leave it out."""

from __future__ import annotations

from components.manifest import Manifest
from shopsphere.estate.placement import (
    HOSTNAME_LABEL,
    NAME_LABEL,
    RACK_LABEL,
    SITE_LABEL,
    WATTS_RESOURCE,
    Placement,
)

POD_SECURITY = {"run_as_non_root": True, "seccomp_profile": {"type": "RuntimeDefault"}}
CONTAINER_DEFAULTS: Manifest = {
    "image_pull_policy": "IfNotPresent",
    # The last lines of a container that dies stand in its pod's status, so that `up` can say what it died of.
    "termination_message_policy": "FallbackToLogsOnError",
    "security_context": {
        "allow_privilege_escalation": False,
        "read_only_root_filesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
}

ENDPOINT_REMOVAL_SECONDS = 5
"""Seconds for which a pod that was told to stop goes on answering.

Requests still arrive until every node and gateway has taken the pod out of its list; after this time they all have.
"""

TERMINATION_SECONDS = 30
"""Seconds from telling a pod to stop to killing it: for the removal above and for its requests in flight."""


def requests_and_limits(cpu: str, memory: str, watts: int) -> Manifest:
    """Return resources of a container.

    CPU has no limit: idle cores belong to whoever is answering a customer, and throttling shows as latency. Watts are
    an extended resource, so their limit equals their request.
    """
    power = {WATTS_RESOURCE: str(watts)}
    return {"requests": {"cpu": cpu, "memory": memory, **power}, "limits": {"memory": memory, **power}}


def pod_defaults(placement: Placement, name: str) -> Manifest:
    """Return the part of a pod's spec that is the same for all: place, spread, identity and end."""
    return {
        "node_selector": {SITE_LABEL: placement.site},
        # A site that has lost racks still runs everything in those that are left.
        "topology_spread_constraints": [_spread(name, RACK_LABEL, "ScheduleAnyway")],
        "security_context": POD_SECURITY,
        "automount_service_account_token": False,
        # Service links would set SHOP_PORT to an address, and that is one of the shop's own settings.
        "enable_service_links": False,
        "termination_grace_period_seconds": TERMINATION_SECONDS,
    }


def on_each_node(placement: Placement, name: str) -> Manifest:
    """Return the same for a workload that has as many pods as the site has nodes: each node has one, or it waits.

    The pod of a node that is lost waits for the node, so that it is there again when the node is.
    """
    defaults = pod_defaults(placement, name)
    spread = [_spread(name, HOSTNAME_LABEL, "DoNotSchedule"), *defaults["topology_spread_constraints"]]
    return {**defaults, "topology_spread_constraints": spread}


def _spread(name: str, key: str, otherwise: str) -> Manifest:
    return {
        "max_skew": 1,
        "topology_key": key,
        "when_unsatisfiable": otherwise,
        "label_selector": {"match_labels": selector(name)},
        # Otherwise the pods of the version that is leaving would count too.
        "match_label_keys": ["pod-template-hash"],
    }


def selector(name: str) -> dict[str, str]:
    """Return the labels that select a workload's pods; they never change, as Kubernetes forbids it."""
    return {NAME_LABEL: name}


def one_at_a_time() -> Manifest:
    """Return a strategy that ends the old pod before it starts the new one: for what may not run twice at once."""
    return {"type": "Recreate"}


def rolling_update() -> Manifest:
    """Return a strategy that never has fewer ready pods than asked for."""
    return {"type": "RollingUpdate", "rolling_update": {"max_surge": 1, "max_unavailable": 0}}
