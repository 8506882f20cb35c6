"""What a small site declares: inputs of its stack's resources, and the state that holds them."""

from __future__ import annotations

import json
from typing import Any

Document = dict[str, Any]

OURS = "pulumi-kubernetes-0a1b2c3d"
_LABELS = {
    "app.kubernetes.io/part-of": "shopsphere",
    "shopsphere.io/site": "frankfurt",
    "shopsphere.io/jurisdiction": "eu",
    "shopsphere.io/data-class": "personal",
}


def declared_bodies() -> dict[str, Document]:
    """Inputs of a stack's resources, by a short name."""
    return {
        "namespace": _object("v1", "Namespace", "shop"),
        "deployment": _object(
            "apps/v1",
            "Deployment",
            "shop",
            namespace="shop",
            spec={
                "selector": {"matchLabels": {"app.kubernetes.io/name": "shop"}},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {
                    "metadata": {"labels": _LABELS, "annotations": {"shopsphere.io/settings": "abc"}},
                    "spec": {
                        "nodeSelector": {"shopsphere.io/site": "frankfurt"},
                        "automountServiceAccountToken": False,
                        "securityContext": {"runAsNonRoot": True},
                        "containers": [
                            {
                                "name": "shop",
                                "image": "registry.eu/shop@sha256:1",
                                "command": ["python", "-m", "app.shop"],
                                "env": [
                                    {"name": "SHOP_SITE", "value": "frankfurt"},
                                    {
                                        "name": "SHOP_KEY",
                                        "valueFrom": {"secretKeyRef": {"name": "shop-settings", "key": "SHOP_KEY"}},
                                    },
                                ],
                                "ports": [{"name": "http", "containerPort": 8080}],
                                "resources": {
                                    "requests": {"cpu": "0.5", "memory": "512Mi"},
                                    "limits": {"memory": "512Mi"},
                                },
                                "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 3},
                                "securityContext": {
                                    "allowPrivilegeEscalation": False,
                                    "capabilities": {"drop": ["ALL"]},
                                },
                                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                            }
                        ],
                        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
                    },
                },
            },
        ),
        "service": _object(
            "v1",
            "Service",
            "shop",
            namespace="shop",
            spec={
                "selector": {"app.kubernetes.io/name": "shop"},
                "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
            },
        ),
        "policy": _object(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            "to-dns",
            namespace="shop",
            spec={
                "podSelector": {},
                "policyTypes": ["Egress"],
                "egress": [
                    {
                        "ports": [{"port": 53, "protocol": "UDP"}],
                        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
                    },
                    {"ports": [{"port": 5432}], "to": [{"ipBlock": {"cidr": "10.2.0.5/32"}}]},
                ],
            },
        ),
        "secret": {
            **_object("v1", "Secret", "shop-settings", namespace="shop"),
            "type": "Opaque",
            "stringData": {"SHOP_KEY": "a key that is secret"},
        },
        "config": {**_object("v1", "ConfigMap", "pair-authority", namespace="shop"), "data": {"ca.crt": "PEM"}},
        "quota": _object(
            "v1",
            "ResourceQuota",
            "power",
            namespace="shop",
            spec={"hard": {"requests.shopsphere.io/watts": "1000", "pods": "20"}},
        ),
        "autoscaler": _object(
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            "shop",
            namespace="shop",
            spec={
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"},
                "minReplicas": 2,
                "maxReplicas": 4,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                    }
                ],
            },
        ),
        "volume": _object(
            "v1",
            "PersistentVolume",
            "frankfurt-ledger",
            spec={
                "capacity": {"storage": "1Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "frankfurt-pinned",
                "local": {"path": "/data/ledger"},
                "nodeAffinity": {
                    "required": {
                        "nodeSelectorTerms": [
                            {
                                "matchExpressions": [
                                    {"key": "shopsphere.io/site", "operator": "In", "values": ["frankfurt"]}
                                ]
                            }
                        ]
                    }
                },
            },
        ),
        "role": {
            **_object("rbac.authorization.k8s.io/v1", "RoleBinding", "reader", namespace="shop"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
            "subjects": [{"kind": "ServiceAccount", "name": "shop", "namespace": "shop"}],
        },
        "database": _object(
            "postgresql.cnpg.io/v1",
            "Cluster",
            "ledger-frankfurt",
            namespace="shop",
            spec={
                "instances": 1,
                "imageName": "registry.eu/postgresql@sha256:2",
                "storage": {"size": "1Gi", "storageClass": "frankfurt-pinned"},
                "postgresql": {"parameters": {"max_standby_streaming_delay": "1s"}},
                "replica": {"self": "ledger-frankfurt", "primary": "ledger-frankfurt", "source": "ledger-dublin"},
                "externalClusters": [
                    {"name": "ledger-dublin", "connectionParameters": {"host": "10.2.0.5", "port": "30432"}}
                ],
            },
        ),
    }


RUN_TIME = {
    "database": ["spec.replica", "spec.postgresql.synchronous", 'metadata.annotations["cnpg.io/fencedInstances"]']
}


def exported(bodies: dict[str, Document] | None = None) -> Document:
    """An exported state with these inputs."""
    resources = [
        {
            "urn": f"urn:pulumi:lab-frankfurt::rdc-a::kubernetes:{body['apiVersion']}:{body['kind']}::{name}",
            "custom": True,
            "type": f"kubernetes:{body['apiVersion']}:{body['kind']}",
            "inputs": _as_state(body),
            "outputs": {"__fieldManager": OURS},
            "ignoreChanges": RUN_TIME.get(name, []),
        }
        for name, body in (bodies or declared_bodies()).items()
    ]
    others = [
        {"custom": True, "type": "pulumi:providers:kubernetes", "inputs": {"context": "frankfurt"}},
        {"custom": False, "type": "shopsphere:site:Workload", "inputs": {}},
    ]
    return {"version": 3, "deployment": {"resources": [*others, *resources]}}


def _object(version: str, kind: str, name: str, *, namespace: str = "", **rest: Any) -> Document:
    metadata = {"name": name, "labels": {**_LABELS}, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def _as_state(body: Document) -> Document:
    if "stringData" not in body:
        return body
    secret = {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
        "plaintext": json.dumps(body["stringData"]),
    }
    return {**body, "stringData": secret}
