"""Drifts of what is around workloads: ways in and out, rights, limits, storage, names, settings, namespaces."""

from __future__ import annotations

from typing import Any

from acts import CONTROLLER
from injections import MARK, Ground, Injection, made, patched, removed
from patches import END, Edit

from shopsphere.estate.placement import DATA_CLASS_LABEL, JURISDICTION_LABEL, OWNER_LABEL, WATTS_RESOURCE

ENFORCED = "pod-security.kubernetes.io"
INSIDE: dict[str, dict[str, str]] = {"namespaceSelector": {}}
ANYWHERE = {"ipBlock": {"cidr": "0.0.0.0/0"}}
RBAC = "rbac.authorization.k8s.io"


def objects(ground: Ground) -> list[Injection]:
    """Return all of them; some are refused by admission."""
    return [
        *_network(ground),
        *_rights(ground),
        *_limits(ground),
        *_storage(ground),
        *_services(ground),
        *_settings(ground),
        *_namespaces(ground),
        *_databases(ground),
        *_admission(ground),
    ]


def _document(version: str, kind: str, namespace: str = "", name: str = MARK, **content: object) -> dict[str, object]:
    metadata = {"name": name, "labels": {"made-by": MARK}, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **content}


def _network(ground: Ground) -> list[Injection]:
    site, policy = ground.site, "NetworkPolicy"
    open_ = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"to": [INSIDE]}]}
    # fmt: off
    return [
        patched("egress rule added", site, (policy, "shop", "to-dns"), "spec.egress[2]",
                Edit(("spec", "egress", END), {"to": [INSIDE]})),
        patched("egress rule added", site, (policy, "data-ledger", "to-dns"), "spec.egress[2]",
                Edit(("spec", "egress", END), {"to": [INSIDE], "ports": [{"port": 5432, "protocol": "TCP"}]})),
        patched("ingress rule added", site, (policy, "payments", "from-shop"), "spec.ingress[1]",
                Edit(("spec", "ingress", END), {"from": [INSIDE]})),
        patched("network policy narrowed", site, (policy, "gateway", "to-dns"), f"spec.podSelector.matchLabels.{MARK}",
                Edit(("spec", "podSelector", "matchLabels", MARK), "x")),
        removed("network policy deleted", site, (policy, "payments", "default-deny")),
        removed("network policy deleted", site, (policy, "data-commerce", "default-deny")),
        made("undeclared way", site, _document("networking.k8s.io/v1", policy, "shop", spec=open_)),
        patched("egress rule added", site, (policy, "payments", "to-dns"), "spec.egress[2]",
                Edit(("spec", "egress", END), {"to": [ANYWHERE]})),
        patched("egress rule added", site, (policy, "data-commerce", "to-dns"), "spec.egress[2]",
                Edit(("spec", "egress", END), {"ports": [{"port": 443, "protocol": "TCP"}]})),
        patched("network policy narrowed", site, (policy, "shop", "default-deny"),
                f"spec.podSelector.matchLabels.{MARK}", Edit(("spec", "podSelector", "matchLabels", MARK), "x")),
        made("undeclared way", site, _document("networking.k8s.io/v1", "Ingress", "shop",
             spec={"defaultBackend": {"service": {"name": "shop", "port": {"number": 80}}}})),
    ]
    # fmt: on


def _rights(ground: Ground) -> list[Injection]:
    site = ground.site
    view = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "view"}
    shop = [{"kind": "ServiceAccount", "name": "default", "namespace": "shop"}]
    user = {"apiGroup": RBAC, "kind": "User", "name": "mallory"}
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}]
    binding, cluster_binding = "RoleBinding", "ClusterRoleBinding"
    version = f"{RBAC}/v1"
    # fmt: off
    return [
        made("cluster role binding created", site,
             _document(version, cluster_binding, name=f"{MARK}-view", roleRef=view, subjects=shop)),
        made("cluster role binding created", site,
             _document(version, cluster_binding, name=f"{MARK}-edit", roleRef={**view, "name": "edit"},
                       subjects=[{**shop[0], "namespace": "data-ledger"}])),
        made("role or role binding created", site,
             _document(version, binding, "payments", roleRef=view, subjects=[user]), user=CONTROLLER),
        made("role or role binding created", site,
             _document(version, "Role", "data-ledger", rules=rules), user=CONTROLLER),
        made("service account created", site, _document("v1", "ServiceAccount", "shop"), user=CONTROLLER),
        patched("RBAC subject added", site, (binding, "data-ledger", f"ledger-{site}"), "subjects",
                Edit(("subjects", END), user), user=CONTROLLER),
        patched("RBAC subject added", site, (binding, "data-commerce", f"commerce-{site}"), "subjects",
                Edit(("subjects", END), user)),
        removed("operator's rights deleted", site, (binding, "data-commerce", f"commerce-{site}")),
        made("role or role binding created", site,
             _document(version, binding, "shop", roleRef=view, subjects=[user])),
        made("cluster role binding created", site,
             _document(version, cluster_binding, name=f"{MARK}-admin", roleRef={**view, "name": "cluster-admin"},
                       subjects=shop)),
        made("service account created", site, _document("v1", "ServiceAccount", "payments")),
    ]
    # fmt: on


