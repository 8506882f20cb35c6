"""What the canary declares: for each rule of the pack at least one thing that it must refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shopsphere.estate.event_log import DECLARATION, DECLARATION_FILE

NAMESPACE = "canary"
PROJECT, STACK = "shopsphere-canary", "lab-frankfurt"
"""The stack is named like one of a site, whose limits the rules then apply."""
LABELS = {
    "shopsphere.io/jurisdiction": "eu",
    "shopsphere.io/site": "frankfurt",
    "shopsphere.io/owner": "nobody",
    "shopsphere.io/data-class": "aggregate",
}
NAMED = {"name": "canary", "namespace": NAMESPACE, "labels": LABELS}
AMOUNTS = {"cpu": "1", "memory": "1Gi", "shopsphere.io/watts": "1"}
CONTAINER = {
    "name": "canary",
    "image": "docker.io/canary:latest",
    "env": [{"name": "COMMERCE_DSN", "value": "postgresql://commerce@commerce.data-commerce.svc"}],
    "resources": {"requests": AMOUNTS, "limits": {"shopsphere.io/watts": "1"}},
}
POD = {
    "hostNetwork": True,
    "nodeSelector": {"shopsphere.io/rack": "r99"},
    "containers": [CONTAINER],
    "volumes": [{"name": "canary", "hostPath": {"path": "/"}}],
}
REFUSED: Mapping[str, Mapping[str, Any]] = {
    "kubernetes:core/v1:Namespace": {"metadata": {"name": NAMESPACE}},
    "kubernetes:core/v1:ConfigMapPatch": {"metadata": NAMED},
    "kubernetes:core/v1:ConfigMap": {
        "metadata": NAMED,
        "data": {
            DECLARATION_FILE: json.dumps(
                {"topics": [{"name": "canary", "partitions": 1}], "rights": [{"principal": "User:canary"}]}
            )
        },
    },
    "kubernetes:apps/v1:StatefulSet": {"metadata": NAMED, "spec": {"replicas": 1}},
    "kubernetes:core/v1:ResourceQuota": {
        "metadata": NAMED,
        "spec": {"hard": {"requests.shopsphere.io/watts": "1000000"}},
    },
    "kubernetes:core/v1:Service": {
        "metadata": NAMED,
        "spec": {"type": "ExternalName", "externalName": "canary.example"},
    },
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": {
        "metadata": NAMED,
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}],
        },
    },
    "kubernetes:apps/v1:Deployment": {
        "metadata": NAMED,
        "spec": {"replicas": 2_000_000, "template": {"metadata": {"labels": LABELS}, "spec": POD}},
    },
    "kubernetes:postgresql.cnpg.io/v1:Cluster": {
        "metadata": {**NAMED, "name": "canary-frankfurt"},
        "spec": {
            "imageName": "docker.io/canary:latest",
            "inheritedMetadata": {"labels": LABELS},
            "resources": {"requests": AMOUNTS, "limits": {"shopsphere.io/watts": "1"}},
            "storage": {"size": "1Gi", "storageClass": "anywhere"},
            "backup": {"barmanObjectStore": {"destinationPath": "s3://canary"}},
            "externalClusters": [{"name": "canary-ashburn", "connectionParameters": {"host": "canary.example"}}],
        },
    },
    "pulumi-python:dynamic/edge:CdnDistribution": {
        "dataClass": "personal",
        "paths": ["/"],
        "hostNames": ["canary.example"],
    },
}
"""Properties by type. They are registered as components, so that no provider is started for them."""

CALLED: Mapping[str, str] = {"kubernetes:core/v1:ConfigMap": DECLARATION}
"""Pulumi's names of those that a rule knows by its name; the others are `canary`."""
