"""Pods as the components make them: nothing of the host, no other network, no identity at the API server."""

from __future__ import annotations

from collections.abc import Mapping

from policies.listing.metadata import LABELS
from policies.listing.shape import Only, Shape
from shopsphere.estate.placement import NAME_LABEL, RACK_LABEL, SITE_LABEL, WATTS_RESOURCE

AMOUNTS: Mapping[str, Shape] = {
    "memory": "power and room; LIM rules judge it",
    WATTS_RESOURCE: "power; LIM rules judge it",
}
RESOURCES: Mapping[str, Shape] = {
    "requests": {"cpu": "power and room; LIM rules judge it", **AMOUNTS},
    "limits": AMOUNTS,
}
SELECTOR: Mapping[str, Shape] = {"matchLabels": {NAME_LABEL: "pods of the same namespace"}}
PROBE: Mapping[str, Shape] = {
    "httpGet": {"path": "asked at the pod itself: there is no host here", "port": "port of the pod"},
    "timeoutSeconds": "time",
    "periodSeconds": "time",
    "failureThreshold": "count",
}
ENVIRONMENT: tuple[Shape] = (
    {
        "name": "name of the setting",
        "value": "plain text; RES-009 reads in it which data the pod reads",
        "valueFrom": {
            "secretKeyRef": {
                "name": "a secret of the same namespace; RES-009 reads in it which data the pod reads",
                "key": "its key; RES-009 reads in it which data the pod reads",
            }
        },
    },
)
CONTAINER: Mapping[str, Shape] = {
    "name": "its name",
    "image": "what runs; SEC-002 judges where it comes from",
    "imagePullPolicy": "when it is pulled, not from where",
    "command": "what runs in the pod, inside its network policies",
    "env": ENVIRONMENT,
    "resources": RESOURCES,
    "ports": ({"name": "for people", "containerPort": "port of the pod: there is no port of the host here"},),
    "startupProbe": PROBE,
    "livenessProbe": PROBE,
    "readinessProbe": PROBE,
    "lifecycle": {
        "preStop": {
            "exec": {"command": "runs in the pod, inside its network policies"},
            "sleep": {"seconds": "time"},
        }
    },
    "securityContext": {
        "allowPrivilegeEscalation": Only("a pod that becomes root may leave its network", (False,)),
        "readOnlyRootFilesystem": Only("what a pod writes is on volumes, which are pinned", (True,)),
        "capabilities": {"drop": "capabilities are only taken away"},
    },
    "terminationMessagePolicy": "where the last lines of a pod's log are shown",
    "volumeMounts": (
        {
            "name": "a volume of the pod, which RES-005 judges",
            "mountPath": "where in the container",
            "readOnly": "less than a mount may do",
        },
    ),
}
_REST_OF_POD: Mapping[str, Shape] = {
    "volumes": (
        {
            "name": "its name",
            "configMap": {"name": "of the same namespace"},
            "secret": {
                "secretName": "of the same namespace",
                "items": ({"key": "of the secret", "path": "file in the pod"},),
            },
            "emptyDir": {"sizeLimit": "gone with the pod"},
        },
    ),
    "nodeSelector": {SITE_LABEL: "the site's nodes", RACK_LABEL: "a rack of the site; LIM-001 judges it"},
    "topologySpreadConstraints": (
        {
            "labelSelector": SELECTOR,
            "matchLabelKeys": "labels of the pod's own template",
            "maxSkew": "count",
            "topologyKey": "label of the site's nodes",
            "whenUnsatisfiable": "placement inside the site",
        },
    ),
    "priorityClassName": "who goes first when there is no room",
    "securityContext": {
        "runAsNonRoot": Only("root may leave the pod's network", (True,)),
        "fsGroup": "group of the files on its own volumes",
        "seccompProfile": {"type": Only("other profiles allow system calls that leave the pod", ("RuntimeDefault",))},
    },
    "automountServiceAccountToken": Only("a token at the API server can make what this table refuses", (False,)),
    "enableServiceLinks": "environment variables of the same namespace",
    "terminationGracePeriodSeconds": "time",
}
POD: Mapping[str, Shape] = {"containers": (CONTAINER,), "initContainers": (CONTAINER,), **_REST_OF_POD}
MIGRATION: Mapping[str, Shape] = {
    **{key: CONTAINER[key] for key in ("name", "image", "imagePullPolicy", "env", "resources", "securityContext")},
    **{key: CONTAINER[key] for key in ("terminationMessagePolicy", "volumeMounts")},
    "command": "the migration of a database; RES-007 compares it word for word",
}
JOB: Mapping[str, Shape] = {
    "backoffLimit": "count",
    "template": {
        "metadata": {"labels": LABELS},
        "spec": {**_REST_OF_POD, "containers": (MIGRATION,), "restartPolicy": "what becomes of a pod that fails"},
    },
}
TEMPLATE: Mapping[str, Shape] = {
    "metadata": {
        "labels": LABELS,
        "annotations": {
            f"shopsphere.io/{what}": "checksum: pods are replaced when it changes"
            for what in ("configuration", "certificate", "settings")
        },
    },
    "spec": POD,
}
