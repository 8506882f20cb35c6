"""How bad a difference is: first whether data may leave its jurisdiction by it, then what else it opens or breaks."""

from __future__ import annotations

from shopsphere.drift.model import Kind
from shopsphere.drift.place import Path, begins_with, fields_of
from shopsphere.estate.placement import DATA_CLASS_LABEL, JURISDICTION_LABEL, SITE_LABEL
from shopsphere.foundation.finding import Severity

_WAYS_OUT = frozenset(
    {
        "ClusterRoleBinding",
        "EndpointSlice",
        "Endpoints",
        "Ingress",
        "NetworkPolicy",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "StorageClass",
        "Backup",
        "Publication",
        "ScheduledBackup",
        "Subscription",
    }
)
"""Kinds that say where data is kept, or where it may flow: any difference in them counts."""
_RESIDENCY_LABELS = frozenset({DATA_CLASS_LABEL, JURISDICTION_LABEL, SITE_LABEL})
_RESIDENCY_FIELDS = frozenset(
    {
        "affinity",
        "backup",
        "externalClusters",
        "externalIPs",
        "externalName",
        "hostNetwork",
        "nodeName",
        "nodeSelector",
        "pg_hba",
        "plugins",
        "storage",
        "storageClassName",
        "volumes",
    }
)
_HIGH = frozenset(
    {
        "args",
        "command",
        "containers",
        "data",
        "enableSuperuserAccess",
        "env",
        "envFrom",
        "ephemeralContainers",
        "image",
        "imageName",
        "initContainers",
        "lifecycle",
        "managed",
        "ownerReferences",
        "postgresql",
        "rules",
        "securityContext",
        "selector",
        "serviceAccountName",
        "subjects",
        "roleRef",
    }
)
_HIGH_KINDS = frozenset(
    {
        "ClusterRole",
        "Role",
        "RoleBinding",
        "ServiceAccount",
        "Secret",
        "ResourceQuota",
        "LimitRange",
        "Namespace",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
)
_MEDIUM = frozenset({"spec", "value", "preemptionPolicy"})


def touches_residency(kind: str, path: Path, live: object) -> bool:
    """Whether a difference can make data leave its jurisdiction, or hide that it does.

    Args:
        kind: of the object.
        path: of the difference; empty for the object as a whole.
        live: the live value.
    """
    fields = set(fields_of(path))
    if kind in _WAYS_OUT:
        return not begins_with(path, ("metadata", "annotations"))
    if kind == "Service":
        return not path or bool(fields & {"type", "externalName", "externalIPs", "selector", "externalTrafficPolicy"})
    declares_place = isinstance(live, dict) and bool({"hostPath", "nfs", "csi", "iscsi"} & live.keys())
    return bool(fields & (_RESIDENCY_FIELDS | _RESIDENCY_LABELS)) and (
        "volumes" not in fields or declares_place or live is None
    )


def severity_of(kind: str, path: Path, how: Kind, *, residency: bool) -> Severity:
    """Return how bad a difference is.

    Args:
        kind: of the object.
        path: of the difference; empty for the object as a whole.
        how: how declared and live differ.
        residency: what `touches_residency` says of it.
    """
    if residency:
        return Severity.CRITICAL
    fields = set(fields_of(path))
    if begins_with(path, ("metadata", "annotations")) or begins_with(path, ("metadata", "labels")):
        security = any(step.startswith(("pod-security.kubernetes.io/", "cnpg.io/")) for step in fields)
        return Severity.HIGH if security else Severity.LOW
    if how in {Kind.MISSING, Kind.UNOWNED, Kind.TOUCHED} or kind in _HIGH_KINDS or fields & _HIGH:
        return Severity.HIGH
    if how is Kind.UNDECLARED:
        return Severity.HIGH
    return Severity.MEDIUM if fields & _MEDIUM else Severity.LOW