def _limits(ground: Ground) -> list[Injection]:
    site, quota = ground.site, "ResourceQuota"
    of = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "gateway"}
    scaler = {"scaleTargetRef": of, "minReplicas": 2, "maxReplicas": 2}
    watts = f"requests.{WATTS_RESOURCE}"
    # fmt: off
    return [
        patched("quota raised", site, (quota, "shop", "objects"), "spec.hard.pods",
                Edit(("spec", "hard", "pods"), "5000")),
        patched("quota raised", site, (quota, "payments", "power"), f'spec.hard["{watts}"]',
                Edit(("spec", "hard", watts), "99999")),
        patched("quota raised", site, ("LimitRange", "gateway", "power"), f'spec.limits[1].max["{WATTS_RESOURCE}"]',
                Edit(("spec", "limits", 1, "max", WATTS_RESOURCE), "99999")),
        patched("disruption budget or priority", site, ("PodDisruptionBudget", "shop", "shop"), "spec.maxUnavailable",
                Edit(("spec", "maxUnavailable"), 2)),
        removed("disruption budget or priority", site, ("PodDisruptionBudget", "payments", "payments")),
        patched("disruption budget or priority", site, ("PriorityClass", "", "shopsphere-storefront"), "description",
                Edit(("description",), "Whatever.")),
        made("autoscaler created", site,
             _document("autoscaling/v2", "HorizontalPodAutoscaler", "gateway", spec=scaler)),
    ]
    # fmt: on


def _storage(ground: Ground) -> list[Injection]:
    site, volume = ground.site, "PersistentVolume"
    # fmt: off
    return [
        patched("volume or storage class", site, ("StorageClass", "", f"{site}-pinned"), "allowVolumeExpansion",
                Edit(("allowVolumeExpansion",), value=True)),
        patched("volume or storage class", site, (volume, "", f"{site}-v1"), "spec.mountOptions",
                Edit(("spec", "mountOptions"), ["nosuid"])),
        patched("volume or storage class", site, (volume, "", f"{site}-v2"), "spec.capacity.storage",
                Edit(("spec", "capacity", "storage"), "3Gi")),
        patched("label of class", site, (volume, "", f"{site}-v3"), f'metadata.labels["{DATA_CLASS_LABEL}"]',
                Edit(("metadata", "labels", DATA_CLASS_LABEL), "personal")),
        patched("label of class", site, (volume, "", f"{site}-v4"), f'metadata.labels["{DATA_CLASS_LABEL}"]',
                Edit(("metadata", "labels", DATA_CLASS_LABEL), "personal")),
        made("volume or storage class", site,
             _document("storage.k8s.io/v1", "StorageClass", provisioner="nfs.csi.k8s.io")),
    ]
    # fmt: on


def _services(ground: Ground) -> list[Injection]:
    site, service = ground.site, "Service"
    ports = [{"name": "db", "port": 5432, "protocol": "TCP", "targetPort": 5432}]
    slice_: dict[str, Any] = {
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ground.pod_address]}],
        "ports": [{"name": "db", "port": 5432, "protocol": "TCP"}],
    }
    # fmt: off
    return [
        patched("service changed", site, (service, "shop", "shop"), "spec.ports[name=db]",
                Edit(("spec", "ports", END), ports[0])),
        patched("service changed", site, (service, "payments", "payments"), "spec.publishNotReadyAddresses",
                Edit(("spec", "publishNotReadyAddresses"), value=True)),
        patched("service changed", site, (service, "gateway", "gateway"), "spec.externalTrafficPolicy",
                Edit(("spec", "externalTrafficPolicy"), "Cluster")),
        made("undeclared way", site, _document("v1", service, "data-ledger",
             spec={"selector": {"cnpg.io/cluster": f"ledger-{site}"}, "ports": ports})),
        made("undeclared way", site, _document("discovery.k8s.io/v1", "EndpointSlice", "data-commerce", **slice_)),
        patched("service changed", site, (service, "data-commerce", "commerce"), "spec.externalIPs",
                Edit(("spec", "externalIPs"), ["203.0.113.7"])),
        made("undeclared way", site, _document("v1", service, "shop", name=f"{MARK}-outside",
             spec={"type": "ExternalName", "externalName": "us.example"})),
    ]
    # fmt: on


