"""When two values of a field mean the same, what the API server fills in by itself, and what may be shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shopsphere.drift.kinds import SECRET
from shopsphere.drift.place import Path, fields_of
from shopsphere.topology.quantities import QuantityError, parse_quantity

LONGEST = 100
"""Characters of a value that are shown."""
_BEFORE = 20
"""Characters that two long texts have in common and that are shown before their difference."""

_QUANTITIES = frozenset(
    {"capacity", "default", "defaultRequest", "hard", "limits", "max", "min", "requests", "sizeLimit", "size"}
)
"""Fields that hold quantities, alone or by name of a resource."""

_DEFAULTS: Mapping[str, tuple[Any, ...]] = {
    "protocol": ("TCP",),
    "apiGroup": ("", "rbac.authorization.k8s.io"),
    "dnsPolicy": ("ClusterFirst",),
    "restartPolicy": ("Always",),
    "schedulerName": ("default-scheduler",),
    "terminationMessagePath": ("/dev/termination-log",),
    "terminationMessagePolicy": ("File",),
    "terminationGracePeriodSeconds": (30,),
    "imagePullPolicy": ("IfNotPresent", "Always"),
    "successThreshold": (1,),
    "failureThreshold": (3,),
    "periodSeconds": (10,),
    "timeoutSeconds": (1,),
    "scheme": ("HTTP",),
    "defaultMode": (420,),
    "progressDeadlineSeconds": (600,),
    "revisionHistoryLimit": (10,),
    "maxSurge": ("25%",),
    "maxUnavailable": ("25%",),
    "type": ("ClusterIP", "Opaque", "RollingUpdate"),
    "sessionAffinity": ("None",),
    "internalTrafficPolicy": ("Cluster",),
    "externalTrafficPolicy": ("Cluster",),
    "ipFamilyPolicy": ("SingleStack",),
    "allocateLoadBalancerNodePorts": (True,),
    "volumeMode": ("Filesystem",),
    "persistentVolumeReclaimPolicy": ("Retain",),
    "reclaimPolicy": ("Delete",),
    "volumeBindingMode": ("Immediate",),
    "preemptionPolicy": ("PreemptLowerPriority",),
    "securityContext": ({},),
    "enableServiceLinks": (True,),
    "finalizers": (["kubernetes"],),
    "divisor": ("0",),
}
"""What the API server fills in where a manifest says nothing, by the last field of the path."""

_CLAIM_TEMPLATES = ("spec", "volumeClaimTemplates")
_OF_CLAIM_TEMPLATES: Mapping[tuple[str, ...], str] = {
    ("apiVersion",): "v1",
    ("kind",): "PersistentVolumeClaim",
    ("status", "phase"): "Pending",
}
"""The same for what a StatefulSet makes claims of."""

_OF_THE_OPERATOR: Mapping[Path, Any] = {
    ("spec", "enablePDB"): True,
    ("spec", "enableSuperuserAccess"): False,
    ("spec", "failoverDelay"): 0,
    ("spec", "logLevel"): "info",
    ("spec", "maxSyncReplicas"): 0,
    ("spec", "minSyncReplicas"): 0,
    ("spec", "monitoring", "disableDefaultQueries"): False,
    ("spec", "monitoring", "enablePodMonitor"): False,
    ("spec", "monitoring", "tls", "enabled"): False,
    ("spec", "nodeMaintenanceWindow", "inProgress"): False,
    ("spec", "nodeMaintenanceWindow", "reusePVC"): True,
    ("spec", "postgresGID"): 26,
    ("spec", "postgresUID"): 26,
    ("spec", "primaryUpdateMethod"): "restart",
    ("spec", "primaryUpdateStrategy"): "unsupervised",
    ("spec", "replicationSlots", "highAvailability", "enabled"): True,
    ("spec", "replicationSlots", "highAvailability", "slotPrefix"): "_cnpg_",
    ("spec", "replicationSlots", "synchronizeReplicas", "enabled"): True,
    ("spec", "replicationSlots", "updateInterval"): 30,
    ("spec", "smartShutdownTimeout"): 180,
    ("spec", "startDelay"): 3600,
    ("spec", "stopDelay"): 1800,
    ("spec", "storage", "resizeInUseVolumes"): True,
    ("spec", "switchoverDelay"): 3600,
    ("spec", "walStorage", "resizeInUseVolumes"): True,
}
"""The same for CloudNativePG's clusters, as their schema has it. Who takes a value out is on record as the owner of the
default that comes in its place.
"""

_ASSIGNED = frozenset(
    {
        "clusterIP",
        "clusterIPs",
        "healthCheckNodePort",
        "ipFamilies",
        "kubernetes.io/metadata.name",
        "nodePort",
    }
)
"""What the API server chooses itself: any value is as good as another."""

_SENSITIVE = frozenset(
    {
        "allowPrivilegeEscalation",
        "externalIPs",
        "externalName",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostUsers",
        "loadBalancerSourceRanges",
        "nodeName",
        "privileged",
        "runtimeClassName",
        "serviceAccountName",
        "shareProcessNamespace",
    }
)


def same(path: Path, declared: Any, live: Any) -> bool:
    """Whether a live value is the declared one, perhaps in another notation."""
    if declared == live and isinstance(declared, bool) == isinstance(live, bool):
        return True
    if not _QUANTITIES & set(fields_of(path)) or isinstance(declared, bool) or isinstance(live, bool):
        return False
    try:
        return parse_quantity(declared) == parse_quantity(live)
    except (QuantityError, TypeError, AttributeError):
        return False


def is_default(path: Path, live: Any) -> bool:
    """Whether a value that nobody declared is what the API server fills in: then it changes nothing."""
    if path in _OF_THE_OPERATOR:
        return type(live) is type(_OF_THE_OPERATOR[path]) and bool(live == _OF_THE_OPERATOR[path])
    fields = fields_of(path)
    if fields[:2] == _CLAIM_TEMPLATES and live == _OF_CLAIM_TEMPLATES.get(fields[2:]):
        return True
    return live in _DEFAULTS.get(_last(path), ())


def is_assigned(path: Path) -> bool:
    """Whether the API server chooses the value of a field where nobody else does."""
    return _last(path) in _ASSIGNED


def is_sensitive(path: Path) -> bool:
    """Whether a field counts also where nobody is on record for it: no API server fills it in."""
    return _last(path) in _SENSITIVE


def _last(path: Path) -> str:
    fields = fields_of(path)
    return fields[-1] if fields else ""


def shown(kind: str, path: Path, value: Any) -> str:
    """Return a value in one line; what a Secret holds is never shown."""
    if value is None:
        return ""
    if kind == SECRET and path[:1] in {("data",), ("stringData",)}:
        return "a secret value"
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    text = " ".join(text.split()) or '""'
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def difference_shown(declared: str, live: str) -> tuple[str, str]:
    """Return two long texts from shortly before where they begin to differ."""
    common = next((at for at, (one, other) in enumerate(zip(declared, live, strict=False)) if one != other), None)
    begin = max(0, (min(len(declared), len(live)) if common is None else common) - _BEFORE)
    begin = begin if max(len(declared), len(live)) > LONGEST else 0
    return _part(declared, begin), _part(live, begin)


def _part(text: str, begin: int) -> str:
    part = f"…{text[begin:]}" if begin else text
    return part if len(part) <= LONGEST else f"{part[: LONGEST - 1]}…"
