"""What somebody else does to the declared objects of `live_objects`, and what has to be found."""

from __future__ import annotations

from typing import Any, NamedTuple

from live_objects import Step

from shopsphere.drift.model import Kind


class Injection(NamedTuple):
    """What is set where, and what has to be found.

    Attributes:
        target: short name of the object.
        path: of what is set.
        value: what is set; None removes it.
        field: that has to be named.
        kind: how it differs.
        residency: whether it may make data leave its jurisdiction.
    """

    target: str
    path: tuple[Step, ...]
    value: Any
    field: str
    kind: Kind
    residency: bool = False

    @property
    def label(self) -> str:
        """Its name among the tests."""
        return f"{self.target}-{self.field}-{self.kind}"


POD: tuple[Step, ...] = ("spec", "template", "spec")
SHOP: tuple[Step, ...] = (*POD, "containers", {"name": "shop"})
P = "spec.template.spec"
S = "spec.template.spec.containers[name=shop]"
CHANGED, ADDED, REMOVED = Kind.CHANGED, Kind.ADDED, Kind.REMOVED
ON = RESIDENCY = True

# fmt: off
INJECTIONS = (
    Injection("deployment", (*SHOP, "image"), "evil/shop", S + ".image", CHANGED),
    Injection("deployment", (*SHOP, "command"), ["sh"], S + ".command", CHANGED),
    Injection(
        "deployment", (*SHOP, "env", {"name": "SHOP_SITE"}, "value"), "ashburn",
        S + ".env[name=SHOP_SITE].value", CHANGED,
    ),
    Injection("deployment", (*SHOP, "resources", "limits", "memory"), "4Gi", S + ".resources.limits.memory", CHANGED),
    Injection(
        "deployment", (*SHOP, "securityContext", "allowPrivilegeEscalation"), ON,
        S + ".securityContext.allowPrivilegeEscalation", CHANGED,
    ),
    Injection(
        "deployment", (*SHOP, "readinessProbe", "httpGet", "path"), "/",
        S + ".readinessProbe.httpGet.path", CHANGED,
    ),
    Injection(
        "deployment", (*POD, "nodeSelector", "shopsphere.io/site"), "ashburn",
        P + '.nodeSelector["shopsphere.io/site"]', CHANGED, RESIDENCY,
    ),
    Injection("deployment", (*POD, "automountServiceAccountToken"), ON, P + ".automountServiceAccountToken", CHANGED),
    Injection(
        "deployment", ("spec", "strategy", "rollingUpdate", "maxUnavailable"), 1,
        "spec.strategy.rollingUpdate.maxUnavailable", CHANGED,
    ),
    Injection(
        "deployment", ("metadata", "labels", "shopsphere.io/data-class"), "public",
        'metadata.labels["shopsphere.io/data-class"]', CHANGED, RESIDENCY,
    ),
    Injection(
        "deployment", (*POD, "volumes", {"name": "tmp"}, "emptyDir", "sizeLimit"), "64Gi",
        P + ".volumes[name=tmp].emptyDir.sizeLimit", CHANGED,
    ),
    Injection("service", ("spec", "type"), "LoadBalancer", "spec.type", ADDED, RESIDENCY),
    Injection(
        "service", ("spec", "selector", "app.kubernetes.io/name"), "other",
        'spec.selector["app.kubernetes.io/name"]', CHANGED, RESIDENCY,
    ),
    Injection(
        "service", ("spec", "ports", {"port": 80, "protocol": "TCP"}, "targetPort"), 9,
        "spec.ports[name=http].targetPort", CHANGED,
    ),
    Injection(
        "policy", ("spec", "egress", 1, "to", 0, "ipBlock", "cidr"), "0.0.0.0/0",
        "spec.egress[1].to[0].ipBlock.cidr", CHANGED, RESIDENCY,
    ),
    Injection(
        "policy", ("spec", "egress", 0, "ports", 0, "port"), 443,
        "spec.egress[0].ports[port=443,protocol=UDP]", ADDED, RESIDENCY,
    ),
    Injection("policy", ("spec", "policyTypes"), ["Ingress"], "spec.policyTypes", CHANGED, RESIDENCY),
    Injection("secret", ("data", "SHOP_KEY"), "c3RvbGVu", "data.SHOP_KEY", CHANGED),
    Injection("config", ("data", "ca.crt"), "another authority", 'data["ca.crt"]', CHANGED),
    Injection("quota", ("spec", "hard", "pods"), "2000", "spec.hard.pods", CHANGED),
    Injection("autoscaler", ("spec", "maxReplicas"), 400, "spec.maxReplicas", CHANGED),
    Injection("volume", ("spec", "local", "path"), "/mnt/nfs/us", "spec.local.path", CHANGED, RESIDENCY),
    Injection("volume", ("spec", "storageClassName"), "remote", "spec.storageClassName", CHANGED, RESIDENCY),
    Injection("role", ("roleRef", "name"), "cluster-admin", "roleRef.name", CHANGED),
    Injection("database", ("spec", "imageName"), "evil/pg", "spec.imageName", CHANGED),
    Injection(
        "database", ("spec", "externalClusters", 0, "connectionParameters", "host"), "10.9.9.9",
        "spec.externalClusters[name=ledger-dublin].connectionParameters.host", CHANGED, RESIDENCY,
    ),
    Injection(
        "database", ("spec", "storage", "storageClass"), "remote",
        "spec.storage.storageClass", CHANGED, RESIDENCY,
    ),
    Injection(
        "database", ("spec", "postgresql", "parameters", "max_standby_streaming_delay"), "1h",
        "spec.postgresql.parameters.max_standby_streaming_delay", CHANGED,
    ),
    Injection(
        "namespace", ("metadata", "labels", "shopsphere.io/jurisdiction"), "us",
        'metadata.labels["shopsphere.io/jurisdiction"]', CHANGED, RESIDENCY,
    ),
    Injection(
        "deployment", (*POD, "containers", {"name": "sidecar"}), {"name": "sidecar", "image": "evil/tap"},
        P + ".containers[name=sidecar]", ADDED,
    ),
    Injection(
        "deployment", (*POD, "initContainers"), [{"name": "first", "image": "evil/first"}],
        P + ".initContainers[name=first]", ADDED,
    ),
    Injection(
        "deployment", (*SHOP, "env", {"name": "HTTPS_PROXY"}), {"name": "HTTPS_PROXY", "value": "http://10.9.9.9:3128"},
        S + ".env[name=HTTPS_PROXY]", ADDED,
    ),
    Injection("deployment", (*SHOP, "envFrom"), [{"secretRef": {"name": "other"}}], S + ".envFrom[0]", ADDED),
    Injection("deployment", (*SHOP, "args"), ["--debug"], S + ".args", ADDED),
    Injection(
        "deployment", (*SHOP, "volumeMounts", {"mountPath": "/host"}), {"name": "host", "mountPath": "/host"},
        S + ".volumeMounts[name=host]", ADDED,
    ),
    Injection(
        "deployment", (*POD, "volumes", {"name": "host"}), {"name": "host", "hostPath": {"path": "/"}},
        P + ".volumes[name=host]", ADDED, RESIDENCY,
    ),
    Injection(
        "deployment", (*SHOP, "ports", {"containerPort": 9999, "protocol": "TCP"}),
        {"containerPort": 9999, "protocol": "TCP"},
        S + ".ports[containerPort=9999,protocol=TCP]", ADDED,
    ),
    Injection(
        "deployment", (*SHOP, "securityContext", "capabilities", "add"), ["NET_ADMIN"],
        S + ".securityContext.capabilities.add", ADDED,
    ),
    Injection("deployment", (*SHOP, "securityContext", "privileged"), ON, S + ".securityContext.privileged", ADDED),
    Injection(
        "deployment", (*SHOP, "lifecycle"), {"postStart": {"exec": {"command": ["curl", "evil"]}}},
        S + ".lifecycle.postStart.exec.command", ADDED,
    ),
    Injection("deployment", (*POD, "hostNetwork"), ON, P + ".hostNetwork", ADDED, RESIDENCY),
    Injection("deployment", (*POD, "serviceAccountName"), "admin", P + ".serviceAccountName", ADDED),
    Injection("deployment", (*POD, "nodeName"), "ashburn-1", P + ".nodeName", ADDED, RESIDENCY),
    Injection(
        "deployment", (*POD, "hostAliases"), [{"ip": "10.9.9.9", "hostnames": ["ledger"]}],
        P + ".hostAliases[0]", ADDED,
    ),
    Injection("deployment", (*POD, "tolerations"), [{"operator": "Exists"}], P + ".tolerations[0]", ADDED),
    Injection(
        "deployment", ("spec", "template", "metadata", "annotations", "sidecar.istio.io/inject"), "true",
        'spec.template.metadata.annotations["sidecar.istio.io/inject"]', ADDED,
    ),
    Injection("deployment", ("spec", "paused"), ON, "spec.paused", ADDED),
    Injection("deployment", ("metadata", "finalizers"), ["evil.io/keep"], "metadata.finalizers", ADDED),
    Injection(
        "policy", ("spec", "egress", 2), {"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]},
        "spec.egress[2]", ADDED, RESIDENCY,
    ),
    Injection(
        "policy", ("spec", "egress", 1, "to", 1), {"ipBlock": {"cidr": "198.51.100.0/24"}},
        "spec.egress[1].to[1]", ADDED, RESIDENCY,
    ),
    Injection("policy", ("spec", "ingress"), [{}], "spec.ingress[0]", ADDED, RESIDENCY),
    Injection(
        "policy", ("spec", "podSelector"), {"matchLabels": {"a": "b"}},
        "spec.podSelector.matchLabels.a", ADDED, RESIDENCY,
    ),
    Injection("service", ("spec", "externalIPs"), ["203.0.113.7"], "spec.externalIPs", ADDED, RESIDENCY),
    Injection(
        "service", ("spec", "ports", {"port": 5432, "protocol": "TCP"}),
        {"name": "db", "port": 5432, "protocol": "TCP", "targetPort": 5432},
        "spec.ports[name=db]", ADDED,
    ),
    Injection("secret", ("data", "EXTRA"), "eA==", "data.EXTRA", ADDED),
    Injection("config", ("data", "extra.crt"), "another authority", 'data["extra.crt"]', ADDED),
    Injection(
        "role", ("subjects", 1), {"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"},
        "subjects[name=mallory]", ADDED,
    ),
    Injection(
        "autoscaler", ("spec", "behavior"), {"scaleDown": {"selectPolicy": "Disabled"}},
        "spec.behavior.scaleDown.selectPolicy", ADDED,
    ),
    Injection(
        "database", ("spec", "postgresql", "pg_hba"), ["host all all 0.0.0.0/0 trust"],
        "spec.postgresql.pg_hba", ADDED, RESIDENCY,
    ),
    Injection(
        "database", ("spec", "backup"), {"barmanObjectStore": {"destinationPath": "s3://us"}},
        "spec.backup.barmanObjectStore.destinationPath", ADDED, RESIDENCY,
    ),
    Injection(
        "database", ("spec", "externalClusters", 1),
        {"name": "elsewhere", "connectionParameters": {"host": "10.9.9.9"}},
        "spec.externalClusters[name=elsewhere]", ADDED, RESIDENCY,
    ),
    Injection(
        "database", ("metadata", "annotations", "cnpg.io/hibernation"), "on",
        'metadata.annotations["cnpg.io/hibernation"]', ADDED,
    ),
    Injection("database", ("spec", "enableSuperuserAccess"), ON, "spec.enableSuperuserAccess", ADDED),
    Injection(
        "namespace", ("metadata", "labels", "pod-security.kubernetes.io/enforce"), "privileged",
        'metadata.labels["pod-security.kubernetes.io/enforce"]', ADDED,
    ),
    Injection("deployment", (*SHOP, "env", {"name": "SHOP_SITE"}), None, S + ".env[name=SHOP_SITE]", REMOVED),
    Injection("deployment", (*SHOP, "readinessProbe"), None, S + ".readinessProbe", REMOVED),
    Injection("deployment", (*POD, "securityContext"), None, P + ".securityContext", REMOVED),
    Injection("deployment", (*POD, "nodeSelector"), None, P + ".nodeSelector", REMOVED, RESIDENCY),
    Injection("policy", ("spec", "egress", 0), None, "spec.egress[0]", REMOVED, RESIDENCY),
    Injection("quota", ("spec", "hard", "pods"), None, "spec.hard.pods", REMOVED),
    Injection("volume", ("spec", "nodeAffinity"), None, "spec.nodeAffinity", REMOVED, RESIDENCY),
    Injection("secret", ("data", "SHOP_KEY"), None, "data.SHOP_KEY", REMOVED),
)
# fmt: on
