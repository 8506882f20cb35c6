from typing import Any

from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared

MANAGED = ("spec", "managed", "services", "additional")


def managed(spec: dict[str, Any]) -> Declared:
    """A database with a service that its operator makes."""
    return k8s.DATABASE.but(*MANAGED, [{"serviceTemplate": {"spec": spec}}])


def endpoints(address: Any) -> Declared:
    """The addresses behind a service, written by hand."""
    return Declared(
        "kubernetes:discovery.k8s.io/v1:EndpointSlice",
        {"metadata": {"labels": k8s.labels()}, "endpoints": [{"addresses": [address]}]},
    )


OLD = Declared(
    "kubernetes:core/v1:Endpoints",
    {"metadata": {"labels": k8s.labels()}, "subsets": [{"addresses": [{"ip": "10.11.0.5"}]}]},
)
GOOD = {
    "service": k8s.SERVICE,
    "load balancer to public data": k8s.SERVICE.but("metadata", "labels", k8s.labels("public")).but(
        "spec", "type", "LoadBalancer"
    ),
    "database": k8s.DATABASE,
    "service of a database": managed({"type": "NodePort", "ports": []}),
    "endpoints that are pods": endpoints("10.11.0.5"),
    "old endpoints that are pods": OLD,
    "endpoints whose site the provider knows": endpoints("10.11.0.5").but("metadata", REMOVED),
}
BAD = {
    "name for an address outside": (
        k8s.SERVICE.but("spec", {"type": "ExternalName", "externalName": "db.example"}),
        "spec.type: ExternalName",
        "spec.externalName: a name of the cluster for an address outside",
    ),
    "address outside": (k8s.SERVICE.but("spec", "externalIPs", ["198.51.100.7"]), "spec.externalIPs"),
    "address of a balancer": (k8s.SERVICE.but("spec", "loadBalancerIP", "198.51.100.7"), "spec.loadBalancerIP"),
    "load balancer to personal data": (
        k8s.SERVICE.but("spec", "type", "LoadBalancer"),
        "found:   spec.type: LoadBalancer to data of class personal",
        "only to public data",
    ),
    "load balancer to nobody knows what": (
        k8s.SERVICE.but("spec", "type", "LoadBalancer").but("metadata", "labels", {}),
        "spec.type: LoadBalancer to data of class unknown",
    ),
    "load balancer to a database": (
        managed({"type": "LoadBalancer"}),
        "serviceTemplate.spec.type: LoadBalancer to data of class unknown",
    ),
    "no selector": (k8s.SERVICE.but("spec", "selector", REMOVED), "spec without a selector"),
    "empty selector": (k8s.SERVICE.but("spec", "selector", {}), "spec without a selector"),
    "database's name for an address outside": (
        managed({"type": "ExternalName", "externalName": "x"}),
        "additional[0].serviceTemplate.spec.type: ExternalName",
    ),
    "endpoint outside": (endpoints("198.51.100.7"), "address 198.51.100.7", "pods of frankfurt, 10.11.0.0/17"),
    "endpoint at another site": (endpoints("10.99.0.21"), "address 10.99.0.21"),
    "endpoint by name": (
        endpoints("db.example"),
        "found:   addresses is a str",
        "allowed: addresses of pods",
    ),
    "old endpoint outside": (OLD.but("subsets", 0, "addresses", [{"ip": "10.21.0.5"}]), "address 10.21.0.5"),
    "old endpoint that is not ready": (OLD.but("subsets", 0, "notReadyAddresses", [{"ip": "10.21.0.6"}]), "10.21.0.6"),
    "endpoints of no site": (endpoints("10.11.0.5").but("metadata", REMOVED).by({}), "no label of a known site"),
}
UNKNOWN_CASES = {
    "type": (k8s.SERVICE.but("spec", "type", UNKNOWN), "spec.type is not known"),
    "address": (endpoints(UNKNOWN), "addresses.0 is not known"),
}
NOT_APPLICABLE = {"deployment": k8s.DEPLOYMENT, "dns": k8s.DNS}
