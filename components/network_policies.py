"""NetworkPolicies: the only ways through the default-deny policies of a regional site.

Policies judge a packet after the service's address has become a pod's, so ports here are those of pods. Probes need no
rule: a node may always reach its own pods. What comes from the peer has the address of the peer's node: its pods are
masqueraded, and the NodePort services here hand packets on with their source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from components.manifest import Manifest
from shopsphere.estate.databases import INSTANCE_STATUS_PORT, POSTGRESQL_PORT, DatabaseModel
from shopsphere.estate.endpoint import Endpoint
from shopsphere.estate.namespaces import NamespaceModel
from shopsphere.estate.placement import Placement
from shopsphere.estate.site_declaration import SiteDeclaration
from shopsphere.estate.workload_declaration import OutsideEndpoint, WorkloadDeclaration

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
DNS_NAMESPACE = "kube-system"
OPERATOR_NAMESPACE = "cnpg-system"
DNS_PORT = 53

Rule = dict[str, Manifest]


@dataclass(frozen=True)
class NetworkModel:
    """Static facts of a site's surroundings.

    Attributes:
        placement: the site.
        site: what runs there, and who may reach whom.
        peer: addresses of the nodes of the other site of the pair: a database may run on each.
        api_server: where pods reach the Kubernetes API.
        endpoints: where everything outside the cluster is that a workload may name; None where there is none.
    """

    placement: Placement
    site: SiteDeclaration
    peer: tuple[IPv4Address, ...]
    api_server: Endpoint
    endpoints: Mapping[OutsideEndpoint, Endpoint | None]


class NetworkPolicies(pulumi.ComponentResource):
    """One policy per way in or out, named after it."""

    def __init__(
        self,
        name: str,
        model: NetworkModel,
        namespaces: pulumi.Input[Mapping[str, str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("shopsphere:site:NetworkPolicies", name, {}, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._model = model
        self._namespaces = pulumi.Output.from_input(namespaces)
        for namespace in model.site.namespaces:
            dns = [_in_namespace(DNS_NAMESPACE, DNS_PORT, protocol) for protocol in ("UDP", "TCP")]
            self._allow(namespace, "to-dns", egress=dns)
        for workload in model.site.workloads:
            self._workload(workload)
        for database in model.site.databases:
            self._database(database)
        self.register_outputs({})

    def _workload(self, workload: WorkloadDeclaration) -> None:
        own = workload.namespace
        if workload.open_to_customers:
            self._allow(own, "from-anywhere", ingress=[_ports(port) for port in workload.ports])
        for called in workload.calls:
            self._between(own, called.namespace, called.ports)
        for database in workload.databases:
            self._between(own, database.namespace, (POSTGRESQL_PORT,))
        for name in workload.endpoints:
            endpoint = self._model.endpoints[name]
            if endpoint:
                self._allow(own, f"to-{name}", egress=[_outside(endpoint)])

    def _between(self, source: NamespaceModel, target: NamespaceModel, ports: Sequence[int]) -> None:
        self._allow(source, f"to-{target.name}", egress=[_in_namespace(target.name, port) for port in ports])
        self._allow(target, f"from-{source.name}", ingress=[_in_namespace(source.name, port) for port in ports])

    def _database(self, database: DatabaseModel) -> None:
        namespace, peer = database.namespace, self._model.peer
        self._allow(namespace, "from-peer", ingress=[_outside(Endpoint.at_each(peer, POSTGRESQL_PORT))])
        self._allow(namespace, "to-peer", egress=[_outside(Endpoint.at_each(peer, database.replication_port))])
        self._allow(namespace, "to-api-server", egress=[_outside(self._model.api_server)])
        ports = (POSTGRESQL_PORT, INSTANCE_STATUS_PORT)
        self._allow(namespace, "from-operator", ingress=[_in_namespace(OPERATOR_NAMESPACE, port) for port in ports])
        among = [_in_namespace(namespace.name, port) for port in ports]
        self._allow(namespace, "among-instances", ingress=among, egress=among)

    def _allow(
        self, namespace: NamespaceModel, name: str, *, ingress: Sequence[Rule] = (), egress: Sequence[Rule] = ()
    ) -> None:
        kinds = [kind for kind, rules in (("Ingress", ingress), ("Egress", egress)) if rules]
        spec: Manifest = {
            "pod_selector": {},
            "policy_types": kinds,
            **({"ingress": [_ingress(rule) for rule in ingress]} if ingress else {}),
            **({"egress": [_egress(rule) for rule in egress]} if egress else {}),
        }
        NetworkPolicy(
            f"{namespace.name}-{name}",
            metadata={
                "name": name,
                "namespace": self._namespaces.apply(lambda namespaces: namespaces[namespace.name]),
                "labels": self._model.placement.labels(name, data_class=namespace.data_class, owner=namespace.owner),
            },
            spec=spec,
            opts=self._child,
        )


def _ports(port: int, protocol: str = "TCP") -> Rule:
    return {"ports": [{"port": port, "protocol": protocol}]}


def _in_namespace(namespace: str, port: int, protocol: str = "TCP") -> Rule:
    peer = {"namespace_selector": {"match_labels": {NAMESPACE_NAME_LABEL: namespace}}}
    return {**_ports(port, protocol), "peers": [peer]}


def _outside(endpoint: Endpoint) -> Rule:
    return {
        **_ports(endpoint.port),
        "peers": [{"ip_block": {"cidr": str(network)}} for network in endpoint.networks],
    }


def _ingress(rule: Rule) -> Rule:
    return {"ports": rule["ports"], **({"from_": rule["peers"]} if "peers" in rule else {})}


def _egress(rule: Rule) -> Rule:
    return {"ports": rule["ports"], **({"to": rule["peers"]} if "peers" in rule else {})}
