from typing import Any

from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from policy_cases.event_log import declaration, right, topic

NAME = "kubernetes.io/metadata.name"


def way(*peers: Any, ports: tuple[int, ...] = (9092,)) -> Declared:
    rule = {"from": list(peers), "ports": [{"port": float(port), "protocol": "TCP"} for port in ports]}
    return (
        k8s.CLOSED.but("metadata", "name", "from-collector")
        .but("metadata", "namespace", "kafka")
        .but("spec", "ingress", [rule])
        .called("kafka-from-collector")
    )


def pods_of(name: str) -> Any:
    return {"namespaceSelector": {"matchLabels": {NAME: name}}}


GOOD = {
    "collector": way(pods_of("collector")),
    "worker": way(pods_of("insight")),
    "closed": k8s.CLOSED.but("metadata", "namespace", "kafka"),
    "elsewhere": way(pods_of("shop")).but("metadata", "namespace", "payments"),
    "named after it elsewhere": way(pods_of("shop")).but("metadata", "namespace", "payments").called("kafka-from-shop"),
    "rights": declaration(topic(), rights=[right(), right("User:insight", "READ", "GROUP", "insight")]),
}
BAD = {
    "shop": (way(pods_of("shop")), "spec.ingress[0].from[0]: shop"),
    "one more": (way(pods_of("collector"), pods_of("shop")), "spec.ingress[0].from[1]: shop"),
    "anybody": (way(), "without `from`: anybody"),
    "all namespaces": (way({"namespaceSelector": {}}), "no namespace by its name"),
    "an address": (way({"ipBlock": {"cidr": "10.99.0.11/32"}}), "no namespace by its name"),
    "another port": (way(pods_of("collector"), ports=(9093,)), "spec.ingress[0].ports: 9093"),
    "all ports": (way(pods_of("collector"), ports=()), "spec.ingress[0].ports: all"),
    "before the namespace exists": (way(pods_of("shop")).but("metadata", "namespace", UNKNOWN), "from[0]: shop"),
    "another program's right": (declaration(topic(), rights=[right("User:shop")]), "User:shop WRITE TOPIC clicks"),
    "more than declared": (declaration(topic(), rights=[right(operation="ALL")]), "User:collector ALL TOPIC clicks"),
    "any topic": (declaration(topic(), rights=[right(name="*")]), "User:collector WRITE TOPIC *"),
}
UNKNOWN_CASES = {"ways": (way(pods_of("collector")).but("spec", "ingress", UNKNOWN), "spec.ingress is not known")}
NOT_APPLICABLE = {"workload": k8s.DEPLOYMENT, "other settings": k8s.SETTINGS.but("metadata", "labels", REMOVED)}
