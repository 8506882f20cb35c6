"""Which kinds of objects are compared, and where a cluster's API lists them."""

from __future__ import annotations

from dataclasses import dataclass

SECRET = "Secret"  # noqa: S105 the name of a kind


@dataclass(frozen=True)
class ObjectKind:
    """One kind.

    Attributes:
        version: API version, as in apps/v1.
        kind: its name.
        plural: its name in paths.
        namespaced: whether its objects are in namespaces.
    """

    version: str
    kind: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "") -> str:
        """Return where the API lists the objects: of one namespace, or of the whole cluster."""
        root = "/api/v1" if self.version == "v1" else f"/apis/{self.version}"
        return f"{root}/namespaces/{namespace}/{self.plural}" if namespace else f"{root}/{self.plural}"


KINDS = (
    ObjectKind("v1", "Namespace", "namespaces", namespaced=False),
    ObjectKind("v1", "PersistentVolume", "persistentvolumes", namespaced=False),
    ObjectKind("storage.k8s.io/v1", "StorageClass", "storageclasses", namespaced=False),
    ObjectKind("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", namespaced=False),
    ObjectKind(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        namespaced=False,
    ),
    ObjectKind(
        "admissionregistration.k8s.io/v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        namespaced=False,
    ),
    ObjectKind("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False),
    ObjectKind("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    ObjectKind("v1", "ConfigMap", "configmaps"),
    ObjectKind("v1", SECRET, "secrets"),
    ObjectKind("v1", "Service", "services"),
    ObjectKind("v1", "Endpoints", "endpoints"),
    ObjectKind("discovery.k8s.io/v1", "EndpointSlice", "endpointslices"),
    ObjectKind("v1", "ServiceAccount", "serviceaccounts"),
    ObjectKind("v1", "ResourceQuota", "resourcequotas"),
    ObjectKind("v1", "LimitRange", "limitranges"),
    ObjectKind("v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    ObjectKind("v1", "Pod", "pods"),
    ObjectKind("apps/v1", "Deployment", "deployments"),
    ObjectKind("apps/v1", "ReplicaSet", "replicasets"),
    ObjectKind("apps/v1", "StatefulSet", "statefulsets"),
    ObjectKind("apps/v1", "DaemonSet", "daemonsets"),
    ObjectKind("batch/v1", "Job", "jobs"),
    ObjectKind("batch/v1", "CronJob", "cronjobs"),
    ObjectKind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    ObjectKind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    ObjectKind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    ObjectKind("networking.k8s.io/v1", "Ingress", "ingresses"),
    ObjectKind("rbac.authorization.k8s.io/v1", "Role", "roles"),
    ObjectKind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings"),
    ObjectKind("postgresql.cnpg.io/v1", "Cluster", "clusters"),
    ObjectKind("postgresql.cnpg.io/v1", "Backup", "backups"),
    ObjectKind("postgresql.cnpg.io/v1", "ScheduledBackup", "scheduledbackups"),
    ObjectKind("postgresql.cnpg.io/v1", "Pooler", "poolers"),
    ObjectKind("postgresql.cnpg.io/v1", "Database", "databases"),
    ObjectKind("postgresql.cnpg.io/v1", "Publication", "publications"),
    ObjectKind("postgresql.cnpg.io/v1", "Subscription", "subscriptions"),
)
"""What stacks declare, and what else in a namespace runs pods, opens a way or moves data."""

_RESOURCES = {
    each.kind: each.plural
    if "." not in each.version or each.version.endswith(".k8s.io/v1")
    else f"{each.plural}.{each.version.rpartition('/')[0]}"
    for each in KINDS
}
_BY_NAME = {(each.version, each.kind): each for each in KINDS}


def find_kind(version: str, kind: str) -> ObjectKind | None:
    """Return a kind, or None where it is not compared."""
    return _BY_NAME.get((version, kind))


def resource_of(kind: str) -> str:
    """Return what kubectl calls a kind; with its group where another one may have the same name."""
    return _RESOURCES[kind]
