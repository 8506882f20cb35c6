"""DataCentre: the namespaces of a site with their labels, limits, priorities and closed doors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes.core.v1 import LimitRange, Namespace, ResourceQuota
from pulumi_kubernetes.networking.v1 import NetworkPolicy
from pulumi_kubernetes.scheduling.v1 import PriorityClass

from components.manifest import name_of
from shopsphere.estate.namespaces import NamespaceModel
from shopsphere.estate.placement import SKIP_AWAIT, WATTS_RESOURCE, Placement
from shopsphere.estate.workload_declaration import priority_class_name
from shopsphere.topology import Topology
from shopsphere.topology.power import pod_watts, rack_budget, site_budget

PRIORITIES = {
    "databases": (100_000, "Databases: without them nothing can be sold."),
    "storefront": (50_000, "What customers wait for: gateway, shop and payments."),
    "background": (1_000, "Work that can be done later; first to go when a recovery site takes over."),
}
"""Value and meaning of each priority, by name. When a failover needs room, pods are preempted in this order."""
PODS_PER_NODE = 110
"""What a kubelet runs unless it is told otherwise."""
FEWEST_PODS = 20
"""A namespace with a small share of power has room for jobs and for pods that are on their way out."""


@dataclass(frozen=True)
class DataCentreModel:
    """Static facts of a site's limits.

    Attributes:
        placement: the site.
        namespaces: what to create.
        site_watts: power for pods at the site (W).
        site_pods: pods that its nodes run at most.
        rack_watts: power for pods in one rack (W): no pod can be larger, since it runs in one rack.
        default_watts: what a container that asks for nothing is charged (W).
    """

    placement: Placement
    namespaces: tuple[NamespaceModel, ...]
    site_watts: int
    site_pods: int
    rack_watts: int
    default_watts: int

    @classmethod
    def of(cls, topology: Topology, placement: Placement, namespaces: tuple[NamespaceModel, ...]) -> DataCentreModel:
        """Derive the limits from the site's racks and power."""
        site = topology.site(placement.site)
        return cls(
            placement=placement,
            namespaces=namespaces,
            site_watts=site_budget(site, topology),
            site_pods=site.racks * topology.power_model.nodes_per_rack * PODS_PER_NODE,
            rack_watts=rack_budget(site, topology),
            # A container that requests nothing may take a core and a GiB, so it is charged for them.
            default_watts=pod_watts(topology.power_model, 1, 1),
        )

    def quota_objects(self, namespace: NamespaceModel) -> dict[str, str]:
        """Return how many objects a namespace may have of those that are scarce, or that open a way in."""
        return {
            "pods": str(max(FEWEST_PODS, self.site_pods * namespace.power_percent // 100)),
            "persistentvolumeclaims": str(namespace.claims),
            "services.loadbalancers": str(namespace.load_balancers),
            "services.nodeports": str(namespace.node_ports),
        }

    def quota_watts(self, namespace: NamespaceModel) -> int:
        """Return a namespace's share of the site's power (W); the shares together never exceed the site's."""
        return self.site_watts * namespace.power_percent // 100


class DataCentre(pulumi.ComponentResource):
    """Namespaces with Pod Security, power quota, limits and default-deny policy; priority classes of the cluster."""

    namespaces: pulumi.Output[dict[str, str]]
    """Names of the namespaces, by the same names; a resource that uses one waits until the namespace exists."""
    priority_classes: pulumi.Output[dict[str, str]]
    """Names of the priority classes by those of PRIORITIES."""

    def __init__(
        self,
        name: str,
        model: DataCentreModel,
        opts: pulumi.ResourceOptions | None = None,
        *,
        after: Sequence[pulumi.Resource] = (),
    ) -> None:
        super().__init__("shopsphere:site:DataCentre", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._model = model
        self._bounds: dict[str, ResourceQuota] = {}
        # Whatever is put into a namespace waits for it, and so for what has to be there before.
        self._namespaced = pulumi.ResourceOptions(parent=self, depends_on=[*after])
        self.namespaces = pulumi.Output.all(**{each.name: self._namespace(each) for each in model.namespaces})
        self.priority_classes = pulumi.Output.all(**{each: self._priority(each) for each in PRIORITIES})
        self.register_outputs({"namespaces": self.namespaces, "priorityClasses": self.priority_classes})

    def namespace(self, name: str) -> pulumi.Output[str]:
        """Return the name of a namespace as an output that exists when the namespace does."""
        return self.namespaces.apply(lambda namespaces: namespaces[name])

    def bounds(self, namespace: str) -> ResourceQuota:
        """Return what bounds the number of objects in a namespace: with one port more of a Service it grows first."""
        return self._bounds[namespace]

    def priority_class(self, name: str) -> pulumi.Output[str]:
        """Return the cluster's name of a priority class."""
        return self.priority_classes.apply(lambda priorities: priorities[name])

    def _namespace(self, namespace: NamespaceModel) -> pulumi.Output[str]:
        labels = self._model.placement.labels(namespace.name, data_class=namespace.data_class, owner=namespace.owner)
        security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
        created = Namespace(
            namespace.name,
            metadata={"name": namespace.name, "labels": {**labels, **security}},
            opts=self._namespaced,
        )
        # Through the namespace's own output, so that nothing is put into it before it exists.
        name = name_of(created)
        self._limits(namespace, name, labels)
        NetworkPolicy(
            f"{namespace.name}-default-deny",
            metadata={"name": "default-deny", "namespace": name, "labels": labels},
            spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
            opts=self._child,
        )
        return name

    def _limits(self, namespace: NamespaceModel, name: pulumi.Output[str], labels: dict[str, str]) -> None:
        watts = self._model
        ResourceQuota(
            f"{namespace.name}-power",
            metadata={"name": "power", "namespace": name, "labels": labels, "annotations": SKIP_AWAIT},
            spec={"hard": {f"requests.{WATTS_RESOURCE}": str(watts.quota_watts(namespace))}},
            opts=self._child,
        )
        self._bounds[namespace.name] = ResourceQuota(
            f"{namespace.name}-objects",
            metadata={"name": "objects", "namespace": name, "labels": labels, "annotations": SKIP_AWAIT},
            spec={"hard": watts.quota_objects(namespace)},
            opts=self._child,
        )
        default = {WATTS_RESOURCE: str(watts.default_watts)}
        LimitRange(
            f"{namespace.name}-power",
            metadata={"name": "power", "namespace": name, "labels": labels},
            spec={
                "limits": [
                    {"type": "Container", "default": default, "default_request": default, "min": {WATTS_RESOURCE: "1"}},
                    {"type": "Pod", "max": {WATTS_RESOURCE: str(watts.rack_watts)}},
                ]
            },
            opts=self._child,
        )

    def _priority(self, name: str) -> pulumi.Output[str]:
        value, description = PRIORITIES[name]
        created = PriorityClass(
            priority_class_name(name),
            metadata={
                "name": priority_class_name(name),
                "labels": self._model.placement.site_labels(priority_class_name(name), owner="platform"),
            },
            value=value,
            description=description,
            opts=self._child,
        )
        return name_of(created)
