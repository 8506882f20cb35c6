from base64 import b64encode
from typing import Any

from policy_cases import kubernetes as k8s
from policy_cases.declared import REMOVED, UNKNOWN, Declared
from shopsphere.estate.placement import DATA_CLASS_LABEL

CLASS = ("metadata", "labels", DATA_CLASS_LABEL)
TEMPLATE = ("spec", "template", "metadata", "labels", DATA_CLASS_LABEL)
ENVIRONMENT = ("spec", "template", "spec", "containers", 0, "env")
DSN = "postgresql://commerce@commerce.data-commerce.svc.cluster.local:5432/commerce"
SECRET = k8s.SETTINGS.of("kubernetes:core/v1:Secret").but("metadata", "namespace", "payments").but("data", REMOVED)


def reader(data_class: str, *settings: Any, namespace: str = "crm") -> Declared:
    """A program of headquarters with these settings."""
    return (
        k8s.DEPLOYMENT.but("metadata", "labels", k8s.labels(data_class, "newyork", "headquarters"))
        .but("metadata", "namespace", namespace)
        .but(*TEMPLATE, data_class)
        .but(*ENVIRONMENT, list(settings))
    )


PLAIN = {"name": "COLOUR", "value": "blue"}
GOOD = {
    "class of its namespace": k8s.DEPLOYMENT,
    "stricter than its namespace": k8s.DEPLOYMENT.but("metadata", "namespace", "gateway"),
    "another class that stays at home": k8s.DEPLOYMENT.but(*CLASS, "payment").but(*TEMPLATE, "payment"),
    "reads what it is of": k8s.DEPLOYMENT.but(*ENVIRONMENT, [{"name": "COMMERCE_DSN", "value": DSN}]),
    "public and reads nothing": reader("public", PLAIN),
    "secret of its class, as the provider writes it": SECRET.but("data", {"key": "eA==", "later": UNKNOWN}),
    "setting that is read when it is known, in the update": reader("public", {"name": "CRM", "value": UNKNOWN}),
    "namespace nobody declared": k8s.NAMESPACE.but("metadata", "name", "extra").but(*CLASS, "operational"),
    "a word that only looks like a database's": reader("public", {"name": "TITLE", "value": "e-commerce-dublin"}),
    "database": k8s.DATABASE,
    "without labels": k8s.SETTINGS.but("metadata", {"name": "settings"}),
    "no class of its own in a declared namespace": k8s.SETTINGS.but("metadata", {"name": "s", "namespace": "shop"}),
    "secret that is no text": SECRET.but("data", {"key": b64encode(bytes([255, 254])).decode()}),
}
BAD = {
    "setting beside one that is not known": (
        reader("public", {"name": "A", "value": UNKNOWN}, {"name": "B", "value": DSN}),
        "it reads commerce",
    ),
    "program at headquarters that reads a region's database": (
        reader("public", {"name": "CRM", "value": DSN}),
        "it reads commerce, and its class: public",
        "allowed: personal",
    ),
    "aggregate by its own word": (reader("aggregate", {"name": "DSN", "value": DSN}), "reads commerce", "aggregate"),
    "by the peer's port": (reader("operational", {"name": "X", "value": "10.99.0.11:30033"}), "it reads ledger"),
    "by a password": (
        reader("public", {"name": "PW", "valueFrom": {"secretKeyRef": {"name": "ledger-owner", "key": "password"}}}),
        "it reads ledger, and its class: public",
    ),
    "by the name of a cluster": (reader("public", {"name": "X", "value": "ledger-frankfurt-rw"}), "it reads ledger"),
    "settings of such a program": (
        k8s.SETTINGS.but("metadata", "labels", k8s.labels("public")).but("data", {"dsn": DSN}),
        "it reads commerce, and its class: public",
    ),
    "settings without a class": (k8s.SETTINGS.but("metadata", {}).but("data", {"dsn": DSN}), "no class"),
    "secret below its class": (
        SECRET.but("metadata", "labels", k8s.labels("public")).but("stringData", {"LEDGER_PASSWORD": "x"}),
        "metadata.labels, in namespace payments: public",
        "it reads ledger",
    ),
    "secret below its class, as the provider writes it": (
        SECRET.but("metadata", "labels", k8s.labels("public")).but("data", {"dsn": b64encode(DSN.encode()).decode()}),
        "it reads commerce",
    ),
    "secret that nobody can read": (SECRET.but("data", {"dsn": "not base64"}), "data.dsn", "allowed: base64"),
    "namespace with another label": (k8s.NAMESPACE.but(*CLASS, "public"), "in namespace shop: public"),
    "object below its namespace": (k8s.DEPLOYMENT.but(*CLASS, "operational"), "in namespace shop: operational"),
    "policy below its namespace": (k8s.CLOSED.but("metadata", "labels", k8s.labels("public")), "in namespace shop"),
    "pods below their workload": (k8s.DEPLOYMENT.but(*TEMPLATE, "public"), "spec.template.metadata.labels: public"),
    "volume of a lower class": (
        k8s.DATABASE.but("spec", "storage", "pvcTemplate", {"selector": {"matchLabels": {DATA_CLASS_LABEL: "public"}}}),
        "volumes of class public for data of class payment",
    ),
    "volume that says nothing of its own class": (
        k8s.CLAIM.but(*CLASS, REMOVED).but("spec", "selector", {"matchLabels": {DATA_CLASS_LABEL: "personal"}}),
        "volumes of class personal for data of class",
    ),
    **{
        f"by its {part}": (
            reader("public").but(
                "spec", "template", "spec", part, [{"name": "x", "env": [{"name": "A", "value": DSN}]}]
            ),
            "it reads commerce, and its class: public",
        )
        for part in ("initContainers", "ephemeralContainers", "volumes")
    },
    "log on volumes of another class": (
        k8s.DATABASE.but(
            "spec", "walStorage", "pvcTemplate", {"selector": {"matchLabels": {DATA_CLASS_LABEL: "public"}}}
        ),
        "spec.walStorage.pvcTemplate.selector.matchLabels: volumes of class public",
    ),
    "secret that is not quite base64": (SECRET.but("data", {"key": "e A=="}), "data.key is a str"),
    "public template of an operational program": (
        k8s.DEPLOYMENT.but("metadata", "namespace", "extra").but(*CLASS, "operational").but(*TEMPLATE, "public"),
        "spec.template.metadata.labels: public",
        "allowed: operational",
    ),
}
UNKNOWN_CASES = {
    "class": (k8s.DEPLOYMENT.but(*CLASS, UNKNOWN), f"metadata.labels.{DATA_CLASS_LABEL} is not known"),
    "pods": (k8s.DEPLOYMENT.but("spec", "template", "spec", UNKNOWN), "spec.template.spec is not known"),
}
NOT_APPLICABLE = {
    "dns": k8s.DNS,
    "storage class": k8s.STORAGE_CLASS,
    "provider": k8s.PROVIDER,
    "priority of pods": k8s.SETTINGS.of("kubernetes:scheduling.k8s.io/v1:PriorityClass"),
}
