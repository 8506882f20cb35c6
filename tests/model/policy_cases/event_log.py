"""A good event log of Frankfurt: its declaration and its StatefulSet, written by hand."""

from __future__ import annotations

import json
from typing import Any

from policy_cases import kubernetes as k8s
from policy_cases.declared import Declared
from shopsphere.estate.placement import DATA_CLASS_LABEL

DAY_MS = 86_400_000
MIB = 1_048_576


def topic(**changed: Any) -> dict[str, Any]:
    settings = {"retention.ms": str(DAY_MS), "retention.bytes": str(64 * MIB), "segment.bytes": str(16 * MIB)}
    settings.update(changed.pop("settings", {}))
    return {"name": "clicks", "class": "personal", "partitions": 6, "settings": settings, **changed}


def right(
    principal: str = "User:collector", operation: str = "WRITE", kind: str = "TOPIC", name: str = "clicks"
) -> Any:
    return {"principal": principal, "kind": kind, "name": name, "operation": operation}


def declaration(*topics: dict[str, Any], rights: list[Any] | None = None) -> Declared:
    text = json.dumps({"topics": list(topics), "rights": [right()] if rights is None else rights})
    return Declared(
        "kubernetes:core/v1:ConfigMap",
        {
            "metadata": {"name": "event-log-declaration", "namespace": "kafka", "labels": k8s.labels()},
            "data": {"declaration.json": text},
        },
        "event-log-declaration",
    )


CLAIM = {
    "metadata": {"name": "log", "labels": k8s.labels()},
    "spec": {
        "storageClassName": "frankfurt-pinned",
        "selector": {"matchLabels": {DATA_CLASS_LABEL: "personal"}},
        "resources": {"requests": {"storage": "2Gi"}},
    },
}
LOG = (
    k8s.STATEFUL_SET.but("metadata", "name", "kafka")
    .but("metadata", "namespace", "kafka")
    .but("spec", "replicas", 1.0)
    .but("spec", "volumeClaimTemplates", [CLAIM])
    .but("spec", "template", "spec", "containers", 0, "volumeMounts", [{"name": "log", "mountPath": "/var/lib/kafka"}])
    .called("kafka")
)