def _settings(ground: Ground) -> list[Injection]:
    site, config, secret = ground.site, "ConfigMap", "Secret"
    # fmt: off
    return [
        patched("config map changed", site, (config, "gateway", "gateway-configuration"), 'data["haproxy.cfg"]',
                Edit(("data", "haproxy.cfg"), lambda text: f"{text}# {MARK}\n")),
        patched("config map changed", site, (config, "payments", "pair-authority"), "data.note",
                Edit(("data", "note"), "x")),
        patched("secret changed", site, (secret, "shop", "shop-settings"), "data.EXTRA",
                Edit(("data", "EXTRA"), "eA==")),
        patched("secret changed", site, (secret, "gateway", "gateway-tls"), 'data["ca.crt"]',
                Edit(("data", "ca.crt"), "eA==")),
        patched("secret changed", site, (secret, "payments", "payments-settings"), "data.PSP_API_KEY",
                Edit(("data", "PSP_API_KEY"), "c3RvbGVu")),
        made("undeclared setting", site, _document("v1", config, "shop", data={"a": "b"})),
        made("undeclared setting", site, _document("v1", secret, "payments", data={"a": "eA=="})),
    ]
    # fmt: on


def _namespaces(ground: Ground) -> list[Injection]:
    site, kind, selector = ground.site, "Namespace", "scheduler.alpha.kubernetes.io/node-selector"

    def label(name: str, field: str, label: str, value: str) -> Injection:
        edit = Edit(("metadata", "labels", label), value)
        return patched("label of namespace", site, (kind, "", name), f"metadata.labels{field}", edit)

    return [
        label("shop", ".istio-injection", "istio-injection", "enabled"),
        label("payments", f'["{ENFORCED}/warn"]', f"{ENFORCED}/warn", "privileged"),
        label("data-commerce", f'["{ENFORCED}/enforce-version"]', f"{ENFORCED}/enforce-version", "v1.25"),
        label("gateway", f'["{OWNER_LABEL}"]', OWNER_LABEL, "mallory"),
        patched(
            "annotation that changes behaviour", site, (kind, "", "data-ledger"), f'metadata.annotations["{selector}"]',
            Edit(("metadata", "annotations", selector), "disk=any"),
        ),
        label("data-ledger", f'["{ENFORCED}/enforce"]', f"{ENFORCED}/enforce", "privileged"),
        label("shop", f'["{JURISDICTION_LABEL}"]', JURISDICTION_LABEL, "mars"),
        label("payments", f'["{DATA_CLASS_LABEL}"]', DATA_CLASS_LABEL, "public"),
    ]  # fmt: skip


def _databases(ground: Ground) -> list[Injection]:
    """Return changes of the documents that CloudNativePG makes databases from; none restarts a server."""
    site = ground.site
    commerce, ledger = ("Cluster", "data-commerce", f"commerce-{site}"), ("Cluster", "data-ledger", f"ledger-{site}")
    sort, loop, delay = "database's document", "cnpg.io/reconciliationLoop", "max_standby_streaming_delay"
    another = {"name": "us", "connectionParameters": {"host": "10.9.9.9"}}
    # fmt: off
    return [
        patched(sort, site, commerce, "spec.switchoverDelay", Edit(("spec", "switchoverDelay"), 3600)),
        patched(sort, site, ledger, f"spec.postgresql.parameters.{delay}",
                Edit(("spec", "postgresql", "parameters", delay), "1h")),
        patched(sort, site, commerce, "spec.failoverDelay", Edit(("spec", "failoverDelay"), 600)),
        patched(sort, site, ledger, "spec.postgresql.pg_hba",
                Edit(("spec", "postgresql", "pg_hba", END), "hostssl all all 10.9.9.0/24 scram-sha-256")),
        patched("annotation that changes behaviour", site, commerce, f'metadata.annotations["{loop}"]',
                Edit(("metadata", "annotations", loop), "disabled")),
        patched(sort, site, ledger, "spec.enableSuperuserAccess", Edit(("spec", "enableSuperuserAccess"), value=True)),
        patched(sort, site, commerce, "spec.backup.barmanObjectStore.destinationPath",
                Edit(("spec", "backup"), {"barmanObjectStore": {"destinationPath": "s3://us/commerce"}})),
        patched(sort, site, ledger, "spec.externalClusters[name=us]", Edit(("spec", "externalClusters", END), another)),
    ]
    # fmt: on


def _admission(ground: Ground) -> list[Injection]:
    """Return what would disarm admission; the API server's own file lets nobody but the platform do it."""
    binding, policy = "ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy"
    sort, site = "admission weakened", ground.site
    return [
        patched(
            sort, site, (binding, "", "shopsphere-pods"), "spec.validationActions",
            Edit(("spec", "validationActions"), ["Audit"]),
        ),
        patched(
            sort, site, (policy, "", "shopsphere-network-policies"), "spec.failurePolicy",
            Edit(("spec", "failurePolicy"), "Ignore"),
        ),
        removed(sort, site, (binding, "", "shopsphere-claims")),
    ]  # fmt: skip
